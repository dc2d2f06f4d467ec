"""Query the store with SQL, one generation at a time, through a hardened DuckDB connection."""

import threading
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import pyarrow as pa

from core.store.generations.integrity.damage import explain_damage
from core.store.generations.manifest import Manifest
from core.store.hardening import connect_hardened
from core.store.keyed_rows import NO_PART, KeyedRows, Part
from core.store.market.market_cache import MarketCache, MarketKey
from core.store.market.market_connection import MAX_BYTES, MarketConnection
from core.store.market.market_facts import MAX_ROWS, MONTHS, code_condition, has_remote_facts, read_market_facts
from core.store.market.market_months import month_parameters
from core.store.query_limits import QueryLimits, QueryTimeout, QueryTooLarge, limit_to_name, seconds_left, time_limit
from core.store.remote_facts import remote_folders
from core.store.schema.tables import FACT_RATE, Table
from core.store.sql import used_parameters
from core.store.views import COUNTED_RATE, MARKET_FACT, counted_rates_sql, view_statements
from core.store.watchdog import WATCHDOG
from core.store.watched_cursor import WatchedCursor

__all__ = [
    "MarketSnapshot",
    "QueryLimits",
    "QueryTimeout",
    "QueryTooLarge",
    "Snapshot",
    "time_limit",
]

T = TypeVar("T")


class Snapshot:
    """One generation of the store, to be queried with SQL.

    There is a view of each table's name, and BY_GROUP, a view of all facts; the ids' macros are defined. The connection
    reads only below the data directory, and its configuration is locked. Several threads may use one snapshot.

    `market_snapshot` keeps one market's rates in memory, as few counted rows, for the many queries of a page.
    """

    market_values: Mapping[str, Any] | None = None
    """The parameters that selected the facts of `counted_rate`; None where there is no such table."""

    counts_areas = False
    """Whether the column `group_area` of `counted_rate` is filled in."""

    code_values: Mapping[str, Any] | None = None
    """What chose the rows of `market_fact`: the values of the columns state, code, and code_type if it was given, and
    the months under MONTHS; None where there is no such table."""

    def __init__(
        self,
        root: Path,
        manifest: Manifest,
        limits: QueryLimits,
        macros: Sequence[str] = (),
        markets: MarketCache | None = None,
        beside: "Snapshot | None" = None,
    ) -> None:
        """Open a generation. `beside` is another snapshot of it, whose tables and answers in memory serve both."""
        self.root = root
        self.manifest = manifest
        self.limits = limits
        self._macros = macros
        self.broken = threading.Event()
        """Set when DuckDB has failed inside: its database answers nothing more, see Reader."""
        self._lock = threading.Lock()
        self._idle: list[MarketConnection] = []
        self._connection = self._open(limits)
        self._market_database: duckdb.DuckDBPyConnection | None = None
        if beside is None:
            self.markets = MarketCache() if markets is None else markets
            self.keyed_rows = KeyedRows(self.arrow_rows)
            self._answers: dict[Any, Any] = {}
        else:
            self.markets, self.keyed_rows, self._answers = beside.markets, beside.keyed_rows, beside._answers

    def _open(self, limits: QueryLimits) -> duckdb.DuckDBPyConnection:
        on_s3 = remote_folders(self.manifest.tables.get(FACT_RATE.name, ()))
        connection = connect_hardened(self.root, limits, self._macros, on_s3)
        with explain_damage(self.root, self.manifest):
            for statement in view_statements(self.root, self.manifest):
                connection.execute(statement)
        return connection

    @contextmanager
    def cursor(self, seconds: float | None = None) -> Iterator[WatchedCursor]:
        """Yield a cursor whose queries are stopped after `seconds` in all. The default is that of the limits.

        Raises QueryTimeout, and QueryTooLarge for a query that needs more memory than it may use.
        """
        limit = self.limits.seconds if seconds is None else seconds
        cursor = self._connection.cursor()
        try:
            with self._limited(cursor, limit) as watched:
                yield watched
        finally:
            cursor.close()

    @contextmanager
    def market_snapshot(
        self,
        where: "str | Callable[[MarketSnapshot], str]",
        parameters: Mapping[str, Any],
        facts: str = FACT_RATE.name,
        *,
        areas: bool = False,
        month: str = "",
        code_values: Mapping[str, Any] | None = None,
    ) -> Iterator["MarketSnapshot"]:
        """Yield this generation with a table `counted_rate` of the `facts` (AS f) that meet `where`, in memory.

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
        with self.code_snapshot(code_values) as market:
            if not isinstance(where, str):
                where = where(market)
            key = (where, facts, areas, *sorted(values.items()))
            if market.code_values is not None:
                facts = MARKET_FACT
            elif code_values is not None:
                where = f"{code_condition(code_values)} AND {where}"
            counted = counted_rates_sql(self.manifest, facts, where, areas=areas, month=month)
            # Only what reads files gains from several threads.
            asking = market if market.code_values is not None else self
            table = self.markets.make(key, lambda: _ask(asking.cursor(), counted, values))
            market.shown.add(COUNTED_RATE, table)
            market.key, market.market_values, market.counts_areas = key, values, areas
            yield market

    @contextmanager
    def code_snapshot(self, code_values: Mapping[str, Any] | None) -> Iterator["MarketSnapshot"]:
        """Yield this generation with a connection that can show tables of its own: `market_fact` if it is asked for.

        See market_snapshot.
        """
        found = None if code_values is None else self._read_code(code_values)
        with self._market_connection() as connection:
            connection.show({} if found is None else {MARKET_FACT: found})
            yield MarketSnapshot(self, connection, None if found is None else code_values)

    def _read_code(self, values: Mapping[str, Any]) -> pa.Table | None:
        """Return the facts of a code with all columns; None if they are too many to be kept in memory."""

        def read() -> pa.Table | None:
            seconds_left(self.limits.seconds)
            if has_remote_facts(self.manifest, values):
                # Only DuckDB reads S3 with the store's limits. What it has read is in memory for the next question.
                facts = self.arrow_rows(
                    f"SELECT f.* FROM {FACT_RATE.name} f WHERE {code_condition(values)} LIMIT {MAX_ROWS + 1}",
                    {**values, **month_parameters(values[MONTHS])},
                )
                return facts if facts.num_rows <= MAX_ROWS else None
            with explain_damage(self.root, self.manifest):
                return read_market_facts(self.root, self.manifest, values)

        return self.markets.get_or_make((MARKET_FACT, *sorted(values.items())), read)

    @contextmanager
    def _market_connection(self) -> Iterator[MarketConnection]:
        """Yield a connection that nobody else uses until it is given back."""
        connection = self._take_idle() or MarketConnection(self._markets_in_memory().cursor())
        try:
            yield connection
        except BaseException:
            # A query that failed or was stopped may have left the connection in any state.
            connection.close()
            raise
        if len(self._idle) >= self.limits.idle_connections:
            connection.close()
            return
        connection.show({})
        if connection.memory_in_use() > MAX_BYTES:
            # Connections that nobody needs now keep plans as well.
            while (other := self._take_idle()) is not None:
                other.close()
            if connection.memory_in_use() > MAX_BYTES:
                connection.forget_older_plans()
        self._idle.append(connection)

    def _take_idle(self) -> MarketConnection | None:
        """Return the idle connection used last, or None: its questions are planned, and its memory is in the caches."""
        try:
            return self._idle.pop()
        except IndexError:  # another thread may have taken the last one since somebody looked
            return None

    def _markets_in_memory(self) -> duckdb.DuckDBPyConnection:
        """Return the database in which markets are asked: of one thread, which is cheaper for questions so small."""
        with self._lock:
            if self._market_database is None:
                # Two databases of one process would use the same names of temporary files.
                directory = self.limits.temp_directory and f"{self.limits.temp_directory}-markets"
                self._market_database = self._open(replace(self.limits, threads=1, temp_directory=directory))
            return self._market_database

    @contextmanager
    def _limited(
        self, connection: duckdb.DuckDBPyConnection | MarketConnection, seconds: float
    ) -> Iterator[WatchedCursor]:
        limit, seconds = limit_to_name(seconds), seconds_left(seconds)
        watched = WatchedCursor(connection, self.limits.log_after)
        try:
            with WATCHDOG.watch(seconds, connection.interrupt), explain_damage(self.root, self.manifest):
                yield watched
        except duckdb.InterruptException:
            raise QueryTimeout(f"the question took longer than {limit:.3g} seconds and was stopped") from None
        except duckdb.OutOfMemoryException as error:
            raise self._too_large(str(error)) from None
        except (duckdb.InternalException, duckdb.FatalException):
            self.broken.set()
            raise
        finally:
            watched.end_question()

    def _too_large(self, problem: str) -> QueryTooLarge:
        """Return the error for a query that DuckDB stopped. DuckDB has one exception for memory and for disk."""
        if "max_temp_directory_size" in problem:
            return QueryTooLarge(
                f"the question needs more than the {self.limits.temp_size} of disk space it may use",
                "BEACONPOINT_QUERY_TEMP_SIZE",
            )
        return QueryTooLarge(
            f"the question needs more than the {self.limits.memory} of memory it may use", self.limits.memory_setting
        )

    def keep_table(
        self, name: str, query: str, parameters: Mapping[str, Any], *, made_from: Mapping[str, Any] | None = None
    ) -> None:
        """Show a query's answer as a table in memory, which is kept for the market's next questions.

        `made_from` are the values that the tables in memory that the query reads depend on, besides the market's.
        """
        raise NotImplementedError(f"{name}: only the snapshot of a market keeps {query} {parameters} {made_from}")

    def ask_once(self, question: Callable[["Snapshot"], T]) -> T:
        """Return the answer to a question that every page asks. It is asked once per generation."""
        if question not in self._answers:
            self._answers[question] = question(self)
        answer: T = self._answers[question]
        return answer

    def arrow_rows(self, sql: str, parameters: Mapping[str, Any]) -> pa.Table:
        """Return all rows of a query's answer as an Arrow table. Of the parameters, those that it names are bound."""
        return _ask(self.cursor(), sql, parameters)

    def find_rows(
        self, table: str, key: str, keys: pa.ChunkedArray, columns: Sequence[str], part: Part = NO_PART
    ) -> pa.Table:
        """Return the column `key` and the `columns` of the rows of a table or view whose key is among the texts `keys`.

        `part` has the values of other columns that the rows must have: those of a part are kept in memory together,
        see keyed_rows.py, unless they are too many.
        """
        found = self.keyed_rows.find(table, key, keys, columns, part)
        if found is not None:
            return found
        of_part = "".join(f" AND {column} = ${column}" for column in part)
        sql = f"""SELECT {key}, {", ".join(columns)} FROM {table}
                  WHERE {key} IN (SELECT unnest($keys::VARCHAR[])) {of_part}"""
        return _ask(self.cursor(), sql, {**part, "keys": keys.to_pylist()})

    def list_rows_of(self, table: str, key: str, keys: Iterable[str], columns: Sequence[str]) -> list[dict[str, Any]]:
        """Return the column `key` and the `columns` of the rows that find_rows finds, by their names, in any order."""
        rows: list[dict[str, Any]] = self.find_rows(table, key, _texts(keys), columns).to_pylist()
        return rows

    def rows(self, sql: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> list[tuple[Any, ...]]:
        """Return all rows of a query's answer."""
        with self.cursor() as cursor:
            return cursor.execute(sql, parameters).fetchall()


class MarketSnapshot(Snapshot):
    """A snapshot with tables in memory that are its own, for one thread. See Snapshot.market_snapshot."""

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
        self.shown.add(name, self.markets.make(key, lambda: _ask(self.cursor(), query, bound)))
        self._kept[name] = key

    def keep_for_all_markets(self, name: str, query: str, parameters: Mapping[str, Any]) -> None:
        """Show a query's answer as keep_table does, of a query that reads no table of the market."""
        key = (query, repr(sorted(parameters.items())))
        self.shown.add(name, self.markets.make(key, lambda: _ask(self.cursor(), query, parameters)))
        self._kept[name] = key

    def keep_selection(self, of: str, query: str, parameters: Mapping[str, Any]) -> str:
        """Show a query's answer as keep_table does, and return the name of the table.

        The names are numbers in the order of the questions, whatever the parameters are. So the questions that a page
        asks of its selections have no parameters, and are the same texts on each page: their plans are kept. `of` says
        what is selected: selections of the same have the same columns.
        """
        bound = used_parameters(query, parameters)
        asked = (of, query, repr(sorted(bound.items())))
        before = sum(one[0] == of for one in self._selections)
        name = self._selections.setdefault(asked, f"{of}_selected_{before}")
        self.keep_table(name, query, bound)
        return name

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
        wanted, columns = _texts(keys), [one for one in table.names if one != key]
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
        self.shown.add(name, _ask(self.cursor(), query, parameters))

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


def _texts(texts: Iterable[str]) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(sorted(texts), pa.string())])


def _ask(asking: AbstractContextManager[WatchedCursor], sql: str, parameters: Mapping[str, Any]) -> pa.Table:
    """Return a question's rows as an Arrow table. Of the parameters, those that it names are bound."""
    with asking as cursor:
        return cursor.read_arrow(sql, used_parameters(sql, parameters))
