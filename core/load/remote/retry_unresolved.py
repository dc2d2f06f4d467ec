"""Provider groups of a batch whose members could not be fetched when it was loaded: fetched now, without its rates."""

import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa

from core.fetch.address import redact_url
from core.fields.provider_group_id import parse_provider_group_id
from core.load.batch_record import FOUND_LATER, filters_of
from core.load.dimension_tables import FileTables, MemberCounts, put_rejects
from core.load.providers import group_members as members
from core.load.providers.group_index import GroupIndex, write_groups
from core.load.providers.group_key_set import Keys
from core.load.providers.provider_filter import match_provider_filters
from core.load.rate_filters import RateFilter
from core.load.remote.fetch_groups import FetchReport, GroupFetcher
from core.load.remote.remote_groups import Group, Unresolved
from core.load.staging.spool_set import SpoolSet
from core.runtime.errors import PayerFileError
from core.runtime.progress import Progress
from core.runtime.workers import SingleProcess
from core.store.changes.upsert import upsert
from core.store.connection import connect_for_writing, parquet_list
from core.store.generations.store import Manifest, Store, Transaction
from core.store.schema import ids
from core.store.schema.tables import DIM_BATCH, DIM_PROVIDER_GROUP, XREF_GROUP_LOCATION
from core.tic import decode
from core.tic.array_splitter import ArraySplitter, ElementChunk
from core.tic.header import Header
from core.tic.source import Source

_UNPLACED = 1 << 32
"""Stands for the place of an address that only the store, and not the file at hand, tells."""

_UNNAMED_KEY = members.WHOLE_KEY_LIMIT
"""Keys from here to `members.NAMED_KEY` are of groups of which the store has the pg_uid alone: no rate names them."""

Addresses = dict[str, list[Group]]
"""Addresses on the web, with the groups whose members are there."""


@dataclass(frozen=True)
class RetryOutcome:
    """What became of a batch's unresolved groups."""

    batch_id: str
    report: FetchReport
    """The addresses that were asked."""
    members: MemberCounts | None
    """The groups whose members are known now; None where nothing was asked."""
    remaining: int
    """Groups of the batch of which no member is known still."""
    signed: int
    """Addresses that only the payer's file has whole, and that were not asked because it was not given."""
    wanted_now: int = 0
    """Groups that a filter on providers may want, now that their members are known, and may have left out before."""


def retry_unresolved(
    store: Store,
    batch: str,
    locations: GroupFetcher,
    *,
    source: Source | None = None,
    progress: Progress | None = None,
    waiting: Callable[[], None] | None = None,
    memory: str = "512MB",
) -> RetryOutcome:
    """Tries again what could not be fetched for a batch, named by its id or the beginning of it.

    With `source`, the batch's own file, its provider_references are read for addresses that the store does not keep
    whole. Nothing is locked while the web is asked. Rates that a filter on providers left out because nobody knew whose
    they are, are not in the store: their groups are looked for as well, and where the filter wants one, the batch's
    record notes that its file is to be loaded again. Raises PayerFileError and StoreError; the store is then as it was.
    """
    with tempfile.TemporaryDirectory(prefix="beaconpoint-") as name:
        directory = Path(name)
        spools, unresolved = SpoolSet(directory), Unresolved(directory)
        connection = connect_for_writing(directory, memory)
        try:
            known = _Known(connection, store, batch)
            if source:
                addresses, signed = known.addresses_of(source, progress), 0
            else:
                addresses, signed = known.stored_addresses(), known.signed()
        finally:
            connection.close()
        report = unresolved.fetch(addresses.items(), locations, spools)
        if not addresses:
            return RetryOutcome(known.batch_id, report, None, known.unresolved, signed)
        with store.write(waiting=waiting) as transaction:
            connection = connect_for_writing(transaction.work, memory)
            try:
                left = report.failed + signed
                found, remaining, wanted = _publish(connection, transaction, known.batch_id, spools, left)
                unresolved.put(connection, transaction, known.batch_id)
            finally:
                connection.close()
            transaction.commit()
        return RetryOutcome(known.batch_id, report, found, remaining, signed, wanted)


class _Known:
    """What the store knows of a batch: `unresolved` groups have no member that is known."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, store: Store, batch: str) -> None:
        manifest = store.manifest()
        if manifest is None:
            raise PayerFileError(f"{store.root}: nothing is loaded yet; load files with ingest_mrf")
        self._connection = connection
        _view(connection, "batches", manifest, store.root, DIM_BATCH)
        _view(connection, "groups", manifest, store.root, DIM_PROVIDER_GROUP)
        _view(connection, "failed", manifest, store.root, XREF_GROUP_LOCATION)
        found = self._ask("SELECT DISTINCT batch_id FROM batches WHERE starts_with(batch_id, ?)", batch.lower())
        if len(found) != 1 or not batch:
            problem = f"is the beginning of {len(found)} batch ids" if found else "no batch of this store"
            raise PayerFileError(f"{redact_url(batch)}: {problem}; expected the id of one, as ingest_mrf prints it")
        self.batch_id: str = found[0][0]
        ((self.unresolved,),) = self._ask(
            "SELECT count(*) FROM groups WHERE batch_id = ? AND NOT resolved", self.batch_id
        )

    def signed(self) -> int:
        """How many addresses the store does not keep whole."""
        ((count,),) = self._ask(
            "SELECT count(DISTINCT location) FROM failed WHERE batch_id = ? AND signed", self.batch_id
        )
        return int(count)

    def stored_addresses(self) -> Addresses:
        """The addresses that the store keeps whole."""
        found = self._ask(
            """SELECT location, list([pg_uid, provider_group_id_raw])
               FROM failed LEFT JOIN groups USING (pg_uid, batch_id) WHERE batch_id = ? AND NOT signed
               GROUP BY location ORDER BY location""",
            self.batch_id,
        )
        return {
            url: [Group(_key_of(pg_uid, raw), pg_uid, _UNPLACED) for pg_uid, raw in groups] for url, groups in found
        }

    def addresses_of(self, source: Source, progress: Progress | None) -> Addresses:
        """The addresses that a file has for groups that lack members. Raises PayerFileError for another batch's
        file.
        """
        asked = self._ask(
            """SELECT pg_uid FROM groups WHERE batch_id = $1 AND NOT resolved
               UNION SELECT pg_uid FROM failed WHERE batch_id = $1""",
            self.batch_id,
        )
        wanted = {pg_uid for (pg_uid,) in asked}
        found: Addresses = {}
        for seq, reference in enumerate(_references(source, progress)):
            if reference is None or not reference.location:
                continue
            raw = parse_provider_group_id(decode.scalar(reference.provider_group_id)) or ""
            pg_uid = ids.pg_uid(self.batch_id, raw)
            if pg_uid in wanted:
                group = Group(members.group_key(raw), pg_uid, seq)
                found.setdefault(reference.location, []).append(group)
        if source.batch_id != self.batch_id:
            raise PayerFileError(
                f"{source.name}: its content is batch {source.batch_id}, not {self.batch_id}; expected the file that "
                "the batch was loaded from"
            )
        return found

    def _ask(self, sql: str, parameter: str) -> list[Any]:
        return self._connection.execute(sql, [parameter]).fetchall()


def _references(source: Source, progress: Progress | None) -> Iterator[decode.ReferenceObject | None]:
    """The definitions of provider groups in a file, all of which is read."""
    for part in ArraySplitter(source.name, source.chunks(progress)).parts():
        if isinstance(part, ElementChunk) and part.array == "provider_references":
            try:
                yield from decode.REFERENCES.read(part.text)[0]
            except decode.UndecodableError as error:
                raise PayerFileError(f"{source.name}: not JSON: {error.problem} in provider_references") from None


def _key_of(pg_uid: str, raw: str | None) -> int:
    """The key of a group; `raw` is its id in the payer's file, which only groups of kept rates have in the store."""
    return members.group_key(raw) if raw else _UNNAMED_KEY | (int(pg_uid, 16) % _UNNAMED_KEY)


def _publish(
    connection: duckdb.DuckDBPyConnection, transaction: Transaction, batch_id: str, spools: SpoolSet, left: int
) -> tuple[MemberCounts, int, int]:
    """Puts members into the store; gives what is known now, how many groups remain without any, and how many a filter
    on providers wants now.

    `left` is the number of addresses that could not be had or were not asked.
    """
    _view(connection, "batches", transaction.base, transaction.root, DIM_BATCH)
    _view(connection, "groups", transaction.base, transaction.root, DIM_PROVIDER_GROUP)
    records = connection.sql("FROM batches WHERE batch_id = ?", params=[batch_id]).to_arrow_table().to_pylist()
    if not records:
        raise PayerFileError(f"{batch_id}: no batch of this store any more; nothing has changed")
    used: dict[int, str] = {}
    remaining = 0
    there = f"SELECT DISTINCT key FROM {parquet_list([spools.group_parts.glob])}"
    known = {key for (key,) in connection.execute(there).fetchall()}
    rows = connection.execute(
        "SELECT provider_group_id_raw, network_names, resolved FROM groups WHERE batch_id = ?", [batch_id]
    ).fetchall()
    for raw, networks, resolved in rows:
        key = members.group_key(raw)
        if key in known:
            used[key] = raw
            spools.groups.add(key, raw, networks)
        elif not resolved:
            remaining += 1
    spools.close()
    payer, month = records[0]["reporting_entity_name"], records[0]["year_month"]
    header = Header(payer, None, None, None, month)
    keys = np.array(sorted(used), np.uint64)
    named = pl.DataFrame(
        {"key": keys, "raw": [used[key] for key in keys.tolist()]}, {"key": pl.UInt64, "raw": pl.String}
    )
    write_groups(spools.directory / "groups", batch_id, keys, named)
    groups = GroupIndex(spools.directory / "groups")
    found = FileTables(connection, transaction, spools.directory, header, batch_id, groups).add_groups(SingleProcess())
    put_rejects(
        connection,
        transaction,
        batch_id,
        f"""SELECT 'invalid_npi' AS reason,
                   'provider_references[' || coalesce(nullif(seq, {_UNPLACED})::VARCHAR, '') || '].location' AS place,
                   value, 0 AS rows
            FROM invalid_npi""",
    )
    wanted = _wanted_now(connection, transaction, spools.directory, np.array(sorted(known), np.uint64), records)
    notes = {"unresolved_groups": remaining, "locations_not_fetched": left}
    _count(connection, transaction, records, found, notes, wanted)
    return found, remaining, max(wanted)


def _wanted_now(
    connection: duckdb.DuckDBPyConnection,
    transaction: Transaction,
    directory: Path,
    keys: Keys,
    records: list[dict[str, Any]],
) -> list[int]:
    """For each of a batch's records (one a state) how many of the groups found the filters on providers may want.

    Only members from addresses are at hand here. One condition that they meet is enough: members in the file may meet
    the others.
    """
    wanted = []
    for record in records:
        each = [
            (RateFilter(npis=f.npis), RateFilter(tins=f.tins), RateFilter(in_state=f.in_state))
            for f in filters_of(record)
        ]
        filters = list({condition for conditions in each for condition in conditions if condition.of_providers})
        masks = match_provider_filters(connection, transaction, directory, keys, filters)
        wanted.append(int(np.count_nonzero(masks)))
    return wanted


def _count(
    connection: duckdb.DuckDBPyConnection,
    transaction: Transaction,
    records: list[dict[str, Any]],
    members: MemberCounts,
    left: dict[str, int],
    wanted: list[int],
) -> None:
    """Brings the notes of the batch's records up to date; `wanted` tells for each how many groups are wanted now."""
    for record, more in zip(records, wanted, strict=True):
        notes = json.loads(record["notes"])
        invalid = notes.get("invalid_npi", 0) + members.invalid_npis
        found_later = notes.get(FOUND_LATER, 0) + more
        notes |= {**left, "invalid_npi": invalid, FOUND_LATER: found_later}
        record["notes"] = json.dumps({name: count for name, count in notes.items() if count}, sort_keys=True)
    connection.register("counted", pa.Table.from_pylist(records, DIM_BATCH.arrow))
    upsert(connection, transaction, DIM_BATCH, "counted", keep="new")


def _view(connection: duckdb.DuckDBPyConnection, name: str, manifest: Manifest, root: Path, table: Any) -> None:
    """A table of the store as it is now, under a name."""
    paths = manifest.paths(root, table.name)
    if paths:
        connection.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS FROM {parquet_list(paths)}")
    else:
        connection.register(name, table.arrow.empty_table())
