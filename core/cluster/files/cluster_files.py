"""Write Parquet files for many engines: with field ids, and in encodings that all of them read fast."""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from core.store.schema.columns import ARROW_TYPES, Table
from core.store.schema.tables import REJECTS, TABLES

_FIELD_ID = b"PARQUET:field_id"


def table_named(name: str) -> Table:
    """Return the declaration of a table of the cluster."""
    return REJECTS if name == REJECTS.name else TABLES[name]


def field_ids(table: Table) -> dict[str, tuple[int, int]]:
    """Return for each column its field id and that of its elements: columns first, then the elements of lists.

    Iceberg counts them in this order. A new column of a table has to come last, as it does with `since`.
    """
    lists = [column.name for column in table.columns if column.type == "texts"]
    after = len(table.columns) + 1
    return {
        column.name: (number, after + lists.index(column.name) if column.name in lists else 0)
        for number, column in enumerate(table.columns, 1)
    }


def cluster_schema(table: Table) -> pa.Schema:
    """Return the Arrow schema of a table's files, with field ids."""
    ids = field_ids(table)
    fields = []
    for column in table.columns:
        number, element = ids[column.name]
        kind = ARROW_TYPES[column.type]
        if element:
            kind = pa.list_(pa.field("element", pa.string(), metadata={_FIELD_ID: str(element).encode()}))
        fields.append(pa.field(column.name, kind, metadata={_FIELD_ID: str(number).encode()}))
    return pa.schema(fields)


def write_cluster_file(path: Path, table: Table, blocks: Iterable[pa.Table]) -> int:
    """Write blocks of a table's rows, one row group each. Return the number of rows."""
    schema = cluster_schema(table)
    rows = 0
    with pq.ParquetWriter(
        path,
        schema,
        compression="zstd",
        compression_level=1,
        store_schema=False,
        # Spark with Iceberg cannot read DELTA_LENGTH_BYTE_ARRAY vectorized, so ids that no two rows share are PLAIN.
        use_dictionary=[name for name in table.names if table.key != (name,)],
        # Iceberg takes a file's partition from its lowest and highest state and month.
        write_statistics=list(table.order),
        write_page_checksum=True,
    ) as writer:
        for block in blocks:
            if block.num_rows:
                writer.write_table(_plain(block).cast(schema), row_group_size=block.num_rows)
                rows += block.num_rows
    return rows


def read_blocks(path: Path, table: Table) -> Iterator[pa.Table]:
    """Yield the row groups of a file of the store."""
    with pq.ParquetFile(path, read_dictionary=table.dictionary_columns) as file:
        for group in range(file.num_row_groups):
            yield file.read_row_group(group)


def content_name(path: Path) -> str:
    """Return the first 20 hex digits of the hash of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:20]


def folder_of(table: str, state: str = "", year_month: str = "") -> str:
    """Return the folder of a table's files, named as Hive names partitions. Only facts are divided."""
    return f"{table}/state={state}/year_month={year_month}" if state else table


def _plain(block: pa.Table) -> pa.Table:
    # Casting from a dictionary to a list's elements or a timestamp is not needed: only texts are dictionaries.
    for number, column in enumerate(block.columns):
        if pa.types.is_dictionary(column.type):
            block = block.set_column(number, block.field(number).name, column.cast(column.type.value_type))
    return block
