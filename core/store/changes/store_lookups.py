"""Store the answers of lookups. See core/store/schema/lookups.py and decision 66."""

from collections.abc import Callable, Sequence

from core.store.generations.manifest import LookupPart
from core.store.generations.store import Store, Transaction
from core.store.lookup_sql import lookup_query
from core.store.schema.lookups import LOOKUP, ROW_GROUP_ROWS, Lookup
from core.store.sql import parquet_rows, quote
from core.store.views import view_statements
from core.store.writer_connection import connect_for_writing


def store_lookups(store: Store, lookups: Sequence[Lookup], macros: Sequence[str] = ()) -> int:
    """Store the answers that are missing, all in one generation, and return how many they are.

    `macros` are what the queries need. Raises StoreError; the store is then as it was.
    """
    manifest = store.loaded()
    if not _missing(manifest.lookup_parts, lookups):
        return 0
    with store.write() as transaction:
        todo = _missing(transaction.base.lookup_parts, lookups)
        connection = connect_for_writing(transaction.work)
        try:
            for statement in (*macros, *view_statements(transaction.root, transaction.base)):
                connection.execute(statement)
            for lookup, part in todo:
                path = transaction.new_file(LOOKUP, part.shard)
                # The rest of the file's order is that of its rows: the first columns are what is looked for.
                (rows,) = connection.execute(
                    f"""COPY ({_query(transaction, lookup, part)} ORDER BY {", ".join(lookup.order)})
                        TO {quote(str(path))} (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1,
                            ROW_GROUP_SIZE {ROW_GROUP_ROWS}, USE_TMP_FILE false)"""
                ).fetchall()[0]
                transaction.put(LOOKUP, path, rows, part.shard)
        finally:
            connection.close()
        if todo:
            transaction.commit()
        return len(todo)


def _missing(
    parts_of: Callable[[Lookup], list[LookupPart]], lookups: Sequence[Lookup]
) -> list[tuple[Lookup, LookupPart]]:
    return [
        (lookup, part)
        for lookup in lookups
        for part in parts_of(lookup)
        if part.answer is None and any(file.rows for file in part.files)
    ]


def _query(transaction: Transaction, lookup: Lookup, part: LookupPart) -> str:
    paths = [transaction.path(file) for file in part.files]  # which notes that they are read
    return lookup_query(lookup, parquet_rows(paths) if lookup.by_shard else "")
