"""Stores of rows passed one by one, for questions about rates that no file needs to contain."""

from pathlib import Path
from typing import Any

import polars as pl

from core.store.connection import Snapshot
from core.store.generations.store import Store
from core.store.parquet.writer import write_table
from core.store.schema.tables import TABLES
from tests.stores import open_snapshot


def written(root: Path, tables: dict[str, list[dict[str, Any]]]) -> Snapshot:
    """Return a store whose tables have these rows, written as its tables are; columns a row does not name are null."""
    store = Store(root)
    with store.write() as transaction:
        for name, rows in tables.items():
            table = TABLES[name]
            frame = pl.DataFrame(
                {column.name: [row.get(column.name) for row in rows] for column in table.columns}, strict=False
            )
            path = transaction.new_file(name)
            content = frame.to_arrow().cast(table.arrow) if rows else table.arrow.empty_table()
            transaction.put(name, path, write_table(path, table, [content]))
        transaction.commit()
    return open_snapshot(store)


def rows_of(db: Snapshot, table: str) -> list[dict[str, Any]]:
    """Return the rows of a table, each a dictionary."""
    with db.cursor() as cursor:
        moments = {"dim_batch": "EXCLUDE (started_at, finished_at)", "dim_benchmark": "EXCLUDE (loaded_at)"}
        cursor.execute(f"SELECT * {moments.get(table, '')} FROM {table}")
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
