"""Merge the rows that several batches have of one table, in order of the batches' ids.

The order in which files were loaded or published does not matter, so two runs give the same answers.
"""

from collections.abc import Iterator

import duckdb
import pyarrow as pa

from core.store.schema.columns import Table
from core.store.schema.tables import (
    DIM_BATCH,
    DIM_PAYER_BRIDGE,
    DIM_PROVIDER_GROUP,
    DIM_REPORTING_ENTITY,
    XREF_BATCH_PLAN,
    XREF_BATCH_SOURCE,
    XREF_GROUP_LOCATION,
)
from core.store.sql import no_rows, parquet_rows

_LAST_ROW_STAYS = {
    table.name
    for table in (
        DIM_BATCH, DIM_PAYER_BRIDGE, DIM_PROVIDER_GROUP, DIM_REPORTING_ENTITY, XREF_BATCH_PLAN, XREF_BATCH_SOURCE,
        XREF_GROUP_LOCATION,
    )
}  # fmt: skip
"""Tables where a load puts its rows in place of older ones. In the others a load fills in what is missing."""


def merged_rows(table: Table, paths: list[str]) -> str:
    """Return SQL of a table's rows from the files of many batches. A file's name begins with its batch's id."""
    if not paths:
        return no_rows(table)
    key = ", ".join(table.key)
    others = [name for name in table.names if name not in table.key]
    last = table.name in _LAST_ROW_STAYS
    # Nulls: the last row counts as a whole, so its nulls do too; of the first values only those that are there do.
    choose = "arg_max_null" if last else "arg_min"
    values = ", ".join(f"{choose}({name}, file_batch) AS {name}" for name in others)
    rows = f"""SELECT *, regexp_extract(parse_filename(filename), '^[0-9a-f]+') AS file_batch
               FROM {parquet_rows(paths, "filename = true")}"""
    columns = ", ".join(table.names)
    return f"SELECT {columns} FROM (SELECT {key}{values and ', ' + values} FROM ({rows}) GROUP BY {key})"


def sorted_blocks(connection: duckdb.DuckDBPyConnection, table: Table, sql: str, rows: int) -> Iterator[pa.Table]:
    """Yield the rows of `sql` in the table's order, in blocks of `rows` rows."""
    columns = ", ".join(f"{column.name}::{column.sql_type} AS {column.name}" for column in table.columns)
    ordered = f"SELECT {columns} FROM ({sql}) ORDER BY {', '.join(table.order)}"
    for batch in connection.sql(ordered).to_arrow_reader(rows):
        yield pa.Table.from_batches([batch])
