"""Keep a local store of chosen states up to date with a published one. It is an ordinary store: the site serves it.

The files of facts are those of the object store, byte for byte, and each is downloaded once. The other tables are
merged from the batches of the chosen states. What follows from reference data is made here, from the reference data
that is loaded here.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from core.cluster.copies.copied_corrections import put_corrections, removed_files
from core.cluster.copies.copied_facts import plan_change, put_facts
from core.cluster.files.batch_files import OF_ONE_BATCH, OF_SEVERAL_BATCHES
from core.cluster.files.merge_batches import merged_rows
from core.cluster.files.receipts import REJECTS_TABLE, ClusterFile, Receipt
from core.cluster.place import StorePlace
from core.cluster.publication.publication_log import PublicationLog, PublishedCorrection, files_of
from core.cluster.publication.publish import fetch_files, newest_generation
from core.reference.code_sets.official_titles import prefer_official_titles
from core.reference.nppes.provider_names import new_npi_rows
from core.reference.organizations.roll_up import put_organizations
from core.reference.places.group_areas import put_all_group_areas
from core.reference.profiles.group_specialties import put_all_group_specialties
from core.reference.profiles.provider_profiles import put_all_profiles
from core.runtime.errors import BeaconError
from core.runtime.progress import Progress
from core.store.changes.upsert import upsert, write_query
from core.store.generations.layout import StateMonth
from core.store.generations.manifest import DataFile
from core.store.generations.store import Store, Transaction
from core.store.remote_facts import (
    REMOTE_FACTS,
    allow_s3,
    remote_folders,
    with_remote_facts,
    write_remote_facts,
)
from core.store.schema.columns import Table
from core.store.schema.tables import (
    DIM_BATCH,
    DIM_CODE,
    DIM_NPI,
    DIM_PROVIDER_GROUP,
    DIM_TIN,
    FACT_RATE,
    XREF_GROUP_LOCATION,
    XREF_GROUP_NPI,
    XREF_GROUP_TIN,
)
from core.store.sql import current_rows, no_rows, parquet_rows, quote
from core.store.writer_connection import connect_for_writing

LAYOUT = "partitioned"
"""The layout of a local copy: a shard is a set of files, as on the object store."""


@dataclass(frozen=True)
class Copied:
    """What a refresh has done."""

    published: int
    """The generation of the published store."""
    generation: int
    """The generation of the local store."""
    files: int
    """Files of facts."""
    new_files: int
    new_bytes: int
    facts: int
    changed: bool
    periods: tuple[StateMonth, ...] = ()
    """The states and months whose facts have changed here."""


def refresh_copy(
    store: Store,
    place: StorePlace,
    states: Sequence[str],
    cache: Path,
    number: int | None = None,
    progress: Progress | None = None,
    memory: str = "512MB",
    on_s3: Sequence[str] = (),
) -> Copied:
    """Make a local store show a generation of a published one (the newest unless `number` is given) for some states.

    Of the states `on_s3` everything is copied but the facts, which the site then reads from S3, see remote_facts.py.
    `cache` keeps what was downloaded besides facts. Nothing changes if the store shows that generation already. Raise
    BeaconError if nothing is published, or for a store with another layout.
    """
    log = PublicationLog(place)
    log.read()
    newest = newest_generation(place)
    if newest is None:
        raise BeaconError(f"{place.url}: nothing is published yet; load files with ingest_mrf --engine ray first")
    if on_s3 and not place.url.startswith("s3://"):
        raise BeaconError(f"{place.url}: states are read from s3://bucket/prefix only; copy them instead (--state)")
    number = number or newest.number
    every_state = (*states, *on_s3)
    receipts = [receipt for receipt in log.receipts(number) if set(receipt.filters) & set(every_state)]
    live, corrections = log.live_facts(number), log.corrections(number)
    wanted = [file for file in live if file.state in states]
    with store.write() as transaction:
        _refuse_other_layout(transaction)
        change = plan_change(transaction, wanted)
        remote = [_remote_file(transaction, place, file) for file in live if file.state in on_s3]
        done = Copied(
            number,
            transaction.base.generation,
            len(wanted),
            len(change.new),
            sum(file.bytes for file in change.new),
            sum(file.rows for file in wanted),
            changed=bool(change.new or change.old) or set(remote) != set(_remote_before(transaction)),
        )
        if not done.changed and _has_batches(transaction, receipts, every_state):
            return done
        transaction.replace(REMOTE_FACTS, transaction.files(REMOTE_FACTS))
        if remote:
            path = transaction.new_file(REMOTE_FACTS)
            transaction.put(REMOTE_FACTS, path, write_remote_facts(path, remote))
        with closing(connect_for_writing(transaction.work, memory)) as connection:
            put_facts(transaction, connection, place, change, progress)
            _Tables(connection, transaction, place, receipts, corrections, every_state, cache, remote).put_all()
        manifest = transaction.commit()
    _forget_old(cache, [*(f for one in receipts for f in one.files), *removed_files(corrections, every_state)])
    return replace(done, generation=manifest.generation, changed=True, periods=change.periods)


def _refuse_other_layout(transaction: Transaction) -> None:
    if transaction.layout.name != LAYOUT and transaction.base.rows(FACT_RATE.name):
        raise BeaconError(
            f"{transaction.root}: a store of its own, with the layout {transaction.layout.name}; a copy of a published "
            "store needs an empty directory (BEACONPOINT_COPY_DIR)"
        )


def _remote_file(transaction: Transaction, place: StorePlace, file: ClusterFile) -> DataFile:
    shard = transaction.layout.shard(StateMonth(file.state, file.year_month))
    return DataFile(place.url_of(file.path), file.rows, file.bytes, shard)


def _remote_before(transaction: Transaction) -> list[DataFile]:
    facts = with_remote_facts(transaction.root, transaction.base).tables.get(FACT_RATE.name, ())
    return [file for file in facts if file.remote]


def _has_batches(transaction: Transaction, receipts: Sequence[Receipt], states: Sequence[str]) -> bool:
    """Return whether the copy's batches are those that are published, for the chosen states."""
    paths = [transaction.path(file) for file in transaction.files(DIM_BATCH.name)]
    known = {(row["batch_id"], row["state"]) for path in paths for row in pq.read_table(path).to_pylist()}
    return known == {(one.batch_id, state) for one in receipts for state in one.filters if state in states}


@dataclass(frozen=True)
class _Tables:
    """The tables of a copy besides the facts."""

    connection: duckdb.DuckDBPyConnection
    transaction: Transaction
    place: StorePlace
    receipts: Sequence[Receipt]
    corrections: Sequence[PublishedCorrection]
    states: tuple[str, ...]
    cache: Path
    remote: Sequence[DataFile]

    def put_all(self) -> None:
        """Write every table from the batches of the chosen states, then what follows from them."""
        groups = self._groups_sql()
        conditions: dict[str, str] = {}
        if groups:
            conditions = dict.fromkeys(
                (t.name for t in (DIM_PROVIDER_GROUP, XREF_GROUP_NPI, XREF_GROUP_TIN, XREF_GROUP_LOCATION)),
                f"pg_uid IN {groups}",
            )
        listed = ", ".join(map(quote, self.states))
        for table in OF_ONE_BATCH:
            by_state = f"state IN ({listed})" if "state" in table.names else "true"
            self._put(table, f"SELECT * FROM ({self._merged(table)}) WHERE {conditions.get(table.name, by_state)}")
        for table in OF_SEVERAL_BATCHES:
            sql = self._merged(table)
            if groups and table in {DIM_NPI, DIM_TIN}:
                of = XREF_GROUP_NPI if table is DIM_NPI else XREF_GROUP_TIN
                sql = f"FROM ({sql}) SEMI JOIN {current_rows(self.transaction, of)} USING ({', '.join(table.key)})"
            if table is DIM_CODE:
                sql = prefer_official_titles(self.transaction, sql)
            if table is not DIM_NPI:
                self._put(table, sql)
            else:
                # Names and addresses come from the register that is loaded here, as on one machine.
                rows = new_npi_rows(self.transaction, f"SELECT npi FROM ({sql})")
                self._run(f"CREATE OR REPLACE TEMP VIEW new_npis AS {rows}")
                upsert(self.connection, self.transaction, DIM_NPI, "new_npis")
        put_corrections(
            self.transaction,
            self.connection,
            self.corrections,
            self.states,
            self._merged(DIM_PROVIDER_GROUP),
            lambda files: fetch_files(self.place, files, self.cache),
        )
        makers: tuple[Callable[..., None], ...] = (
            put_all_group_areas,
            put_all_profiles,
            put_all_group_specialties,
            put_organizations,
        )
        for make in makers:
            make(self.connection, self.transaction)
        for receipt in self.receipts:
            for file in files_of([receipt], REJECTS_TABLE):
                new = self.transaction.new_file(f"rejects.{receipt.batch_id}")
                new.write_bytes(self.place.read(file.path))
                self.transaction.put_rejects(receipt.batch_id, new, file.rows)

    def _groups_sql(self) -> str:
        """Return SQL of the groups that the copy's facts name, or an empty text if its batches name no others.

        Those that corrections have taken out count as well: groups stay, as on one machine.
        """
        if all(set(receipt.filters) <= set(self.states) for receipt in self.receipts):
            return ""
        paths = [self.transaction.path(file) for file in self.transaction.files(FACT_RATE.name) if file.rows]
        if self.remote:
            allow_s3(self.connection, remote_folders(self.remote))
            paths += [file.path for file in self.remote]
        paths += fetch_files(self.place, removed_files(self.corrections, self.states), self.cache)
        facts = parquet_rows(paths) if paths else no_rows(FACT_RATE)
        self._run(f"CREATE TEMP TABLE named_groups AS SELECT DISTINCT pg_uid FROM {facts}")
        return "(FROM named_groups)"

    def _merged(self, table: Table) -> str:
        return merged_rows(table, self._fetch(self.receipts, table.name))

    def _fetch(self, receipts: Sequence[Receipt], table: str) -> list[str]:
        return fetch_files(self.place, files_of(receipts, table), self.cache)

    def _put(self, table: Table, sql: str) -> None:
        path = self.transaction.new_file(table.name)
        ordered = f"FROM ({sql}) ORDER BY {', '.join(table.order)}"
        rows = write_query(self.connection, path, table, ordered, self.transaction.sizes)
        self.transaction.put(table.name, path, rows)

    def _run(self, sql: str) -> None:
        self.connection.execute(sql)


def _forget_old(cache: Path, files: Iterable[ClusterFile]) -> None:
    """Delete downloads of what is no longer copied."""
    wanted = {str(cache / file.path) for file in files}
    for path in cache.rglob("*.parquet"):
        if str(path) not in wanted:
            path.unlink()
