"""A generation with one market's rates in memory, for the many questions of a page, and tables of its own."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import pyarrow as pa

from core.store.connection import Snapshot, column_of_texts
from core.store.generations.integrity.damage import explain_damage
from core.store.keyed_rows import NO_PART, Part
from core.store.market.market_cache import MarketKey
from core.store.market.market_connection import MarketConnection
from core.store.market.market_facts import MAX_ROWS, MONTHS, code_condition, has_remote_facts, read_market_facts
from core.store.market.market_months import month_parameters
from core.store.query_limits import seconds_left
from core.store.schema.tables import DIM_GROUP_AREA, FACT_RATE, Table
from core.store.sql import used_parameters
from core.store.views import COUNTED_RATE, MARKET_FACT, counted_rates_sql
from core.store.watched_cursor import WatchedCursor

_AREAS = "area_of_group"
"""The table in memory of the areas of the provider groups of a code's facts."""

T = TypeVar("T")


class MarketSnapshot(Snapshot):
    """A snapshot with tables in memory that are its own, for one thread. See market_snapshot."""

    def __init__(self, whole: Snapshot, shown: MarketConnection, code_values: Mapping[str, Any] | None) -> None:
        self.code_values = code_values
        self.root = whole.root
        self.broken = whole.broken
        self.manifest = whole.manifest
        self.markets = whole.markets
        self.keyed_rows = whole.keyed_rows
        self.shown = shown
        self.key: MarketKey = ()
        self.limits = whole.limits
        self._answers = whole._answers
        self._selections: dict[tuple[str, str, str], str] = {}
        self._kept: dict[str, MarketKey] = {}
        self._made: dict[str, tuple[Hashable, Any]] = {}

    @contextmanager
    def cursor(self, seconds: float | None = None) -> Iterator[WatchedCursor]:
        """Yield the market's connection itself: no other would have its tables."""
        with self._limited(self.shown, self.limits.seconds if seconds is None else seconds) as watched:
            yield watched

    def keep_table(
        self, name: str, query: str, parameters: Mapping[str, Any], *, made_from: Mapping[str, Any] | None = None
    ) -> None:
        """Show a query's answer as a table in memory, which is kept for the market's next questions."""
        bound = used_parameters(query, parameters)
        of_market = (*self.key, *sorted((self.code_values or {}).items()))
        if self.code_values is not None and COUNTED_RATE not in query:
            of_market = (*sorted(self.code_values.items()),)  # the same for whatever is counted of the code's facts
        # The same words may read another table under the same name.
        reads = tuple(key for table, key in self._kept.items() if table in query)
        key = (query, repr(sorted({**(made_from or {}), **bound}.items())), *of_market, *reads)
        self.shown.add(name, self.markets.make(key, lambda: self.arrow_rows(query, bound)))
        self._kept[name] = key

    def keep_for_all_markets(self, name: str, query: str, parameters: Mapping[str, Any]) -> None:
        """Show a query's answer as keep_table does, of a query that reads no table of the market."""
        key = (query, repr(sorted(parameters.items())))
        self.shown.add(name, self.markets.make(key, lambda: self.arrow_rows(query, parameters)))
        self._kept[name] = key

    def keep_selection(self, of: str, query: str, parameters: Mapping[str, Any]) -> str:
        """Show a query's answer as keep_table does, and return the name of the table.

        The names are numbers in the order of the questions, whatever the parameters are. So the questions that a page
        asks of its selections have no parameters, and are the same texts on each page: their plans are kept. `of` says
        what is selected: selections of the same have the same columns.
        """
        bound = used_parameters(query, parameters)
        name = self._number(f"{of}_selected", (of, query, repr(sorted(bound.items()))))
        self.keep_table(name, query, bound)
        return name

    def show_numbered(self, of: str, key: MarketKey, table: pa.Table) -> str:
        """Show a table that `key` says all of, and return its name: a number among those `of` the same, as there."""
        name = self._number(of, (of, "", repr(key)))
        self.shown.add(name, table)
        self._kept[name] = key
        return name

    def _number(self, stem: str, asked: tuple[str, str, str]) -> str:
        """Return the name of a selection: `stem` with its number among those of the same."""
        before = sum(one[0] == asked[0] for one in self._selections)
        return self._selections.setdefault(asked, f"{stem}_{before}")

    def make_for(self, name: str, key: Hashable, make: Callable[[], T]) -> T:
        """Return what `make` returns, which shows the tables of that `name`.

        Questions of a page that need these tables for the same `key` share them. Another key makes them again.
        """
        if name not in self._made or self._made[name][0] != key:
            self._made.pop(name, None)
            self._made[name] = (key, make())
        made: T = self._made[name][1]
        return made

    def count_shown(self, name: str) -> int:
        """Return how many rows a table has that is shown."""
        return len(self.shown.table(name))

    def show_texts(self, name: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Show rows of texts as a table in memory for what follows on this snapshot."""
        values = zip(*rows, strict=True) if rows else [()] * len(columns)
        self.shown.add(name, pa.table([pa.array(one, pa.string()) for one in values], names=list(columns)))

    def show_parts(
        self,
        name: str,
        table: Table,
        key: str,
        keys: Iterable[str],
        parts: Iterable[tuple[Part, Sequence[str]]],
        more: Sequence[str],
    ) -> int:
        """Show the rows of a table whose key is among the texts `keys`, in some of its parts, and return their number.

        They have all columns of the table, and the columns `more`, whose values are given with each part. See find_rows
        for what a part is.
        """
        wanted, columns = column_of_texts(keys), [one for one in table.names if one != key]
        schema = pa.schema([table.arrow.field(one) for one in (key, *columns)])
        schema_shown = pa.schema([*schema, *(pa.field(one, pa.string()) for one in more)])
        shown = [schema_shown.empty_table()]
        for part, values in parts:
            found = self.find_rows(table.name, key, wanted, columns, part).cast(schema)
            for column, value in zip(more, values, strict=True):
                found = found.append_column(column, pa.array([value] * len(found), pa.string()))
            shown.append(found)
        self.shown.add(name, pa.concat_tables(shown))
        return sum(map(len, shown))

    def show_table(self, name: str, query: str, parameters: Mapping[str, Any]) -> None:
        """Make a query's answer a table in memory for what follows on this snapshot."""
        self.shown.add(name, self.arrow_rows(query, parameters))

    def show_rows_of(
        self, name: str, table: str, key: str, columns: Sequence[str], *, of: str, months: Sequence[str] = ()
    ) -> None:
        """Make a table of those rows of a table or view whose key is among those of `of`, a table in memory.

        It has the column `key` and the `columns`. With months, the rows are those of the months. They are found
        without reading that table where its rows are in memory, see keyed_rows.py.
        """
        keys = self.shown.table(of).column(key).unique().drop_null()
        parts: list[Part] = [{"year_month": month} for month in months] or [NO_PART]
        found = [self.find_rows(table, key, keys, columns, part) for part in parts]
        self.shown.add(name, found[0] if len(found) == 1 else pa.concat_tables(found, promote_options="permissive"))


@contextmanager
def market_snapshot(
    db: Snapshot,
    where: str | Callable[[MarketSnapshot], str],
    parameters: Mapping[str, Any],
    facts: str = FACT_RATE.name,
    *,
    areas: bool = False,
    month: str = "",
    code_values: Mapping[str, Any] | None = None,
) -> Iterator[MarketSnapshot]:
    """Yield a generation with a table `counted_rate` of the `facts` (AS f) that meet `where`, in memory.

    The table has the fact's columns except those that identify the provider, `payee` (see payee_sql), and
    `group_area` (see with_group_areas; null unless `areas` are asked for). Facts that are equal in these columns
    are one row, and `rate_count` says how many they are.

    `month` is what months_sql returns for the months of the facts, if they are not of every month.

    With `code_values`, the facts are those of fact_rate with these values in the columns state, code and, if it is
    given, code_type, and of the months of MONTHS. `where` says which of them are counted, and there is another
    table in memory, `market_fact`, which has all of them with all columns, unless they are too many. A `where` that
    reads other tables in memory is made by a function, which shows them.

    Recent tables are kept for the next caller. The snapshot is for one thread. Raises the same errors as `cursor`.
    """
    values = dict(parameters)
    with code_snapshot(db, code_values) as market:
        if not isinstance(where, str):
            where = where(market)
        key = (where, facts, areas, *sorted(values.items()))
        if market.code_values is not None:
            facts = MARKET_FACT
        elif code_values is not None:
            where = f"{code_condition(code_values)} AND {where}"
        in_memory = None if market.code_values is None else _AREAS
        counted = counted_rates_sql(db.manifest, facts, where, areas=areas, month=month, areas_in_memory=in_memory)

        def count() -> pa.Table:
            if market.code_values is None:
                return db.arrow_rows(counted, values)  # only what reads files gains from several threads
            if areas:
                months = [one.year_month for one in market.code_values[MONTHS]]
                market.show_rows_of(_AREAS, DIM_GROUP_AREA.name, "pg_uid", ["area"], of=MARKET_FACT, months=months)
            return market.arrow_rows(counted, values)

        market.shown.add(COUNTED_RATE, db.markets.make(key, count))
        market.key, market.market_values, market.counts_areas = key, values, areas
        yield market


@contextmanager
def code_snapshot(db: Snapshot, code_values: Mapping[str, Any] | None) -> Iterator[MarketSnapshot]:
    """Yield a generation with a connection that can show tables of its own: `market_fact` if it is asked for.

    See market_snapshot.
    """
    found = None if code_values is None else _read_code(db, code_values)
    with db.market_connections.take() as connection:
        connection.show({} if found is None else {MARKET_FACT: found})
        yield MarketSnapshot(db, connection, None if found is None else code_values)


def _read_code(db: Snapshot, values: Mapping[str, Any]) -> pa.Table | None:
    """Return the facts of a code with all columns; None if they are too many to be kept in memory."""

    def read() -> pa.Table | None:
        seconds_left(db.limits.seconds)
        if has_remote_facts(db.manifest, values):
            # Only DuckDB reads S3 with the store's limits. What it has read is in memory for the next question.
            facts = db.arrow_rows(
                f"SELECT f.* FROM {FACT_RATE.name} f WHERE {code_condition(values)} LIMIT {MAX_ROWS + 1}",
                {**values, **month_parameters(values[MONTHS])},
            )
            return facts if facts.num_rows <= MAX_ROWS else None
        with explain_damage(db.root, db.manifest):
            return read_market_facts(db.root, db.manifest, values)

    return db.markets.get_or_make((MARKET_FACT, *sorted(values.items())), read)
