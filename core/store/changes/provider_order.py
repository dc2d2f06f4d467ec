"""A copy of the facts that is sorted by provider group, where the rates of one provider stand together.

The facts are sorted by code, so that those of one NPI lie all over a file, and a page about it has to read a column of
all its month. In the copy they are a few row groups. A copy belongs to one file of facts, which never changes; it goes
when that file does. Where a file has none, the file itself is read: no answer depends on it. See decision 33.
"""

from collections.abc import Callable

from core.store.generations.manifest import BY_GROUP, DataFile, Manifest, StoreError
from core.store.generations.store import Store
from core.store.schema.tables import FACT_RATE
from core.store.sql import parquet_rows, quote
from core.store.views import BY_GROUP_COLUMNS
from core.store.writer_connection import connect_for_writing


def without_copy(manifest: Manifest) -> list[DataFile]:
    """The facts' files that have rows and no copy."""
    files = [file for file in manifest.tables.get(FACT_RATE.name, ()) if file.rows]
    copies = manifest.copies(files)
    return [file for file in files if file not in copies]


def copy_by_group(store: Store, progress: Callable[[int, int], None] | None = None) -> list[DataFile]:
    """Makes the copies that are missing, all in one generation; gives the files that were copied.

    `progress` is told rows written and rows in all. Raises StoreError; the store is then as it was.
    """
    store.loaded()
    with store.write() as transaction:
        todo = without_copy(transaction.base)
        rows, done = sum(file.rows for file in todo), 0
        connection = connect_for_writing(transaction.work)
        try:
            for file in todo:
                path = transaction.new_file(BY_GROUP, file.copy_shard)
                (written,) = connection.execute(
                    f"""COPY (SELECT {", ".join(BY_GROUP_COLUMNS)} FROM {parquet_rows([transaction.path(file)])}
                              ORDER BY pg_uid, code, code_type)
                        TO {quote(str(path))}
                        (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, USE_TMP_FILE false)"""
                ).fetchall()[0]
                if written != file.rows:
                    raise StoreError(f"{path}: {written:,} facts came out where {file.rows:,} went in; run dq_check")
                transaction.put(BY_GROUP, path, written, file.copy_shard)
                done += written
                if progress:
                    progress(done, rows)
        finally:
            connection.close()
        if todo:
            transaction.commit()
        return todo
