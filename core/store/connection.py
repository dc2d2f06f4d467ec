"""Query the store with SQL, one generation at a time, through a hardened DuckDB connection."""

import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import pyarrow as pa

from core.store.generations.integrity.damage import expect_whole, explain_damage
from core.store.generations.manifest import Manifest
from core.store.generations.store import Store
from core.store.hardening import connect_hardened
from core.store.market_cache import MarketCache, MarketKey
from core.store.market_connection import MarketConnection
from core.store.market_facts import read_market_facts
from core.store.query_limits import QueryLimits, QueryTimeout, QueryTooLarge, seconds_left, time_limit
from core.store.schema.tables import FACT_RATE
from core.store.sql import used_parameters
from core.store.views import COUNTED_RATE, MARKET_FACT, counted_rates_sql, view_statements
from core.store.watched_cursor import WatchedCursor

__all__ = ["QueryLimits", "QueryTimeout", "QueryTooLarge", "Reader", "Snapshot", "time_limit"]

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
    """What all rows of `market_fact` have in the columns state, year_month, code, and code_type if it was given; None
    where there is no such table."""

    def __init__(
        self,
        root: Path,
        manifest: Manifest,
        limits: QueryLimits,
        macros: Sequence[str] = (),
        markets: MarketCache | None = None,
    ) -> None:
        self.root = root
        self.manifest = manifest
        self.markets = MarketCache() if markets is None else markets
        self._limits = limits
        self._connection = connect_hardened(root, limits, macros)
        self._answers: dict[Any, Any] = {}
        self._idle: list[MarketConnection] = []
        with explain_damage(root, manifest):
            for statement in view_statements(root, manifest):
                self._connection.execute(statement)

    @contextmanager
    def cursor(self, seconds: float | None = None) -> Iterator[WatchedCursor]:
        """Yield a cursor whose queries are stopped after `seconds` in all. The default is that of the limits.

        Raises QueryTimeout, and QueryTooLarge for a query that needs more memory than it may use.
        """
        limit = self._limits.seconds if seconds is None else seconds
        cursor = self._connection.cursor()
        try:
            with self._limited(cursor, limit) as watched:
                yield watched
        finally:
            cursor.close()

    @contextmanager
    def market_snapshot(
        self,
        where: str,
        parameters: Mapping[str, Any],
        facts: str = FACT_RATE.name,
        *,
        areas: bool = False,
        code_values: Mapping[str, Any] | None = None,
    ) -> Iterator["Snapshot"]:
        """Yield this generation with a table `counted_rate` of the `facts` (AS f) that meet `where`, in memory.

        The table has the fact's columns except those that identify the provider, `payee` (see payee_sql), and
        `group_area` (see with_group_areas; null unless `areas` are asked for). Facts that are equal in these columns
        are one row, and `rate_count` says how many they are.

        With `code_values`, the facts are those of fact_rate with these values in the columns state, year_month, code
        and, if it is given, code_type. `where` says which of them are counted, and there is another table in memory,
        `market_fact`, which has all of them with all columns, unless they are too many.

        Recent tables are kept for the next caller. The snapshot is for one thread. Raises the same errors as `cursor`.
        """
        values = {**parameters, **(code_values or {})}
        key = (where, facts, areas, *sorted(values.items()))
        found = None if code_values is None else self._read_code(code_values)
        if found is not None:
            facts = MARKET_FACT
        elif code_values is not None:
            where = " AND ".join((*(f"f.{name} = ${name}" for name in code_values), where))
        counted = counted_rates_sql(self.manifest, facts, where, areas=areas, by_month="year_month" in values)
        with self._market_connection() as connection:
            connection.show({} if found is None else {MARKET_FACT: found})
            table = self.markets.make(
                key, lambda: _ask(self._limited(connection, self._limits.seconds), counted, values)
            )
            connection.add(COUNTED_RATE, table)
            code_values = None if found is None else code_values
            yield _MarketSnapshot(self, connection, key, values, counts_areas=areas, code_values=code_values)

    def _read_code(self, values: Mapping[str, Any]) -> pa.Table | None:
        """Return the facts of a code with all columns; None if they are too many to be kept in memory."""

        def read() -> pa.Table | None:
            seconds_left(self._limits.seconds)
            with explain_damage(self.root, self.manifest):
                return read_market_facts(self.root, self.manifest, values)

        return self.markets.get_or_make((MARKET_FACT, *sorted(values.items())), read)

    @contextmanager
    def _market_connection(self) -> Iterator[MarketConnection]:
        """Yield a connection that nobody else uses until it is given back."""
        try:
            # The one used last: its questions are planned, and what it has in memory is in the processor's caches.
            connection = self._idle.pop()
        except IndexError:
            connection = MarketConnection(self._connection.cursor())
        try:
            yield connection
        except BaseException:
            # A query that failed or was stopped may have left the connection in any state.
            connection.close()
            raise
        connection.show({})
        self._idle.append(connection)

    @contextmanager
    def _limited(
        self, connection: duckdb.DuckDBPyConnection | MarketConnection, seconds: float
    ) -> Iterator[WatchedCursor]:
        seconds = seconds_left(seconds)
        watched = WatchedCursor(connection, self._limits.log_after)
        # DuckDB 1.5 has no time limit of its own.
        timer = threading.Timer(seconds, connection.interrupt)
        timer.daemon = True
        timer.start()
        try:
            with explain_damage(self.root, self.manifest):
                yield watched
        except duckdb.InterruptException:
            raise QueryTimeout(f"the question took longer than {seconds:.3g} seconds and was stopped") from None
        except duckdb.OutOfMemoryException as error:
            raise self._too_large(str(error)) from None
        finally:
            timer.cancel()
            watched.end_question()

    def _too_large(self, problem: str) -> QueryTooLarge:
        """Return the error for a query that DuckDB stopped. DuckDB has one exception for memory and for disk."""
        if "max_temp_directory_size" in problem:
            return QueryTooLarge(
                f"the question needs more than the {self._limits.temp_size} of disk space it may use",
                "BEACONPOINT_QUERY_TEMP_SIZE",
            )
        return QueryTooLarge(
            f"the question needs more than the {self._limits.memory} of memory it may use", self._limits.memory_setting
        )

    def keep_table(self, name: str, query: str, parameters: Mapping[str, Any]) -> None:
        """Keep a query's answer as a table in memory for as long as the market, unless there is one of that name."""
        raise NotImplementedError(f"{name}: only the snapshot of a market keeps {query} {parameters}")

    def ask_once(self, question: Callable[["Snapshot"], T]) -> T:
        """Return the answer to a question that every page asks. It is asked once per generation."""
        if question not in self._answers:
            self._answers[question] = question(self)
        answer: T = self._answers[question]
        return answer

    def rows(self, sql: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> list[tuple[Any, ...]]:
        """Return all rows of a query's answer."""
        with self.cursor() as cursor:
            return cursor.execute(sql, parameters).fetchall()


class _MarketSnapshot(Snapshot):
    """A snapshot with `counted_rate` and `market_fact`, tables of one connection."""

    def __init__(
        self,
        whole: Snapshot,
        connection: MarketConnection,
        key: MarketKey,
        market_values: Mapping[str, Any],
        *,
        counts_areas: bool,
        code_values: Mapping[str, Any] | None,
    ) -> None:
        self.market_values = market_values
        self.counts_areas = counts_areas
        self.code_values = code_values
        self.root = whole.root
        self.manifest = whole.manifest
        self.markets = whole.markets
        self._limits = whole._limits
        self._shown = connection
        self._key = key
        self._answers = whole._answers

    @contextmanager
    def cursor(self, seconds: float | None = None) -> Iterator[WatchedCursor]:
        """Yield the market's connection itself: no other would have its tables."""
        with self._limited(self._shown, self._limits.seconds if seconds is None else seconds) as watched:
            yield watched

    def keep_table(self, name: str, query: str, parameters: Mapping[str, Any]) -> None:
        """Show a query's answer as a table in memory. It is kept as the market is."""
        key = (name, query, repr(sorted(used_parameters(query, parameters).items())), *self._key)
        found = self.markets.make(key, lambda: _ask(self.cursor(), query, parameters))
        self._shown.add(name, found)


def _ask(asking: AbstractContextManager[WatchedCursor], sql: str, parameters: Mapping[str, Any]) -> pa.Table:
    """Return a question's rows as an Arrow table. Of the parameters, those that it names are bound."""
    with asking as cursor:
        return cursor.execute(sql, used_parameters(sql, parameters)).to_arrow_table()


class Reader:
    """Open the newest generation's snapshot when it is first asked for, once per process."""

    def __init__(self, store: Store, limits: QueryLimits, macros: Sequence[str] = ()) -> None:
        self._store = store
        self._macros = macros
        self._limits = limits
        self._lock = threading.Lock()
        self._seen: tuple[int, ...] = ()
        self._snapshot: Snapshot | None = None
        self._inherited: list[Snapshot] = []
        self._opened = 0

    def snapshot(self) -> Snapshot | None:
        """Return the newest generation, or None if nothing has been loaded yet. Raises StoreError."""
        version = self._store.directory.version()
        if version is None:
            self._store.manifest()  # raises StoreError if the manifest is missing, not the store empty
            return None
        seen = (os.getpid(), *version)
        with self._lock:
            if self._snapshot is None or self._seen != seen:
                if self._snapshot is not None and self._seen[0] != seen[0]:
                    # DuckDB does not survive a fork, so a child opens a snapshot of its own. It never closes its
                    # parent's: that would wait for threads that the child does not have.
                    self._inherited.append(self._snapshot)
                manifest = self._store.manifest()
                if manifest is None:
                    return None
                expect_whole(self._store.root, manifest)
                self._snapshot = Snapshot(self._store.root, manifest, self._next_limits(), self._macros)
                self._seen = seen
            return self._snapshot

    def _next_limits(self) -> QueryLimits:
        """Return the limits of the next snapshot, with a temporary directory that the one before does not use.

        Requests of the generation before may still spill to disk, and both would use the same names of files.
        """
        if not self._limits.temp_directory:
            return self._limits
        directory = f"{self._limits.temp_directory}{'-2' if self._opened % 2 else ''}"
        self._opened += 1
        # DuckDB makes the directory, but not the one above it.
        with suppress(OSError):
            Path(directory).parent.mkdir(parents=True, exist_ok=True)
        return replace(self._limits, temp_directory=directory)
