"""Upgrade the files of a store that an older version of the program has written.

Readers need no upgrade: a column that is newer than the store's format reads as null. Writers do. They put old and new
row groups into one file, which has one schema, and a reader of the stable paths of a layout with several files expects
the same columns in all of them. So every file of a table with a new column is written once more. The bytes of the old
columns are copied, not read.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from core.runtime.progress import Progress
from core.store.generations.manifest import BY_GROUP, FORMAT, StoreError
from core.store.generations.transaction import Transaction
from core.store.parquet.add_columns import write_with_all_columns
from core.store.schema.tables import STORED_TABLES, Table


@dataclass(frozen=True)
class Upgraded:
    """What an upgrade has done: the formats before and after, and the files and rows that were written."""

    before: int
    after: int
    files: int
    rows: int


def upgrade_files(
    transaction: Transaction, progress: Progress | None = None, tables: Iterable[Table] = STORED_TABLES
) -> Upgraded:
    """Write every file that lacks a column once more, in a transaction that the caller commits.

    `progress` gets the rows written so far and the rows in all. `tables` declare the columns that the files
    are to have. Raises StoreError if a file has other rows than the manifest says.
    """
    before = transaction.base.format
    widened = [table for table in tables if any(column.since > before for column in table.columns)]
    # A file of facts that is replaced gives its copy another shard, so the copies come after all files of facts.
    widened.sort(key=lambda table: table.name == BY_GROUP)
    every = [file.rows for table in widened for file in transaction.files(table.name)]
    done = 0
    for table in widened:
        for file in transaction.files(table.name):
            path = transaction.new_file(table.name, file.shard)
            rows = write_with_all_columns(Path(transaction.path(file)), path, table, transaction.work)
            if rows != file.rows:
                raise StoreError(
                    f"{transaction.path(file)}: has {rows:,} rows where the manifest says {file.rows:,}; the store is "
                    "as it was; restore the file from a backup"
                )
            transaction.replace_same_rows(table.name, file, path, rows)
            done += rows
            if progress:
                progress(done, sum(every))
    return Upgraded(before, FORMAT, len(every), done)
