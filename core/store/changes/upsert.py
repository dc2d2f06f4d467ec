"""Put rows into the keyed tables of the store (all but the facts), by their keys.

As with the facts, row groups that no new key falls into are copied byte for byte. A table that nothing new comes to
stays as it is.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from core.runtime.files import delete_file, replace_file
from core.store.generations.store import Transaction
from core.store.parquet.row_group_bounds import bounds, row_groups_to_rewrite
from core.store.parquet.row_group_copier import RowGroupCopier
from core.store.parquet.sorted_merge import up_to
from core.store.parquet.writer import DEFAULT_SIZES, FileSizes, write_table
from core.store.schema.tables import Table
from core.store.sql import parquet_rows

KeepRule = Literal["old", "new"]


def upsert(
    connection: duckdb.DuckDBPyConnection, transaction: Transaction, table: Table, rows: str, *, keep: KeepRule = "old"
) -> None:
    """Add the rows of the relation `rows` (of `connection`, with the table's columns) to the table.

    If a key exists already, `old` keeps each column's value and fills in nulls, and `new` takes the whole new row. The
    table keeps its order. Nothing happens if no row adds anything.
    """
    columns = ", ".join(f"{column.name}::{column.sql_type} AS {column.name}" for column in table.columns)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE upserted AS SELECT {columns} FROM {rows}")
    count = connection.execute("SELECT count(*) FROM upserted").fetchall()[0][0]
    old = transaction.paths(table.name)
    if count and not (old and keep == "old" and not _adds_anything(connection, table, old)):
        path = transaction.work / f"{table.name}.parquet"
        write_query(
            connection, path, table, f"SELECT * FROM upserted ORDER BY {', '.join(table.order)}", transaction.sizes
        )
        connection.execute("DROP TABLE upserted")  # it may be large
        upsert_sorted(connection, transaction, table, path, keep=keep)


def upsert_sorted(
    connection: duckdb.DuckDBPyConnection, transaction: Transaction, table: Table, rows: Path, *, keep: KeepRule = "old"
) -> None:
    """Add the rows of a file to the table as `upsert` does. They must be sorted and have distinct keys.

    The file is deleted. Nothing happens if it has no row.
    """
    count = pq.read_metadata(rows).num_rows
    if not count:
        delete_file(rows)
        return
    path = transaction.new_file(table.name)
    old = [Path(path) for path in transaction.paths(table.name)]
    if not old:
        replace_file(rows, path)
        transaction.put(table.name, path, count)
        return
    (before,) = old
    low, high = _ends(rows, table)
    rewritten = row_groups_to_rewrite(bounds(before, table.order), low, high, count, transaction.sizes.row_group_rows)
    with RowGroupCopier(path) as copier:
        copier.add(before, 0, rewritten.start)
        if rewritten:
            middle, merged = (rows.with_suffix(f".{name}") for name in ("middle", "merged"))
            with RowGroupCopier(middle) as part:
                part.add(before, rewritten.start, rewritten.stop)
                part.finish()
            place = _find_gap(middle, table, low, high)
            if place is None:
                write_query(connection, merged, table, _merged(table, rows, keep, middle), transaction.sizes)
            else:
                write_table(merged, table, _inserted(middle, place, rows, table), transaction.sizes.row_group_rows)
            copier.add(merged)
        else:
            copier.add(rows)
        copier.add(before, rewritten.stop)
        transaction.put(table.name, path, copier.finish())
    delete_file(rows)


def write_query(
    connection: duckdb.DuckDBPyConnection, path: Path, table: Table, sql: str, sizes: FileSizes = DEFAULT_SIZES
) -> int:
    """Write the answer of `sql`, which has the table's columns, to a file. Return the number of rows."""
    columns = ", ".join(f"{column.name}::{column.sql_type} AS {column.name}" for column in table.columns)
    reader = connection.sql(f"SELECT {columns} FROM ({sql})").to_arrow_reader(sizes.row_group_rows)
    blocks = (pa.Table.from_batches([batch]).cast(table.arrow) for batch in reader)
    return write_table(path, table, blocks, sizes.row_group_rows)


def _merged(table: Table, new: Path, keep: KeepRule, old: Path) -> str:
    """Return SQL of the rows of the file `old` merged with those of `new`."""
    key = ", ".join(table.key)
    others = [name for name in table.names if name not in table.key]
    if keep == "old":
        values = [f"coalesce(o.{name}, n.{name}) AS {name}" for name in others]
    else:
        values = [f"CASE WHEN n.is_new THEN n.{name} ELSE o.{name} END AS {name}" for name in others]
    return f"""SELECT {", ".join([key, *values])}
               FROM {parquet_rows([str(old)])} o
               FULL JOIN (SELECT *, true AS is_new FROM {parquet_rows([str(new)])}) n USING ({key})
               ORDER BY {", ".join(table.order)}"""


def _find_gap(path: Path, table: Table, low: tuple[Any, ...], high: tuple[Any, ...]) -> int | None:
    """Return the number of rows before the keys from `low` to `high`, None if some row has such a key.

    Mostly there is such a place: in a table sorted by month and payer, all rows of a file belong in one.
    """
    if not set(table.key) <= set(table.order):  # equal keys may be in several places
        return None
    keys = pl.DataFrame(pq.read_table(path, columns=list(table.order), use_threads=False))
    below, up_to_high = keys.select(
        up_to(table.order, low, included=False).sum().alias("below"),
        up_to(table.order, high, included=True).sum().alias("up_to_high"),
    ).row(0)
    return int(below) if below == up_to_high else None


def _inserted(path: Path, place: int, new: Path, table: Table) -> Iterator[pa.Table]:
    """Yield the rows of a file, and those of another before the row `place`: nothing is joined or sorted."""
    start = 0
    for block in _blocks(path, table):
        end = start + block.num_rows
        if start <= place < end:
            yield block.slice(0, place - start)
            yield from _blocks(new, table)
            yield block.slice(place - start)
        else:
            yield block
        start = end
    if place >= start:
        yield from _blocks(new, table)


def _blocks(path: Path, table: Table) -> Iterator[pa.Table]:
    with pq.ParquetFile(path, read_dictionary=table.dictionary_columns) as file:
        for group in range(file.num_row_groups):
            yield file.read_row_group(group, use_threads=False)


def _adds_anything(connection: duckdb.DuckDBPyConnection, table: Table, old: list[str]) -> bool:
    """Return whether a row has a new key, or a value where the stored one is null."""
    others = [name for name in table.names if name not in table.key]
    filled = "".join(f" OR (o.{name} IS NULL AND n.{name} IS NOT NULL)" for name in others)
    before = f"(SELECT *, true AS is_old FROM {parquet_rows(old)})"
    sql = f"""SELECT 1 FROM upserted n LEFT JOIN {before} o USING ({", ".join(table.key)})
              WHERE is_old IS NULL{filled} LIMIT 1"""
    return bool(connection.execute(sql).fetchall())


def _ends(path: Path, table: Table) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Return the keys of the first and the last row of a sorted file."""
    with pq.ParquetFile(path) as file:
        first = file.read_row_group(0, columns=list(table.order)).slice(0, 1)
        last = file.read_row_group(file.num_row_groups - 1, columns=list(table.order))
    rows = [*first.to_pylist(), *last.slice(last.num_rows - 1).to_pylist()]
    low, high = (tuple(row[name] for name in table.order) for row in rows)
    return low, high
