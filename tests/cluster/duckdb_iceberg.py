"""A DuckDB that reads Iceberg tables."""

from importlib.util import find_spec
from pathlib import Path

import duckdb


def connect_duckdb() -> duckdb.DuckDBPyConnection:
    """Return a DuckDB that can read Iceberg tables, with the extensions that Python packages bring."""
    connection = duckdb.connect()
    for name in ("avro", "iceberg"):
        package = find_spec(f"duckdb_extension_{name}")
        if package is None or package.submodule_search_locations is None:
            raise ModuleNotFoundError(f"duckdb_extension_{name}: uv sync --group cluster-dev")
        (path,) = Path(package.submodule_search_locations[0]).rglob("*.duckdb_extension")
        connection.execute(f"LOAD '{path}'")
    return connection
