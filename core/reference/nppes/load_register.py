"""The register of providers into the store: names for the NPIs at hand, or the whole register."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from core.reference.nppes import register_file, taxonomy
from core.reference.nppes.latest_rows import LatestRows
from core.reference.nppes.provider_names import renamed_npi_rows
from core.runtime.errors import ReferenceFileError
from core.runtime.progress import Progress
from core.store.changes.upsert import write_query
from core.store.connection import connect_for_writing, parquet_list, stored_rows
from core.store.generations.store import Store, Transaction
from core.store.parquet.writer import write_table
from core.store.schema.tables import DIM_NPI, DIM_TAXONOMY, NPPES

ReadProgress = Callable[[str], AbstractContextManager[Progress]]
"""Given a file's name, a context of a function that is told how much of it has been read."""


@dataclass(frozen=True)
class LoadedRegister:
    """What was loaded, and what the store now knows of the NPIs at hand: those that facts' groups name.

    Of the rows that `counts` says were kept, `repeated` were replaced by a later row of the same NPI.
    """

    counts: register_file.RegisterCounts
    repeated: int
    taxonomies: int
    """Taxonomy codes that have words."""
    register: int
    """NPIs of the register that the store keeps; 0 where it keeps those at hand only."""
    at_hand: int
    named: int
    """Of those at hand, the NPIs that have a name."""
    deactivated: int


def load_nppes(
    store: Store, paths: list[Path], *, everything: bool = False, reading: ReadProgress = lambda _: nullcontext(_silent)
) -> LoadedRegister:
    """Loads NPPES files (csv or zip) and NUCC's taxonomy, told by content, in the order given: a later row stays.

    Of NPPES the NPIs at hand are named. With `everything`, or where it is kept already, the whole register is kept,
    so that the NPIs of later ingests have their names. Raises ReferenceFileError and StoreError; the store is then
    as it was.
    """
    registers, nuccs = _sorted_out(paths)
    with store.write() as transaction:
        loaded = _Job(transaction, reading).load(registers, nuccs, everything=everything)
        transaction.commit()
    return loaded


def _silent(_done: int, _total: int) -> None:
    """Tells nobody."""


def _sorted_out(paths: list[Path]) -> tuple[list[Path], list[Path]]:
    registers, nuccs = [], []
    for path in paths:
        if register_file.is_nppes(path):
            registers.append(path)
        elif taxonomy.is_taxonomy(path):
            nuccs.append(path)
        else:
            raise ReferenceFileError(
                f"{path.name}: neither an NPPES file (npidata_pfile_….csv, or the zip file it comes in) nor NUCC's "
                "taxonomy (nucc_taxonomy_….csv)"
            )
    return registers, nuccs


class _Job:
    """The loading of some files within a transaction."""

    def __init__(self, transaction: Transaction, reading: ReadProgress) -> None:
        self._transaction = transaction
        self._reading = reading
        self._connection = connect_for_writing(transaction.work, "256MB")
        self._counts = register_file.RegisterCounts()

    def load(self, registers: list[Path], nuccs: list[Path], *, everything: bool) -> LoadedRegister:
        """Makes the new files of the register, the taxonomy and dim_npi."""
        try:
            kept = self._transaction.base.rows(NPPES.name)
            found = self._connection.sql(f"SELECT npi::BIGINT AS npi FROM {stored_rows(self._transaction, DIM_NPI)}")
            at_hand = np.sort(np.asarray(found.fetchnumpy()["npi"], np.int64))
            if registers and not (everything or kept or len(at_hand)):
                raise ReferenceFileError(
                    "there is no NPI to name yet: load payers' files first (ingest_mrf), or keep the whole register "
                    "with --all"
                )
            taxonomies = self._add_taxonomies(nuccs)
            register, repeated = stored_rows(self._transaction, NPPES), 0
            if registers:
                whole = everything or bool(kept)
                register, repeated, kept = self._add_register(registers, None if whole else at_hand)
            named, deactivated = self._name_npis(register)
        finally:
            self._connection.close()
        return LoadedRegister(self._counts, repeated, taxonomies, kept, len(at_hand), named, deactivated)

    def _add_taxonomies(self, paths: list[Path]) -> int:
        """Makes the temporary table `taxonomy` of old and new words, and the store's if there are new ones."""
        connection = self._connection
        connection.execute(f"CREATE TEMP TABLE taxonomy AS FROM {stored_rows(self._transaction, DIM_TAXONOMY)}")
        for path in paths:
            connection.register("words", taxonomy.read_taxonomies(path))
            connection.execute("DELETE FROM taxonomy WHERE taxonomy_code IN (SELECT taxonomy_code FROM words)")
            connection.execute("INSERT INTO taxonomy BY NAME FROM words")
        if paths:
            file = self._transaction.new_file(DIM_TAXONOMY.name)
            sql = "FROM taxonomy ORDER BY taxonomy_code"
            self._transaction.put(DIM_TAXONOMY.name, file, write_query(connection, file, DIM_TAXONOMY, sql))
        return int(connection.execute("SELECT count(*) FROM taxonomy").fetchall()[0][0])

    def _add_register(self, paths: list[Path], at_hand: npt.NDArray[np.int64] | None) -> tuple[str, int, int]:
        """Reads the files; gives SQL of the newest rows, how many rows newer ones replaced, and the register's rows.

        Where all NPIs are wanted (`at_hand` is None) the rows become the store's register.
        """
        shares = LatestRows(self._transaction.work)
        file = self._transaction.work / "nppes.parquet"
        if at_hand is None:
            file = self._transaction.new_file(NPPES.name)
            for old in self._transaction.paths(NPPES.name):
                with pq.ParquetFile(old) as kept:
                    for group in range(kept.num_row_groups):
                        shares.add(pl.DataFrame(kept.read_row_group(group)), new=False)
        for path in paths:
            with self._reading(path.name) as progress:
                for rows in register_file.read_register(path, at_hand, self._counts, progress):
                    shares.add(rows, new=True)
        pa.default_memory_pool().release_unused()  # what reading the csv held on to
        register = write_table(file, NPPES, shares.latest())
        if at_hand is None:
            self._transaction.put(NPPES.name, file, register)
        return parquet_list([str(file)]), self._counts.kept - shares.new_npis, register if at_hand is None else 0

    def _name_npis(self, register: str) -> tuple[int, int]:
        """Makes the new dim_npi; gives how many of its NPIs have a name, and how many are deactivated."""
        file = self._transaction.new_file(DIM_NPI.name)
        sql = renamed_npi_rows(self._transaction, register, "taxonomy")
        self._transaction.put(DIM_NPI.name, file, write_query(self._connection, file, DIM_NPI, sql))
        counts = self._connection.execute(
            f"SELECT count(name), count(deactivated_on) FROM {parquet_list([str(file)])}"
        ).fetchall()
        return counts[0]
