"""Puts rows into the keyed tables of the store (all but the facts), by their keys."""

from pathlib import Path
from typing import Literal

import duckdb
import pyarrow as pa

from core.store.connection import parquet_list
from core.store.parquet import ROW_GROUP, write_table
from core.store.schema import Table
from core.store.store import Transaction


def upsert(
    connection: duckdb.DuckDBPyConnection,
    transaction: Transaction,
    table: Table,
    rows: str,
    *,
    keep: Literal["old", "new"] = "old",
) -> None:
    """Adds the rows of the relation `rows` (of `connection`, with the table's columns) to the table.

    Where a key is there already, `old` keeps each column's value and fills in what was null, `new` takes the new row
    whole. The table is rewritten in its order; nothing happens where there is no new row.
    """
    if not connection.execute(f"SELECT 1 FROM {rows} LIMIT 1").fetchall():
        return
    key = ", ".join(table.key)
    others = [column.name for column in table.columns if column.name not in table.key]
    if keep == "old":
        values = [f"coalesce(o.{name}, n.{name}) AS {name}" for name in others]
    else:
        values = [f"CASE WHEN n.is_new THEN n.{name} ELSE o.{name} END AS {name}" for name in others]
    old = transaction.paths(table.name)
    before = parquet_list(old) if old else f"(SELECT * FROM {rows} WHERE false)"
    order = ", ".join(table.order)
    path = transaction.new_file(table.name)
    merged = f"""SELECT {", ".join([key, *values])}
                 FROM {before} o FULL JOIN (SELECT *, true AS is_new FROM {rows}) n USING ({key})
                 ORDER BY {order}"""
    transaction.put(table.name, path, write_query(connection, path, table, merged))


def write_query(connection: duckdb.DuckDBPyConnection, path: Path, table: Table, sql: str) -> int:
    """Writes the answer of `sql`, which has the table's columns, to a file; gives the number of rows."""
    columns = ", ".join(f"{column.name}::{column.sql_type} AS {column.name}" for column in table.columns)
    reader = connection.sql(f"SELECT {columns} FROM ({sql})").to_arrow_reader(ROW_GROUP)
    blocks = (pa.Table.from_batches([batch]).cast(table.arrow) for batch in reader)
    return write_table(path, table, blocks)
