"""Open DuckDB for the writer's own work."""

from pathlib import Path

import duckdb

from core.store.schema import ids


def connect_for_writing(work: Path, memory: str = "512MB", threads: int = 2) -> duckdb.DuckDBPyConnection:
    """Return a connection for building tables. It spills to a folder below `work` and knows the ids' macros."""
    connection = duckdb.connect(
        config={"memory_limit": memory, "threads": threads, "temp_directory": str(work / "duckdb")}
    )
    # preserve_insertion_order stays on: without it, rows read as Arrow batches come in any order, ORDER BY or not.
    for statement in ids.SQL_MACROS:
        connection.execute(statement)
    return connection
