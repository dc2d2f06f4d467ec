"""Add columns to a Parquet file without reading its rows."""

from pathlib import Path

import pyarrow as pa

from core.runtime.files import delete_file
from core.store.parquet.row_group_copier import RowGroupCopier, read_footer, row_counts
from core.store.parquet.writer import new_writer, write_table
from core.store.schema.tables import Table


def write_with_all_columns(old: Path, new: Path, table: Table, work: Path) -> int:
    """Write a copy of the file `old` that has every column of the table. Return the number of rows.

    Columns that `old` lacks are null in every row. The bytes of the others are copied, so this takes as long as copying
    the file. Temporary files go below `work`.
    """
    footer = read_footer(old)
    if not sum(row_counts(footer)):
        return write_table(new, table, [])
    with RowGroupCopier(new) as copier:
        nulls: dict[int, Path] = {}
        for number, rows in enumerate(row_counts(footer)):
            if rows and rows not in nulls:
                nulls[rows] = _write_nulls(work / f"nulls-{rows}.parquet", table, rows)
            if rows:
                copier.add_widened(old, number, footer, nulls[rows])
        rows = copier.finish()
    for path in nulls.values():
        delete_file(path)
    return rows


def _write_nulls(path: Path, table: Table, rows: int) -> Path:
    """Write a file of one row group in which every value is null. Its schema is that of every new file."""
    block = pa.table([pa.nulls(rows, field.type) for field in table.arrow], schema=table.arrow)
    with new_writer(path, table, block.schema) as writer:
        writer.write_table(block, row_group_size=rows)
    return path
