"""Load official code sets into the store and prefer their titles to the payers' descriptions."""

from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl

from core.fields.texts.clean_text import clean_name
from core.reference.code_sets.code_set_files import CodeSet, read_code_set
from core.reference.code_sets.official_titles import prefer_official_titles
from core.store.changes.upsert import write_query
from core.store.generations.store import Store, Transaction
from core.store.schema.rate_tables import MAX_FILE_NAME
from core.store.schema.tables import DIM_CODE, DIM_CODE_OFFICIAL
from core.store.sql import stored_rows
from core.store.writer_connection import connect_for_writing


@dataclass(frozen=True)
class LoadedCodes:
    """What was loaded, file by file, and how many codes have an official title now."""

    sets: tuple[CodeSet, ...]
    titles: int
    """Official titles that are loaded, including those of earlier files."""
    codes: int
    """Codes that rates use."""
    titled: int
    """Of `codes`, those that have an official title."""


def load_codes(store: Store, paths: list[Path]) -> LoadedCodes:
    """Load code sets, recognized by content, in the order given: a later title of a code replaces an earlier one.

    Raise ReferenceFileError or StoreError if that fails; the store is then unchanged.
    """
    sets = tuple(read_code_set(path) for path in paths)
    with store.write() as transaction:
        connection = connect_for_writing(transaction.work)
        try:
            titles = _put_official_titles(connection, transaction, list(zip(paths, sets, strict=True)))
            codes = _put_codes(connection, transaction)
            titled = _count_titled(connection, transaction)
        finally:
            connection.close()
        transaction.commit()
    return LoadedCodes(sets=sets, titles=titles, codes=codes, titled=titled)


def _put_official_titles(
    connection: duckdb.DuckDBPyConnection, transaction: Transaction, sets: list[tuple[Path, CodeSet]]
) -> int:
    """Make the temporary table `official` of old and new titles and put it into the store; return its rows."""
    connection.execute(f"CREATE TEMP TABLE official AS FROM {stored_rows(transaction, DIM_CODE_OFFICIAL)}")
    for path, code_set in sets:
        connection.register("new_titles", _title_rows(code_set, clean_name(path.name, MAX_FILE_NAME)))
        connection.execute("DELETE FROM official WHERE (code_type, code) IN (SELECT code_type, code FROM new_titles)")
        connection.execute("INSERT INTO official BY NAME FROM new_titles")
    file = transaction.new_file(DIM_CODE_OFFICIAL.name)
    rows = write_query(connection, file, DIM_CODE_OFFICIAL, "FROM official ORDER BY code_type, code")
    transaction.put(DIM_CODE_OFFICIAL.name, file, rows)
    return rows


def _put_codes(connection: duckdb.DuckDBPyConnection, transaction: Transaction) -> int:
    """Put dim_code with the titles of `official` into the store; return its rows."""
    rows = prefer_official_titles(transaction, f"FROM {stored_rows(transaction, DIM_CODE)}", "official")
    connection.execute(f"CREATE TEMP TABLE codes AS {rows}")
    file = transaction.new_file(DIM_CODE.name)
    count = write_query(connection, file, DIM_CODE, "FROM codes ORDER BY code_type, code")
    transaction.put(DIM_CODE.name, file, count)
    return count


def _count_titled(connection: duckdb.DuckDBPyConnection, transaction: Transaction) -> int:
    without_titles = "SELECT code_type, code, NULL AS code_desc, NULL AS name FROM codes"
    official = prefer_official_titles(transaction, without_titles, "official")
    return int(connection.execute(f"SELECT count(name) FROM ({official})").fetchall()[0][0])


def _title_rows(code_set: CodeSet, source: str) -> pl.DataFrame:
    rows = [
        {
            "code_type": title.code_type,
            "code": title.code,
            "code_desc": title.long,
            "name": title.short,
            "source": source,
        }
        for title in code_set.titles
    ]
    return pl.DataFrame(rows, schema=dict.fromkeys(DIM_CODE_OFFICIAL.names, pl.String))
