"""Query the store with SQL, one generation at a time, through a hardened DuckDB connection."""

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import duckdb

from core.runtime.errors import BeaconError
from core.store.generations.integrity.damage import expect_whole, explain_damage
from core.store.generations.manifest import Manifest
from core.store.generations.store import Store
from core.store.market_cache import MarketCache
from core.store.schema import ids
from core.store.schema.tables import FACT_RATE
from core.store.views import COUNTED_RATE_COLUMNS, payee_sql, view_statements, with_group_areas
from core.store.watched_cursor import WatchedCursor

T = TypeVar("T")

_DEADLINE: ContextVar[float] = ContextVar("deadline")
"""When all queries of what is being answered must have ended, by the monotonic clock."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Limit the time of all queries that are made within, whatever time each may take by itself."""
    token = _DEADLINE.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _DEADLINE.reset(token)


class QueryTimeout(BeaconError):
    """A query took longer than its time limit and was stopped."""

    setting = "BEACONPOINT_QUERY_SECONDS"


class QueryTooLarge(BeaconError):
    """A query needs more memory, or more space on disk for what does not fit, than it may use."""

    def __init__(self, message: str, setting: str) -> None:
        super().__init__(message)
        self.setting = setting


@dataclass(frozen=True)
class QueryLimits:
    """What queries may use: memory and disk as DuckDB writes sizes, such as 1GB; threads; and seconds for one query.

    A visitor's query that takes `log_after` seconds is logged; None logs none.
    """

    seconds: float
    memory: str = "1GB"
    memory_setting: str = "BEACONPOINT_QUERY_MEMORY"
    """What an operator raises for more of it."""
    threads: int = 2
    temp_directory: str = ""
    temp_size: str = "4GB"
    log_after: float | None = None


class Snapshot:
    """One generation of the store, to be queried with SQL.

    There is a view of each table's name, and BY_GROUP, a view of all facts; the ids' macros are defined. The connection
    reads only below the data directory, and its configuration is locked. Several threads may use one snapshot.

    `market_snapshot` keeps one market's rates in memory, as few counted rows, for the many queries of a page.
    """

    market_values: Mapping[str, Any] | None = None
    """The parameters that selected the facts of `counted_rate`; None where there is no such table."""

    counts_areas = False
    """Whether `counted_rate` has the column `group_area`."""

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
        self._connection = _connect_hardened(root, limits, macros)
        self._answers: dict[Any, Any] = {}
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
        self, where: str, parameters: dict[str, Any], facts: str = FACT_RATE.name, *, areas: bool = False
    ) -> Iterator["Snapshot"]:
        """Yield this generation with a table `counted_rate` of the `facts` (AS f) that meet `where`, in memory.

        The table has the fact's columns except those that identify the provider, `payee` (see payee_sql) and, if
        `areas` are asked for, the column `group_area`, see with_group_areas. Facts that are equal in these columns are
        one row, and `rate_count` says how many they are. Recent selections are kept for the next caller.
        The snapshot is for one thread. Raises the same errors as `cursor`.
        """
        key = (where, areas, *sorted(parameters.items()))
        connection = self.markets.take(key) or self._count_rates(where, parameters, facts, areas=areas)
        try:
            yield _MarketSnapshot(self, connection, parameters, counts_areas=areas)
        except BaseException:
            # A query that failed or was stopped may have left the connection in any state.
            connection.close()
            raise
        self.markets.put_back(key, connection)

    def _count_rates(
        self, where: str, parameters: dict[str, Any], facts: str, *, areas: bool
    ) -> duckdb.DuckDBPyConnection:
        """Return a connection with the table `counted_rate`."""
        columns = ", ".join((*COUNTED_RATE_COLUMNS, "payee", *(["group_area"] if areas else [])))
        rates = f"SELECT f.*, {payee_sql(self.manifest)} AS payee FROM {facts} f WHERE {where}"
        if areas:
            rates = with_group_areas(rates, by_month="year_month" in parameters)
        connection = self._connection.cursor()
        try:
            with self._limited(connection, self._limits.seconds) as watched:
                watched.execute(
                    f"""CREATE TEMP TABLE counted_rate AS
                        SELECT {columns}, count(*) AS rate_count FROM ({rates}) GROUP BY ALL""",
                    parameters,
                )
        except BaseException:
            connection.close()
            raise
        return connection

    @contextmanager
    def _limited(self, connection: duckdb.DuckDBPyConnection, seconds: float) -> Iterator[WatchedCursor]:
        deadline = _DEADLINE.get(None)
        if deadline is not None and time.monotonic() + seconds > deadline:
            seconds = deadline - time.monotonic()
            if seconds <= 0:
                raise QueryTimeout("the question took too long and was stopped")
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

    def has_table(self, name: str) -> bool:
        """Return whether `keep_table` has kept a table of that name."""
        raise NotImplementedError(f"{name}: only the snapshot of a market keeps tables")

    def keep_table(self, name: str, query: str, parameters: dict[str, Any]) -> None:
        """Keep a query's answer as a temporary table, unless there is one of that name."""
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
    """A snapshot with `counted_rate`, a temporary table of one connection."""

    def __init__(
        self,
        whole: Snapshot,
        connection: duckdb.DuckDBPyConnection,
        market_values: Mapping[str, Any],
        *,
        counts_areas: bool,
    ) -> None:
        self.market_values = market_values
        self.counts_areas = counts_areas
        self.root = whole.root
        self.manifest = whole.manifest
        self.markets = whole.markets
        self._limits = whole._limits
        self._connection = connection
        self._answers = whole._answers

    @contextmanager
    def cursor(self, seconds: float | None = None) -> Iterator[WatchedCursor]:
        """Yield the connection itself: another cursor would not see its temporary table."""
        with self._limited(self._connection, self._limits.seconds if seconds is None else seconds) as watched:
            yield watched

    def has_table(self, name: str) -> bool:
        """Return whether the market has a temporary table of that name."""
        return bool(self.rows("SELECT 1 FROM duckdb_tables() WHERE table_name = ?", [name]))

    def keep_table(self, name: str, query: str, parameters: dict[str, Any]) -> None:
        """Keep a query's answer as a temporary table for as long as the market, unless there is one of that name."""
        if not self.has_table(name):
            with self.cursor() as cursor:
                cursor.execute(f"CREATE TEMP TABLE {name} AS {query}", parameters)


def _connect_hardened(root: Path, limits: QueryLimits, macros: Sequence[str]) -> duckdb.DuckDBPyConnection:
    """Return a connection that can read below `root` and nothing else, and whose settings no query can change."""
    config: dict[str, Any] = {
        "memory_limit": limits.memory,
        "threads": limits.threads,
        "temp_directory": limits.temp_directory,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "allow_community_extensions": False,
    }
    connection = duckdb.connect(config=config)
    connection.execute("SET allowed_directories = ?", [[str(root)]])
    # As an argument of `connect`, DuckDB 1.5 shows this limit and does not keep to it.
    connection.execute("SET max_temp_directory_size = ?", [limits.temp_size])
    for statement in (
        "SET TimeZone = 'UTC'",
        # A page asks many queries of the same files, which never change: read their footers once.
        "SET GLOBAL parquet_metadata_cache = true",
        # The operating system keeps the files' bytes in memory already, where others may need it more.
        "SET enable_external_file_cache = false",
        # Without a thread that gives it back, DuckDB's allocator keeps what a large question needed until the next one.
        "SET allocator_background_threads = true",
        "SET allocator_flush_threshold = '16MB'",
        *ids.SQL_MACROS,
        *macros,
        "SET enable_external_access = false",
        "SET lock_configuration = true",
    ):
        connection.execute(statement)
    return connection


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
