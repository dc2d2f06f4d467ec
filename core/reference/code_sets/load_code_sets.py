"""Official code sets into the store: remembered, and put before the payers' words."""

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from core.reference.code_sets import code_set_files
from core.reference.code_sets.official_titles import prefer_official_titles
from core.store.changes.upsert import write_query
from core.store.connection import connect_for_writing, stored_rows
from core.store.generations.store import Store
from core.store.schema.tables import DIM_CODE, DIM_CODE_OFFICIAL


@dataclass(frozen=True)
class LoadedCodes:
    """What was loaded, file by file; how many official titles there are now, and how many of the codes that facts use
    have one."""

    sets: tuple[code_set_files.CodeSet, ...]
    titles: int
    codes: int
    titled: int


def load_codes(store: Store, paths: list[Path]) -> LoadedCodes:
    """Loads code sets, told by content. A title that is there already gives way to the file's, in the order given.

    Raises ReferenceFileError, ReferenceFileError and StoreError; the store is then as it was.
    """
    found = tuple(code_set_files.read_code_set(path) for path in paths)
    with store.write() as transaction:
        connection = connect_for_writing(transaction.work)
        try:
            connection.execute(f"CREATE TEMP TABLE official AS FROM {stored_rows(transaction, DIM_CODE_OFFICIAL)}")
            for path, one in zip(paths, found, strict=True):
                connection.register("titles", _frame(one, path.name))
                connection.execute(
                    "DELETE FROM official WHERE (code_type, code) IN (SELECT code_type, code FROM titles)"
                )
                connection.execute("INSERT INTO official BY NAME FROM titles")
            file = transaction.new_file(DIM_CODE_OFFICIAL.name)
            rows = write_query(connection, file, DIM_CODE_OFFICIAL, "FROM official ORDER BY code_type, code")
            transaction.put(DIM_CODE_OFFICIAL.name, file, rows)
            before = stored_rows(transaction, DIM_CODE)
            connection.execute(
                f"CREATE TEMP TABLE codes AS {prefer_official_titles(transaction, f'FROM {before}', 'official')}"
            )
            file = transaction.new_file(DIM_CODE.name)
            codes = write_query(connection, file, DIM_CODE, "FROM codes ORDER BY code_type, code")
            transaction.put(DIM_CODE.name, file, codes)
            with_title = prefer_official_titles(
                transaction, "SELECT code_type, code, NULL AS code_desc, NULL AS name FROM codes", "official"
            )
            count = connection.execute(f"SELECT count(name) FROM ({with_title})").fetchall()[0][0]
        finally:
            connection.close()
        transaction.commit()
    return LoadedCodes(found, rows, codes, count)


def _frame(found: code_set_files.CodeSet, source: str) -> pl.DataFrame:
    rows = [(title.code_type, title.code, title.long, title.short, source) for title in found.titles]
    return pl.DataFrame(rows, schema=dict.fromkeys(DIM_CODE_OFFICIAL.names, pl.String), orient="row")
