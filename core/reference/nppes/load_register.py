"""Load the NPPES register into the store: names for the NPIs that rates mention, or the whole register."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from core.reference.nppes.further_rows import FURTHER_TABLES, FurtherTable, put_further_rows
from core.reference.nppes.latest_rows import LatestRows
from core.reference.nppes.nppes_csv import REGISTER, NppesFile, RegisterCounts, find_nppes_files
from core.reference.nppes.provider_names import renamed_npi_rows
from core.reference.nppes.register_file import read_register
from core.reference.nppes.taxonomy import is_taxonomy, read_taxonomies
from core.reference.organizations.roll_up import put_organizations
from core.reference.places.group_areas import put_all_group_areas
from core.reference.profiles.group_specialties import put_all_group_specialties
from core.reference.profiles.provider_profiles import ProfileCounts, count_profiles, put_all_profiles
from core.runtime.errors import ReferenceFileError
from core.runtime.progress import Progress
from core.store.changes.upsert import write_query
from core.store.generations.store import Store, Transaction
from core.store.parquet.writer import write_table
from core.store.schema.tables import DIM_NPI, DIM_TAXONOMY, NPPES, Table
from core.store.sql import parquet_rows, stored_rows
from core.store.writer_connection import connect_for_writing

ReadProgress = Callable[[str], AbstractContextManager[Progress]]
"""A function that takes a file's name and returns a context in which the progress of reading it is shown."""


@dataclass(frozen=True)
class LoadedRegister:
    """What was loaded, and what the store now knows of the NPIs in use: those that groups of its rates contain."""

    counts: RegisterCounts
    repeated: int
    """Of the rows that `counts` says were kept, those that a later row of the same NPI replaced."""
    taxonomies: int
    """Taxonomy codes that have a description."""
    register: int
    """NPIs of the register that the store keeps; 0 if it keeps only those in use."""
    in_use: int
    """NPIs in use."""
    named: int
    """Of the NPIs in use, those that have a name."""
    deactivated: int
    """Of the NPIs in use, those that are deactivated."""
    profiles: ProfileCounts
    """What is known of where the NPIs in use practice, and of their specialties."""
    outdated: int = 0
    """NPIs of the files of which the store has a newer row."""
    further: dict[str, RegisterCounts] = field(default_factory=dict)
    """What became of the rows of the files of other names and of practice locations, by kind."""


@dataclass(frozen=True)
class _NewestRegister:
    """The newest row of each NPI: SQL of the rows, how many rows newer ones replaced, and NPIs that the store keeps."""

    rows: str
    repeated: int
    stored_npis: int
    outdated: int = 0


def load_nppes(
    store: Store,
    paths: list[Path],
    *,
    everything: bool = False,
    reading: ReadProgress = lambda _name: nullcontext(_ignore_progress),
) -> LoadedRegister:
    """Load NPPES files (csv or zip), in any order, and NUCC's taxonomy, recognized by content.

    Of an NPI's rows, in these files and in the store, the newest by NPPES's Last Update Date stays, of rows of one day
    the last. Files of other names and of practice locations, alone or in the same zip file, are loaded as well.
    Name the NPIs in use. With `everything`, or if the store has the whole register already, keep the whole register, so
    that the NPIs of later ingests have names at once. Raise ReferenceFileError or StoreError if that fails; the store
    is then unchanged.
    """
    files, taxonomies = _sort_paths(paths)
    registers = [file for file in files if file.kind == REGISTER]
    counts = RegisterCounts()
    further: dict[str, RegisterCounts] = {}
    with store.write() as transaction:
        connection = connect_for_writing(transaction.work, "256MB")
        try:
            in_use = _npis_in_use(connection, transaction)
            stored_npis = transaction.base.rows(NPPES.name)
            whole = everything or bool(stored_npis)
            if files and not whole and not len(in_use):
                raise ReferenceFileError(
                    "there is no NPI to name yet: load payers' files first (ingest_mrf), or keep the whole register "
                    "with --all"
                )
            taxonomy_count = _put_taxonomies(connection, transaction, taxonomies)
            newest = _NewestRegister(stored_rows(transaction, NPPES), repeated=0, stored_npis=stored_npis)
            wanted = None if whole else in_use
            if registers:
                newest = _put_register(transaction, registers, wanted, counts, reading)
            for table in FURTHER_TABLES:
                of_kind = [file for file in files if file.kind == table.kind]
                if of_kind:
                    further[table.kind] = _put_further(connection, transaction, table, of_kind, wanted, reading)
            named, deactivated = _put_named_npis(connection, transaction, newest.rows)
            put_all_group_areas(connection, transaction)
            put_all_profiles(connection, transaction)
            put_organizations(connection, transaction)
            profiles = count_profiles(connection, transaction)
            put_all_group_specialties(connection, transaction)
        finally:
            connection.close()
        transaction.commit()
    return LoadedRegister(
        counts=counts,
        repeated=newest.repeated,
        taxonomies=taxonomy_count,
        register=newest.stored_npis,
        in_use=len(in_use),
        named=named,
        deactivated=deactivated,
        profiles=profiles,
        outdated=newest.outdated,
        further=further,
    )


def _ignore_progress(_done: int, _total: int) -> None:
    """Show nothing."""


def _sort_paths(paths: list[Path]) -> tuple[list[NppesFile], list[Path]]:
    """Return NPPES's files and the paths of NUCC's. Raise ReferenceFileError if a path is neither."""
    files: list[NppesFile] = []
    taxonomies = []
    for path in paths:
        found = find_nppes_files(path)
        if found:
            files.extend(found)
        elif is_taxonomy(path):
            taxonomies.append(path)
        else:
            raise ReferenceFileError(
                f"{path.name}: neither an NPPES file (npidata_pfile_….csv, othername_pfile_….csv, pl_pfile_….csv, or "
                "the zip file they come in) nor NUCC's taxonomy (nucc_taxonomy_….csv)"
            )
    return files, taxonomies


def _npis_in_use(connection: duckdb.DuckDBPyConnection, transaction: Transaction) -> npt.NDArray[np.int64]:
    """Return the NPIs of dim_npi, sorted."""
    found = connection.sql(f"SELECT npi::BIGINT AS npi FROM {stored_rows(transaction, DIM_NPI)}")
    return np.sort(np.asarray(found.fetchnumpy()["npi"], np.int64))


def _put_taxonomies(connection: duckdb.DuckDBPyConnection, transaction: Transaction, paths: list[Path]) -> int:
    """Make the temporary table `taxonomy` of old and new descriptions and put it into the store; return its rows."""
    connection.execute(f"CREATE TEMP TABLE taxonomy AS FROM {stored_rows(transaction, DIM_TAXONOMY)}")
    for path in paths:
        connection.register("new_taxonomy", read_taxonomies(path))
        connection.execute("DELETE FROM taxonomy WHERE taxonomy_code IN (SELECT taxonomy_code FROM new_taxonomy)")
        connection.execute("INSERT INTO taxonomy BY NAME FROM new_taxonomy")
    if paths:
        file = transaction.new_file(DIM_TAXONOMY.name)
        rows = write_query(connection, file, DIM_TAXONOMY, "FROM taxonomy ORDER BY taxonomy_code")
        transaction.put(DIM_TAXONOMY.name, file, rows)
    return int(connection.execute("SELECT count(*) FROM taxonomy").fetchall()[0][0])


def _put_register(
    transaction: Transaction,
    files: list[NppesFile],
    in_use: npt.NDArray[np.int64] | None,
    counts: RegisterCounts,
    reading: ReadProgress,
) -> _NewestRegister:
    """Read the files and write the newest row of each NPI; add what became of the rows to `counts`.

    If all NPIs are wanted (`in_use` is None), the rows become the store's register; otherwise the file is temporary.
    """
    whole = in_use is None
    latest = LatestRows(transaction.work)
    for table in (DIM_NPI, NPPES) if whole else (DIM_NPI,):
        for rows in _stored_frames(transaction, table):
            latest.add(rows, new=False)
    for file in files:
        with reading(file.path.name) as progress:
            for rows in read_register(file, in_use, counts, progress):
                latest.add(rows, new=True)
    pa.default_memory_pool().release_unused()  # what reading the csv held on to
    path = transaction.new_file(NPPES.name) if whole else transaction.work / "nppes.parquet"
    npis = write_table(path, NPPES, latest.read())
    if whole:
        transaction.put(NPPES.name, path, npis)
    return _NewestRegister(
        rows=parquet_rows([str(path)]),
        repeated=counts.kept - latest.new_npis,
        stored_npis=npis if whole else 0,
        outdated=latest.outdated,
    )


def _stored_frames(transaction: Transaction, table: Table) -> Iterator[pl.DataFrame]:
    """Yield the rows of dim_npi or nppes that NPPES has something to say about: the others are only numbers."""
    for path in transaction.paths(table.name):
        with pq.ParquetFile(path) as stored:
            for group in range(stored.num_row_groups):
                rows = pl.DataFrame(stored.read_row_group(group, columns=list(NPPES.names)))
                yield rows.filter(pl.col("entity_type").is_not_null() | pl.col("deactivated_on").is_not_null())


def _put_further(
    connection: duckdb.DuckDBPyConnection,
    transaction: Transaction,
    table: FurtherTable,
    files: list[NppesFile],
    in_use: npt.NDArray[np.int64] | None,
    reading: ReadProgress,
) -> RegisterCounts:
    """Put the rows of other names or practice locations into the store; return what became of them."""
    counts = RegisterCounts()

    def read() -> Iterator[tuple[NppesFile, pl.DataFrame]]:
        for file in files:
            with reading(file.name) as progress:
                for rows in table.read(file, in_use, counts, progress):
                    yield file, rows

    put_further_rows(connection, transaction, table, read())
    return counts


def _put_named_npis(connection: duckdb.DuckDBPyConnection, transaction: Transaction, register: str) -> tuple[int, int]:
    """Put dim_npi, named from `register`, into the store; return how many NPIs have a name and are deactivated."""
    file = transaction.new_file(DIM_NPI.name)
    rows = renamed_npi_rows(transaction, register, "taxonomy")
    transaction.put(DIM_NPI.name, file, write_query(connection, file, DIM_NPI, rows))
    (named, deactivated), *_ = connection.execute(
        f"SELECT count(name), count(deactivated_on) FROM {parquet_rows([str(file)])}"
    ).fetchall()
    return int(named), int(deactivated)
