"""Query the store with SQL, one generation at a time, through a hardened DuckDB connection."""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import pyarrow as pa

from core.store.generations.integrity.damage import explain_damage
from core.store.generations.manifest import Manifest
from core.store.hardening import connect_hardened
from core.store.keyed_rows import NO_PART, KeyedRows, Part
from core.store.market.market_cache import MarketCache
from core.store.market.market_connection import MarketConnection
from core.store.market.market_connections import MarketConnections
from core.store.query_limits import QueryLimits, QueryTimeout, QueryTooLarge, limit_to_name, seconds_left, time_limit
from core.store.remote_facts import remote_folders
from core.store.schema.tables import FACT_RATE
from core.store.sql import used_parameters
from core.store.views import view_statements
from core.store.watchdog import WATCHDOG
from core.store.watched_cursor import WatchedCursor

__all__ = [
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

    A MarketSnapshot has one market's rates in memory, as few counted rows, for the many queries of a page.
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
        self._connection = self._open(limits)
        self.market_connections = MarketConnections(self._open_for_markets, limits.idle_connections)
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

    def _open_for_markets(self) -> duckdb.DuckDBPyConnection:
        """Return the database in which markets are asked: of one thread, which is cheaper for questions so small."""
        # Two databases of one process would use the same names of temporary files.
        directory = self.limits.temp_directory and f"{self.limits.temp_directory}-markets"
        return self._open(replace(self.limits, threads=1, temp_directory=directory))

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
        with self.cursor() as cursor:
            return cursor.read_arrow(sql, used_parameters(sql, parameters))

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
        return self.arrow_rows(sql, {**part, "keys": keys.to_pylist()})

    def list_rows_of(self, table: str, key: str, keys: Iterable[str], columns: Sequence[str]) -> list[dict[str, Any]]:
        """Return the column `key` and the `columns` of the rows that find_rows finds, by their names, in any order."""
        rows: list[dict[str, Any]] = self.find_rows(table, key, column_of_texts(keys), columns).to_pylist()
        return rows

    def rows(self, sql: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> list[tuple[Any, ...]]:
        """Return all rows of a query's answer."""
        with self.cursor() as cursor:
            return cursor.execute(sql, parameters).fetchall()


def column_of_texts(texts: Iterable[str]) -> pa.ChunkedArray:
    """Return texts as a column, sorted."""
    return pa.chunked_array([pa.array(sorted(texts), pa.string())])
