"""Where a batch came from: the file on the web, and the plans whose rates it contains."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from core.fetch.address import Address
from core.fetch.partial_file import Version
from core.load.batch.batch_record import BatchRecord, is_finished
from core.load.rate_filters import ALL_RATES, RateFilter
from core.store.changes.upsert import upsert
from core.store.generations.store import Store, Transaction
from core.store.schema.tables import DIM_BATCH, XREF_BATCH_PLAN, XREF_BATCH_SOURCE, Table
from core.store.writer_connection import connect_for_writing
from core.tic.plans import Plan


@dataclass(frozen=True)
class Origin:
    """The file on the web that a document was fetched from. `member` is its name in a zip file of `documents` files."""

    address: Address
    version: Version
    member: str = ""
    documents: int = 1


@dataclass(frozen=True)
class Provenance:
    """Everything known about where a batch came from."""

    origin: Origin | None = None
    plans: frozenset[Plan] = field(default_factory=frozenset)


class LoadedSource(NamedTuple):
    """A file on the web that was loaded for some states."""

    version: Version
    records: tuple[BatchRecord, ...]
    """The records of its batches, one for each state."""

    def is_finished(self, only: Mapping[str, RateFilter]) -> bool:
        """Return whether the store has everything that is wanted of it for each state."""
        return all(is_finished(record, only[record["state"]]) for record in self.records)

    @property
    def has_all_rates(self) -> bool:
        """Return whether the store has all rates of it, for every state that it was loaded for."""
        return all(is_finished(record, ALL_RATES) for record in self.records)


class KnownOrigin(NamedTuple):
    """Where a batch of the store came from, for one state that it was loaded for."""

    batch_id: str
    state: str
    provenance: Provenance


def write_provenance(
    connection: duckdb.DuckDBPyConnection, transaction: Transaction, known: Iterable[KnownOrigin]
) -> None:
    """Write what is known of the origins of batches into the store, all at once.

    A table is written once in a transaction: a second upsert would start from the rows before it.
    """
    plans: list[dict[str, Any]] = []
    sources: list[dict[str, Any]] = []
    for batch_id, state, provenance in known:
        batch = {"batch_id": batch_id, "state": state}
        plans += [{**batch, **plan._asdict()} for plan in provenance.plans]
        if origin := provenance.origin:
            sources.append(
                {
                    **batch,
                    "source_id": origin.address.identity,
                    "member": origin.member,
                    "address": origin.address.public,
                    "documents": origin.documents,
                    "size": origin.version.size,
                    "etag": origin.version.etag,
                    "last_modified": origin.version.last_modified,
                    "fetched_at": datetime.now(UTC),
                }
            )
    _upsert(connection, transaction, XREF_BATCH_PLAN, plans)
    _upsert(connection, transaction, XREF_BATCH_SOURCE, sources)


def add_provenance(store: Store, known: Iterable[KnownOrigin], waiting: Callable[[], None] | None = None) -> None:
    """Add new origins and plans of batches that are in the store already. Raise StoreError."""
    wanted = list(known)
    if not wanted or not _find_new(store, wanted):
        return
    with store.write(waiting=waiting) as transaction:
        with closing(connect_for_writing(transaction.work)) as connection:
            write_provenance(connection, transaction, _find_new(store, wanted))
        transaction.commit()


def read_loaded_sources(store: Store, states: Sequence[str]) -> dict[str, LoadedSource]:
    """Return the files on the web all of whose documents were loaded for each of some states, by their address's
    `identity`."""
    there = {(row["batch_id"], row["state"]): row for row in _rows(store, DIM_BATCH.name, states)}
    files: dict[str, list[dict[str, Any]]] = {}
    for row in _rows(store, XREF_BATCH_SOURCE.name, states):
        files.setdefault(row["source_id"], []).append(row)
    found = {}
    for source_id, rows in files.items():
        newest = max(rows, key=lambda row: row["fetched_at"])
        version = _version(newest)
        batches = [(row["batch_id"], row["state"]) for row in rows if _version(row) == version]
        records = [there[batch] for batch in batches if batch in there]
        if all(sum(record["state"] == state for record in records) >= newest["documents"] for state in states):
            found[source_id] = LoadedSource(version, tuple(records))
    return found


def _find_new(store: Store, known: list[KnownOrigin]) -> list[KnownOrigin]:
    """Return the batches about which something is not in the store yet."""
    states = {state for _, state, _ in known}
    there = {(row["batch_id"], row["state"]) for row in _rows(store, DIM_BATCH.name, states)}
    plans = {
        (row["batch_id"], row["state"], Plan(**{f: row[f] for f in Plan._fields}))
        for row in _rows(store, XREF_BATCH_PLAN.name, states)
    }
    sources = {
        (row["batch_id"], row["state"], row["source_id"], row["member"], _version(row))
        for row in _rows(store, XREF_BATCH_SOURCE.name, states)
    }
    return [
        KnownOrigin(batch, state, provenance)
        for batch, state, provenance in known
        if (batch, state) in there
        and (
            any((batch, state, plan) not in plans for plan in provenance.plans)
            or ((o := provenance.origin) and (batch, state, o.address.identity, o.member, o.version) not in sources)
        )
    ]


def _rows(store: Store, table: str, states: Iterable[str]) -> list[dict[str, Any]]:
    wanted = [("state", "in", list(states))]
    return [row for path in store.paths(table) for row in pq.read_table(path, filters=wanted).to_pylist()]


def _version(row: dict[str, Any]) -> Version:
    return Version(row["etag"], row["last_modified"], row["size"])


def _upsert(
    connection: duckdb.DuckDBPyConnection, transaction: Transaction, table: Table, rows: list[dict[str, Any]]
) -> None:
    # The same file may have been listed twice in one run: the last row of a key stays.
    distinct = {tuple(row[name] for name in table.key): row for row in rows}
    if distinct:
        connection.register("known_rows", pa.Table.from_pylist(list(distinct.values()), table.arrow))
        upsert(connection, transaction, table, "known_rows", keep="new")
