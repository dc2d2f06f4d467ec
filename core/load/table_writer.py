"""Rows of one file, as relations of a DuckDB connection, on their way into the store's keyed tables."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from core.load.staging.spool_set import SPOOL_NAMES, spooled
from core.store.changes.upsert import KeepRule, upsert
from core.store.generations.store import Transaction
from core.store.schema.tables import Table


@dataclass(frozen=True)
class TableWriter:
    """Writes relations of `connection` into the tables of a transaction."""

    connection: duckdb.DuckDBPyConnection
    transaction: Transaction

    def upsert(self, table: Table, sql: str, keep: KeepRule = "old") -> None:
        """Add the rows that `sql` returns. Of a row that is there already, `keep` says which stays."""
        self.connection.execute(f"CREATE OR REPLACE TEMP VIEW new_rows AS {sql}")
        upsert(self.connection, self.transaction, table, "new_rows", keep=keep)

    def upsert_rows(self, table: Table, rows: Sequence[dict[str, Any]]) -> None:
        """Add a few rows, in place of rows with the same keys."""
        # A column of nothing but null has no type of its own.
        nulls = {name: pl.String for name in rows[0] if all(row[name] is None for row in rows)}
        self.connection.register("few_rows", pl.DataFrame(rows, schema_overrides=nulls, infer_schema_length=None))
        self.upsert(table, "FROM few_rows", keep="new")


def create_spool_views(connection: duckdb.DuckDBPyConnection, spools: Path) -> None:
    """Create a view `spooled_NAME` of each of the file's spools."""
    for name in SPOOL_NAMES:
        connection.execute(f"CREATE OR REPLACE TEMP VIEW spooled_{name} AS FROM {spooled(spools, name)}")
