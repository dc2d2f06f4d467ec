"""Write the store's Parquet files."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from core.store.parquet.arrow_dictionaries import joined, with_small_dictionaries
from core.store.schema.tables import Table

ROW_GROUP_ROWS = 122_880
"""Rows of a row group: DuckDB's own unit, small enough that queries skip most of a sorted file."""


@dataclass(frozen=True)
class FileSizes:
    """How the files of the facts are cut and merged. The defaults are measured; tests make them small."""

    row_group_rows: int = ROW_GROUP_ROWS
    max_merged_streams: int = 16
    """Files that are merged in one pass. More of them are first merged into fewer: one row group of each is in memory,
    and each is an open file."""
    max_rewritten_rows: int = 2_000_000
    """Rows of a shard that an addition may rewrite. Where it would be more, its own rows are written after them."""
    max_runs: int = 4
    """Sorted runs that a file may consist of: a question about one code reads a row group of each."""


DEFAULT_SIZES = FileSizes()

_ZSTD_LEVEL = 1


def write_table(path: Path, table: Table, blocks: Iterable[pa.Table], group_rows: int | None = None) -> int:
    """Write blocks, whose columns may be dictionary-encoded, as the file `path`. Return the number of rows.

    Blocks are joined and cut into whole row groups of `group_rows` rows each, ROW_GROUP_ROWS unless given.
    """
    group = group_rows or ROW_GROUP_ROWS
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
    """Return a writer of a file of the table. `schema` is that of the blocks; text may be dictionary-encoded."""
    # Ids that no two rows share get no dictionary: looking for one takes a third of the time of writing.
    lone = [name for name in table.key if table.key == (name,) and table.order != table.key]
    return pq.ParquetWriter(
        path,
        schema,
        compression="zstd",
        compression_level=_ZSTD_LEVEL,
        store_schema=False,
        use_dictionary=[name for name in table.names if name not in lone],
        column_encoding=dict.fromkeys(lone, "DELTA_LENGTH_BYTE_ARRAY"),
        # Only the columns a file is sorted by let a reader skip row groups, so only they get lowest and highest values.
        # The second column of a pair (xref_…) takes every value in every row group, and finding its ends takes half
        # as long as everything else.
        write_statistics=list(table.order[:-1] if table.name.startswith("xref_") else table.order),
        # DuckDB and Polars do not check them, pyarrow does where it is told to. They stay with pages that are copied as
        # bytes, so damage that is older than a file is still found in it. They cost no measurable time.
        write_page_checksum=True,
    )
