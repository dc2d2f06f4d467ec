"""Open connections that can read the store and nothing else."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb

from core.store.query_limits import QueryLimits
from core.store.remote_facts import allow_s3
from core.store.schema import ids


def connect_hardened(
    root: Path, limits: QueryLimits, macros: Sequence[str], on_s3: Sequence[str] = ()
) -> duckdb.DuckDBPyConnection:
    """Return a connection that can read below `root` and nothing else, and whose settings no query can change.

    `on_s3` are folders on S3 that it can read as well.
    """
    config: dict[str, Any] = {
        "memory_limit": limits.memory,
        "threads": limits.threads,
        "temp_directory": limits.temp_directory,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "allow_community_extensions": False,
    }
    connection = duckdb.connect(config=config)
    if on_s3:
        allow_s3(connection, on_s3)  # first: DuckDB takes an address of a scheme that it does not know for a path
    connection.execute("SET allowed_directories = ?", [[str(root), *on_s3]])
    # As an argument of `connect`, DuckDB 1.5 shows this limit and does not keep to it.
    connection.execute("SET max_temp_directory_size = ?", [limits.temp_size])
    for statement in (
        "SET TimeZone = 'UTC'",
        # A page asks many queries of the same files, which never change: read their footers once.
        "SET GLOBAL parquet_metadata_cache = true",
        # The operating system keeps the files' bytes in memory already, where others may need it more. Not those on S3.
        f"SET enable_external_file_cache = {str(bool(on_s3)).lower()}",
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
