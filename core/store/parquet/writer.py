"""How the store's Parquet files are written."""

from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from core.store.parquet.arrow_dictionaries import joined, with_small_dictionaries
from core.store.schema.tables import Table

ROW_GROUP = 122_880
"""Rows of a row group: DuckDB's own unit, small enough that a sorted file is skipped through."""

_LEVEL = 1


def write_table(path: Path, table: Table, blocks: Iterable[pa.Table], group: int | None = None) -> int:
    """Writes blocks, whose columns may be dictionary-encoded, as the one file `path`; gives the number of rows.

    Blocks are put together to whole row groups, of `group` rows each where it is given.
    """
    group = group or ROW_GROUP
    schema = table.arrow
    rows = 0
    writer: pq.ParquetWriter | None = None
    held: list[pa.Table] = []
    held_rows = 0
    try:
        for block in blocks:
            if writer is None:
                writer = new_writer(path, table, block.schema)
            rows += block.num_rows
            held.append(block)
            held_rows += block.num_rows
            if held_rows >= group:
                whole = joined(held)
                cut = held_rows - held_rows % group
                for start in range(0, cut, group):
                    writer.write_table(with_small_dictionaries(whole.slice(start, group)), row_group_size=group)
                held_rows -= cut
                held = [whole.slice(cut)] if held_rows else []
        writer = writer or new_writer(path, table, schema)
        if held_rows or not rows:
            writer.write_table(with_small_dictionaries(joined(held or [schema.empty_table()])))
    finally:
        if writer is not None:
            writer.close()
    return rows


def new_writer(path: Path, table: Table, schema: pa.Schema) -> pq.ParquetWriter:
    """A writer of a file of the table; `schema` is that of the blocks, whose columns may be dictionary-encoded.

    Ids that no two rows share are kept as they are: to look for a dictionary takes a third of the time. Only columns
    that a file is sorted by are given lowest and highest values, as only these let a reader skip a row group; of pairs,
    the second of each pair goes up and down in every row group, and to find its ends takes half as long as all else.
    """
    lone = [name for name in table.key if table.key == (name,) and table.order != table.key]
    return pq.ParquetWriter(
        path,
        schema,
        compression="zstd",
        compression_level=_LEVEL,
        store_schema=False,
        use_dictionary=[name for name in table.names if name not in lone],
        column_encoding=dict.fromkeys(lone, "DELTA_LENGTH_BYTE_ARRAY"),
        write_statistics=list(table.order[:-1] if table.name.startswith("xref_") else table.order),
    )
