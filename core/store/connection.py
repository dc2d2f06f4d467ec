"""DuckDB connections: a hardened one for questions, and one for the writer's own work."""

import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import duckdb

from core.runtime.errors import BeaconError
from core.store.generations.layout import layout_named
from core.store.generations.manifest import BY_GROUP, Manifest
from core.store.generations.store import Store, Transaction
from core.store.schema import ids
from core.store.schema.tables import FACT_RATE, TABLES, Column, Table

T = TypeVar("T")


class QueryTimeout(BeaconError):
    """A question took longer than its time limit and was stopped."""


@dataclass(frozen=True)
class QueryLimits:
    """What questions may use: DuckDB sizes such as 1GB, threads, and seconds for one question."""

    memory: str = "1GB"
    threads: int = 2
    temp_directory: str = ""
    temp_size: str = "4GB"
    seconds: float = 5.0


def connect_for_writing(work: Path, memory: str = "512MB", threads: int = 2) -> duckdb.DuckDBPyConnection:
    """A connection for building tables, which spills to `work`; it knows the ids' macros."""
    connection = duckdb.connect(
        config={"memory_limit": memory, "threads": threads, "temp_directory": str(work / "duckdb")}
    )
    # preserve_insertion_order stays on: without it, rows read as Arrow batches come in any order, ORDER BY or not.
    for statement in ids.SQL_MACROS:
        connection.execute(statement)
    return connection


class Snapshot:
    """One generation of the store, to be asked questions in SQL.

    Every table is a view of its own name, and so is BY_GROUP, of all facts; the ids' macros are there. The connection
    reads below the data directory only and its configuration is locked. It is safe to use from several threads.

    `market_snapshot` keeps one market's rates in memory, as few counted rows, for the many queries of a page.
    """

    market_values: Mapping[str, Any] | None = None
    """The parameters that selected the facts of `counted_rate`; None where there is no such table."""

    def __init__(self, root: Path, manifest: Manifest, limits: QueryLimits, macros: Sequence[str] = ()) -> None:
        self.root = root
        self.manifest = manifest
        self._limits = limits
        self._connection = _hardened(root, limits, macros)
        self._answers: dict[Any, Any] = {}
        self._markets = _MarketCache()
        for table in TABLES.values():
            self._connection.execute(_view(table, root, manifest))
        self._connection.execute(_by_group(root, manifest))

    @contextmanager
    def cursor(self, seconds: float | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor whose questions are stopped after `seconds` in all (the limits' where not given).

        Raises QueryTimeout, and BeaconError for a question that needs more memory than it may use.
        """
        limit = self._limits.seconds if seconds is None else seconds
        cursor = self._connection.cursor()
        try:
            with self._limited(cursor, limit):
                yield cursor
        finally:
            cursor.close()

    @contextmanager
    def market_snapshot(
        self, where: str, parameters: dict[str, Any], facts: str = FACT_RATE.name
    ) -> Iterator["Snapshot"]:
        """Yield this generation with a table `counted_rate` of the `facts` (AS f) that meet `where`, in memory.

        The table has the fact's columns except those that identify the provider. Facts that are equal in these
        columns are one row, and `rate_count` says how many they are. Recent selections are kept for the next caller.
        The snapshot is for one thread. Raises the same errors as `cursor`.
        """
        key = (where, *sorted(parameters.items()))
        connection = self._markets.take(key)
        if connection is None:
            connection = self._connection.cursor()
            try:
                with self._limited(connection, self._limits.seconds):
                    connection.execute(
                        f"""CREATE TEMP TABLE counted_rate AS
                            SELECT {_COUNTED_RATE}, count(*) AS rate_count FROM {facts} f WHERE {where} GROUP BY ALL""",
                        parameters,
                    )
            except BaseException:
                connection.close()
                raise
        market = _MarketSnapshot(self, connection, parameters)
        try:
            yield market
        except BaseException:
            connection.close()
            raise
        self._markets.give_back(key, connection)

    @contextmanager
    def _limited(self, connection: duckdb.DuckDBPyConnection, seconds: float) -> Iterator[None]:
        timer = threading.Timer(seconds, connection.interrupt)
        timer.daemon = True
        timer.start()
        try:
            yield
        except duckdb.InterruptException:
            raise QueryTimeout(f"the question took longer than {seconds:g} seconds and was stopped") from None
        except duckdb.OutOfMemoryException:
            raise BeaconError(f"the question needs more than the {self._limits.memory} of memory it may use") from None
        finally:
            timer.cancel()

    def once(self, question: Callable[["Snapshot"], T]) -> T:
        """The answer to a question that every page asks, and that has one answer in a generation."""
        if question not in self._answers:
            self._answers[question] = question(self)
        answer: T = self._answers[question]
        return answer

    def rows(self, sql: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of an answer."""
        with self.cursor() as cursor:
            return cursor.execute(sql, parameters).fetchall()


class _MarketSnapshot(Snapshot):
    """A snapshot with `counted_rate`, a temporary table of one connection."""

    def __init__(
        self, whole: Snapshot, connection: duckdb.DuckDBPyConnection, market_values: Mapping[str, Any]
    ) -> None:
        self.market_values = market_values
        self.root = whole.root
        self.manifest = whole.manifest
        self._limits = whole._limits
        self._connection = connection
        self._answers = whole._answers

    @contextmanager
    def cursor(self, seconds: float | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
        """The connection itself: another one would not see its temporary table."""
        with self._limited(self._connection, self._limits.seconds if seconds is None else seconds):
            yield self._connection


class _MarketCache:
    """Connections with selections of facts, kept for a while: the few asked for last, up to so many rows in all."""

    MAX_MARKETS, MAX_ROWS = 24, 500_000

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: list[tuple[Any, int, duckdb.DuckDBPyConnection]] = []

    def take(self, key: Any) -> duckdb.DuckDBPyConnection | None:
        """A connection with that selection, the caller's alone until it is given back."""
        with self._lock:
            for place, (kept, _, connection) in enumerate(self._kept):
                if kept == key:
                    del self._kept[place]
                    return connection
        return None

    def give_back(self, key: Any, connection: duckdb.DuckDBPyConnection) -> None:
        """Keeps a connection, and closes those that are too many."""
        rows = connection.execute("SELECT count(*) FROM counted_rate").fetchall()[0][0]
        with self._lock:
            self._kept.append((key, rows, connection))
            while len(self._kept) > self.MAX_MARKETS or sum(rows for _, rows, _ in self._kept) > self.MAX_ROWS:
                self._kept.pop(0)[2].close()


_COUNTED_RATE_COLUMNS = tuple(column.name for column in FACT_RATE.columns if column.compared)
"""The fact's columns by which rates are counted, grouped and compared. The others identify the provider."""

_COUNTED_RATE = ", ".join(_COUNTED_RATE_COLUMNS)

BY_GROUP_COLUMNS = ("pg_uid", *_COUNTED_RATE_COLUMNS)
"""The columns of a copy of the facts that is sorted by provider group."""


def quoted(text: str) -> str:
    """A text as SQL says it, where no parameter may stand."""
    return "'" + text.replace("'", "''") + "'"


def parquet_list(paths: Sequence[str], options: str = "") -> str:
    """SQL that reads the given files or globs. (A view's definition takes no parameters.)"""
    files = ", ".join(map(quoted, paths))
    return f"read_parquet([{files}]{options and ', ' + options})"


def stored_rows(tables: Transaction | Store, table: Table) -> str:
    """Return SQL of a table's rows before the transaction: no rows, but its columns, if the store does not have it."""
    paths = tables.paths(table.name)
    if paths:
        return parquet_list(paths)
    columns = ", ".join(f"NULL::{column.sql_type} AS {column.name}" for column in table.columns)
    return f"(SELECT {columns} LIMIT 0)"


def _by_group(root: Path, manifest: Manifest) -> str:
    """All facts once: from its copy where a file has one, otherwise from the file."""
    files = manifest.tables.get(FACT_RATE.name, ())
    copies = manifest.copies(files)
    # Copies first: it is the first file's columns that the others are read by.
    paths = [str(root / file.path) for file in (*copies.values(), *(file for file in files if file not in copies))]
    if not paths:
        return f"CREATE VIEW {BY_GROUP} AS SELECT {', '.join(BY_GROUP_COLUMNS)} FROM {FACT_RATE.name}"
    names = _selected([column for column in FACT_RATE.columns if column.name in BY_GROUP_COLUMNS], manifest.format)
    return f"CREATE VIEW {BY_GROUP} AS SELECT {names} FROM {parquet_list(paths, _hive(root, manifest))}"


def _hive(root: Path, manifest: Manifest) -> str:
    """How the facts' files are read: a question about a state and month opens only those that have it in their path."""
    by = layout_named(manifest.layout).by
    if not by or "=" in str(root):
        return ""
    types = "{" + ", ".join(f"{name}: VARCHAR" for name in by) + "}"
    return f"hive_partitioning = true, hive_types = {types}"


def _view(table: Table, root: Path, manifest: Manifest) -> str:
    paths = manifest.paths(root, table.name)
    if not paths:
        columns = ", ".join(f"NULL::{column.sql_type} AS {column.name}" for column in table.columns)
        return f"CREATE VIEW {table.name} AS SELECT {columns} WHERE false"
    options = _hive(root, manifest) if table is FACT_RATE else ""
    names = _selected(table.columns, manifest.format)
    return f"CREATE VIEW {table.name} AS SELECT {names} FROM {parquet_list(paths, options)}"


def _selected(columns: Sequence[Column], store_format: int) -> str:
    """Select columns of files of a format. Those that a newer format has brought are null."""
    return ", ".join(
        column.name if column.since <= store_format else f"NULL::{column.sql_type} AS {column.name}"
        for column in columns
    )


def _hardened(root: Path, limits: QueryLimits, macros: Sequence[str]) -> duckdb.DuckDBPyConnection:
    config: dict[str, Any] = {
        "memory_limit": limits.memory,
        "threads": limits.threads,
        "temp_directory": limits.temp_directory,
        "max_temp_directory_size": limits.temp_size,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "allow_community_extensions": False,
    }
    connection = duckdb.connect(config=config)
    connection.execute("SET allowed_directories = ?", [[str(root)]])
    for statement in (
        "SET TimeZone = 'UTC'",
        # A page asks many questions of the same files, which never change: their footers are read once.
        "SET GLOBAL parquet_metadata_cache = true",
        *ids.SQL_MACROS,
        *macros,
        "SET enable_external_access = false",
        "SET lock_configuration = true",
    ):
        connection.execute(statement)
    return connection


class Reader:
    """Gives the newest generation's snapshot, opened when first asked for, in each process for itself."""

    def __init__(self, store: Store, limits: QueryLimits, macros: Sequence[str] = ()) -> None:
        self._store = store
        self._macros = macros
        self._limits = limits
        self._lock = threading.Lock()
        self._seen: tuple[int, ...] = ()
        self._snapshot: Snapshot | None = None
        self._inherited: list[Snapshot] = []

    def snapshot(self) -> Snapshot | None:
        """The newest generation, or None where nothing has been loaded yet. Raises StoreError."""
        version = self._store.place.version()
        if version is None:
            return None
        seen = (os.getpid(), *version)
        with self._lock:
            if self._snapshot is None or self._seen != seen:
                if self._snapshot is not None and self._seen[0] != seen[0]:
                    # DuckDB does not survive a fork. A child opens its own, and never closes its parent's: that
                    # would wait for threads that the child does not have.
                    self._inherited.append(self._snapshot)
                manifest = self._store.manifest()
                if manifest is None:
                    return None
                self._snapshot = Snapshot(self._store.root, manifest, self._limits, self._macros)
                self._seen = seen
            return self._snapshot
