"""Copy the facts sorted by provider group, so that the rates of one provider are next to each other.

The facts are sorted by code, so the rates of one NPI are spread over the whole file, and its page has to read a column
of the whole month. In the copy they are in a few row groups. A copy belongs to one file of facts, which never changes,
and goes when that file goes. Without a copy the file itself is read: no answer depends on copies. See decision 33.
"""

from collections.abc import Callable

from core.store.generations.manifest import BY_GROUP, DataFile, Manifest, StoreError
from core.store.generations.store import Store
from core.store.schema.tables import FACT_RATE, RATE_BY_GROUP
from core.store.sql import parquet_rows, quote
from core.store.writer_connection import connect_for_writing


def without_copy(manifest: Manifest) -> list[DataFile]:
    """Return the facts' files that have rows but no copy."""
    files = [file for file in manifest.tables.get(FACT_RATE.name, ()) if file.rows]
    copies = manifest.copies(files)
    return [file for file in files if file not in copies]


def copy_by_group(store: Store, progress: Callable[[int, int], None] | None = None) -> list[DataFile]:
    """Make the missing copies, all in one generation. Return the files that were copied.

    `progress` gets the rows written so far and the rows in all. Raises StoreError; the store is then as it was.
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
                    f"""COPY (SELECT {", ".join(RATE_BY_GROUP.names)} FROM {parquet_rows([transaction.path(file)])}
                              ORDER BY {", ".join(RATE_BY_GROUP.order)})
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
