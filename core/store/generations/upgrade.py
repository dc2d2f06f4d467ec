"""Upgrade the files of a store that an older version of the program has written.

Readers need no upgrade: a column that is newer than the store's format reads as null. Writers do. They put old and new
row groups into one file, which has one schema, and a reader of the stable paths of a layout with several files expects
the same columns in all of them. So every file of a table with a new column is written again. The bytes of the old
columns are copied, not read. Every other file gets the checksum that an older manifest lacks.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from core.runtime.progress import Progress
from core.store.generations.integrity.damage import Damage, damaged, files_by_table
from core.store.generations.manifest import BY_GROUP, FORMAT
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
    """Rewrite every file that lacks a column, in a transaction that the caller commits.

    `progress` gets the rows written so far and the rows in all. `tables` declare the columns that the files
    are to have. Raises DamagedFileError if a file has other rows than the manifest says.
    """
    before = transaction.base.format
    _expect_rows(transaction)
    widened = [table for table in tables if any(column.since > before for column in table.columns)]
    # A file of facts that is replaced gives its copy another shard, so the copies come after all files of facts.
    widened.sort(key=lambda table: table.name == BY_GROUP)
    every = [file.rows for table in widened for file in transaction.files(table.name)]
    done = 0
    for table in widened:
        for file in transaction.files(table.name):
            path = transaction.new_file(table.name, file.shard)
            rows = write_with_all_columns(Path(transaction.path(file)), path, table, transaction.work)
            transaction.replace_same_rows(table.name, file, path, rows)
            done += rows
            if progress:
                progress(done, sum(every))
    return Upgraded(before, FORMAT, len(every), done)


def _expect_rows(transaction: Transaction) -> None:
    """Raise StoreError if a file is damaged, as far as its footer shows: from now on its checksum vouches for it."""
    for table, file in files_by_table(transaction.base):
        try:
            rows = pq.read_metadata(transaction.path(file)).num_rows
        except (pa.ArrowException, OSError) as error:
            raise damaged(transaction.root, Damage(table, file.path, f"is damaged ({error})")) from None
        if rows != file.rows:
            problem = f"has {rows:,} rows where the manifest says {file.rows:,}"
            raise damaged(transaction.root, Damage(table, file.path, problem))
