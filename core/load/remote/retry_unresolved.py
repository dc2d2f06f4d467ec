"""Fetch the members of a batch's groups that could not be fetched when it was loaded, without reading its rates.

The path: find addresses → fetch members → index groups → write tables → update the batch record → publish.
"""

import json
import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa

from core.load.batch.batch_record import FOUND_LATER, BatchRecord, filters_of
from core.load.batch.rejects import put_rejects
from core.load.providers.group_index import GroupIndex, write_group_index
from core.load.providers.group_key import group_key
from core.load.providers.group_tables import BatchScope, MemberCounts, write_group_tables
from core.load.providers.provider_filter import match_provider_filters
from core.load.rate_filters import RateFilter
from core.load.remote.fetch_groups import FetchReport, GroupFetcher
from core.load.remote.remote_groups import FetchedGroups, fetch_members, record_unresolved
from core.load.remote.unresolved_groups import (
    UNPLACED,
    UnresolvedBatch,
    create_store_views,
    find_addresses,
    read_addresses,
    read_unresolved_batch,
)
from core.load.staging.group_key_set import Keys
from core.load.staging.spool_set import SpoolSet
from core.load.table_writer import TableWriter, create_spool_views
from core.runtime.errors import PayerFileError
from core.runtime.progress import Progress
from core.runtime.workers import SingleProcess
from core.store.changes.upsert import upsert
from core.store.generations.store import Store, Transaction
from core.store.schema.tables import DIM_BATCH
from core.store.sql import parquet_rows
from core.store.writer_connection import connect_for_writing
from core.tic.source import Source


@dataclass(frozen=True)
class RetryOutcome:
    """What became of a batch's unresolved groups."""

    batch_id: str
    report: FetchReport
    """The addresses that were asked."""
    members: MemberCounts | None
    """The groups whose members are known now, None if no address was asked."""
    remaining: int
    """Groups of the batch that still have no known member."""
    signed: int
    """Addresses that were not asked, because only the payer's file has them whole and it was not given."""
    wanted_now: int = 0
    """Groups that a filter on providers may want now that their members are known, and whose rates it left out."""


@dataclass(frozen=True)
class _BatchGroups:
    """The groups of a batch in the store, after members were fetched."""

    found: Keys
    """The keys of all groups whose members were fetched, sorted. No kept rate names some of them."""
    used: dict[int, str]
    """The keys and raw ids of the groups among them that kept rates name."""
    networks: dict[int, list[str]]
    """The networks of the groups in `used`, as the store has them."""
    remaining: int
    """The number of groups that still have no known member."""


def retry_unresolved(
    store: Store,
    batch: str,
    fetcher: GroupFetcher,
    *,
    source: Source | None = None,
    progress: Progress | None = None,
    waiting: Callable[[], None] | None = None,
    memory: str = "512MB",
) -> RetryOutcome:
    """Try again what could not be fetched for a batch, which is named by its id or the beginning of it.

    With `source`, the batch's own file, its provider_references are read for addresses that the store does not keep
    whole. The store is not locked while files are fetched. Raise PayerFileError and StoreError; the store is then as it
    was.

    Rates that a filter on providers left out because their groups had no known members are not in the store. Their
    groups are fetched as well, and if the filter may want one, the batch record notes that the file should be loaded
    again.
    """
    with tempfile.TemporaryDirectory(prefix="beaconpoint-", ignore_cleanup_errors=True) as name:
        directory = Path(name)
        spools = SpoolSet(directory)
        with closing(connect_for_writing(directory, memory)) as connection:
            known = read_unresolved_batch(connection, store, batch)
            if source:
                addresses, signed = find_addresses(connection, known.batch_id, source, progress), 0
            else:
                addresses, signed = read_addresses(connection, known.batch_id), known.signed_addresses
        fetched = fetch_members(addresses.items(), fetcher, spools)
        if not addresses:
            return RetryOutcome(known.batch_id, fetched.report, None, known.unresolved, signed)
        with store.write(waiting=waiting) as transaction:
            with closing(connect_for_writing(transaction.work, memory)) as connection:
                outcome = _write_members(connection, transaction, known, spools, fetched, signed)
                record_unresolved(connection, transaction, known.batch_id, fetched)
            transaction.commit()
        return outcome


def _write_members(
    connection: duckdb.DuckDBPyConnection,
    transaction: Transaction,
    batch: UnresolvedBatch,
    spools: SpoolSet,
    fetched: FetchedGroups,
    signed: int,
) -> RetryOutcome:
    """Write the members in `spools` into the store's tables, and bring the batch's records up to date."""
    create_store_views(connection, transaction.base, transaction.root)
    records = _read_records(connection, batch.batch_id)
    groups = _match_groups(connection, batch.batch_id, spools)
    for key, raw in groups.used.items():
        spools.groups.add(key, raw, groups.networks[key])
    spools.close()
    index = _index_groups(spools.directory / "groups", batch.batch_id, groups)
    create_spool_views(connection, spools.directory)
    (members,) = write_group_tables(
        TableWriter(connection, transaction),
        spools=spools.directory,
        groups=index,
        used=[None],
        scope=BatchScope(
            batch_id=batch.batch_id, payer_slug=records[0]["payer_slug"], year_month=records[0]["year_month"]
        ),
        workers=SingleProcess(),
    )
    put_rejects(
        connection,
        transaction,
        batch.batch_id,
        f"""SELECT reason,
                   'provider_references[' || coalesce(nullif(seq, {UNPLACED})::VARCHAR, '') || '].location' AS place,
                   value, 0 AS rows
            FROM odd_values""",
    )
    wanted = [
        _count_wanted(connection, transaction, spools.directory, groups.found, filters_of(record)) for record in records
    ]
    notes = {"unresolved_groups": groups.remaining, "locations_not_fetched": fetched.report.failed + signed}
    updated = [
        _update_notes(record, notes, left_out=members.left_out_notes, found_later=more)
        for record, more in zip(records, wanted, strict=True)
    ]
    connection.register("updated_records", pa.Table.from_pylist(updated, DIM_BATCH.arrow))
    upsert(connection, transaction, DIM_BATCH, "updated_records", keep="new")
    return RetryOutcome(
        batch_id=batch.batch_id,
        report=fetched.report,
        members=members,
        remaining=groups.remaining,
        signed=signed,
        wanted_now=max(wanted),
    )


def _read_records(connection: duckdb.DuckDBPyConnection, batch_id: str) -> list[BatchRecord]:
    """Return the batch's records, one for each state. Raise PayerFileError if it was removed meanwhile."""
    found: list[BatchRecord] = (
        connection.sql("FROM batches WHERE batch_id = ?", params=[batch_id]).to_arrow_table().to_pylist()
    )
    if not found:
        raise PayerFileError(f"{batch_id}: this batch is no longer in the store; nothing has changed")
    return found


def _match_groups(connection: duckdb.DuckDBPyConnection, batch_id: str, spools: SpoolSet) -> _BatchGroups:
    """Match the groups whose members are in the spools with those of the batch in the store."""
    keys = connection.execute(f"SELECT DISTINCT key FROM {parquet_rows([spools.group_parts.glob])}").fetchall()
    found = {key for (key,) in keys}
    rows = connection.execute(
        "SELECT provider_group_id_raw, network_names, resolved FROM groups WHERE batch_id = ?", [batch_id]
    ).fetchall()
    used: dict[int, str] = {}
    networks: dict[int, list[str]] = {}
    remaining = 0
    for raw, network_names, resolved in rows:
        key = group_key(raw)
        if key in found:
            used[key], networks[key] = raw, network_names
        elif not resolved:
            remaining += 1
    return _BatchGroups(np.array(sorted(found), np.uint64), used, networks, remaining)


def _index_groups(directory: Path, batch_id: str, groups: _BatchGroups) -> GroupIndex:
    keys = np.array(sorted(groups.used), np.uint64)
    raws = [groups.used[key] for key in keys.tolist()]
    write_group_index(
        directory, batch_id, keys, pl.DataFrame({"key": keys, "raw": raws}, {"key": pl.UInt64, "raw": pl.String})
    )
    return GroupIndex(directory)


def _count_wanted(
    connection: duckdb.DuckDBPyConnection,
    transaction: Transaction,
    spools: Path,
    keys: Keys,
    filters: list[RateFilter],
) -> int:
    """Return how many of the groups some filter on providers may want.

    Only the members that were fetched now are in the spools. So it is enough that they meet one condition of a filter:
    members that the file lists may meet the others.
    """
    conditions = {
        condition
        for one in filters
        for condition in (RateFilter(npis=one.npis), RateFilter(tins=one.tins), RateFilter(in_state=one.in_state))
        if condition.of_providers
    }
    masks = match_provider_filters(connection, transaction, spools, keys, list(conditions))
    return int(np.count_nonzero(masks))


def _update_notes(
    record: BatchRecord, notes: dict[str, Any], *, left_out: dict[str, int], found_later: int
) -> BatchRecord:
    """Return the record with its notes brought up to date."""
    before = json.loads(record["notes"])
    counts = {
        **before,
        **notes,
        **{note: before.get(note, 0) + count for note, count in left_out.items()},
        FOUND_LATER: before.get(FOUND_LATER, 0) + found_later,
    }
    text = json.dumps({name: count for name, count in counts.items() if count}, sort_keys=True)
    return {**record, "notes": text}
