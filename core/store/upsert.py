"""Puts rows into the keyed tables of the store (all but the facts), by their keys.

As with the facts, row groups that no new key falls into are copied byte for byte, and a table to which nothing is new
stays as it is.
"""

from pathlib import Path
from typing import Any, Literal

import duckdb
import pyarrow as pa

from core.store.bounds import HIGHEST, bounds, touched
from core.store.connection import parquet_list
from core.store.parquet import ROW_GROUP, write_table
from core.store.schema import Table
from core.store.stitch import Stitcher
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
    whole. The table keeps its order; nothing happens where no row tells anything new.
    """
    columns = ", ".join(f"{column.name}::{column.sql_type} AS {column.name}" for column in table.columns)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE upserted AS SELECT {columns} FROM {rows}")
    count = connection.execute("SELECT count(*) FROM upserted").fetchall()[0][0]
    old = [Path(path) for path in transaction.paths(table.name)]
    if not count or (old and keep == "old" and not _tells_anything(connection, table, old)):
        return
    path = transaction.new_file(table.name)
    if not old:
        transaction.put(table.name, path, write_query(connection, path, table, _merged(table, "upserted", keep, None)))
        return
    (before,) = old
    with Stitcher(path) as stitcher:
        groups = bounds(before, table.order)
        low, high = _range(connection, table)
        anew = touched(groups, low, high, count)
        work = transaction.work / "upserted"
        work.mkdir(exist_ok=True)
        stitcher.add(before, 0, anew.start)
        middle, merged = work / "old.parquet", work / "merged.parquet"
        with Stitcher(middle) as part:
            part.add(before, anew.start, anew.stop)
            part.finish()
        write_query(connection, merged, table, _merged(table, "upserted", keep, middle))
        stitcher.add(merged)
        stitcher.add(before, anew.stop)
        transaction.put(table.name, path, stitcher.finish())


def write_query(connection: duckdb.DuckDBPyConnection, path: Path, table: Table, sql: str) -> int:
    """Writes the answer of `sql`, which has the table's columns, to a file; gives the number of rows."""
    columns = ", ".join(f"{column.name}::{column.sql_type} AS {column.name}" for column in table.columns)
    reader = connection.sql(f"SELECT {columns} FROM ({sql})").to_arrow_reader(ROW_GROUP)
    blocks = (pa.Table.from_batches([batch]).cast(table.arrow) for batch in reader)
    return write_table(path, table, blocks)


def _merged(table: Table, rows: str, keep: str, old: Path | None) -> str:
    """SQL for the old rows, if there are any, with the new ones among them."""
    key = ", ".join(table.key)
    order = ", ".join(table.order)
    if old is None:
        return f"SELECT * FROM {rows} ORDER BY {order}"
    others = [name for name in table.names if name not in table.key]
    if keep == "old":
        values = [f"coalesce(o.{name}, n.{name}) AS {name}" for name in others]
    else:
        values = [f"CASE WHEN n.is_new THEN n.{name} ELSE o.{name} END AS {name}" for name in others]
    return f"""SELECT {", ".join([key, *values])}
               FROM {parquet_list([str(old)])} o FULL JOIN (SELECT *, true AS is_new FROM {rows}) n USING ({key})
               ORDER BY {order}"""


def _tells_anything(connection: duckdb.DuckDBPyConnection, table: Table, old: list[Path]) -> bool:
    """Whether a row has a new key, or a value for what was null."""
    others = [name for name in table.names if name not in table.key]
    filled = "".join(f" OR (o.{name} IS NULL AND n.{name} IS NOT NULL)" for name in others)
    before = f"(SELECT *, true AS is_old FROM {parquet_list(list(map(str, old)))})"
    sql = f"""SELECT 1 FROM upserted n LEFT JOIN {before} o USING ({", ".join(table.key)})
              WHERE is_old IS NULL{filled} LIMIT 1"""
    return bool(connection.execute(sql).fetchall())


def _range(connection: duckdb.DuckDBPyConnection, table: Table) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Keys that no new row is below, and none above."""
    least = ", ".join(f"min({name}), max({name})" for name in table.order)
    values = connection.execute(f"SELECT {least} FROM upserted").fetchall()[0]
    low: list[Any] = []
    high: list[Any] = []
    for lowest, highest in zip(values[::2], values[1::2], strict=True):
        low.append(lowest)
        high.append(highest)
        if lowest != highest:
            break
    return tuple(low), (*high, HIGHEST)
