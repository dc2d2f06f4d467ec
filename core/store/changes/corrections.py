"""Corrections: remove facts, record why, and put them back.

A correction is a row of `corrections`. While it is in force, the facts it removed are a file of `removed_rate`. So the
two tables always explain what is missing from a batch: rows added = facts in the store + facts removed.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from core.runtime.errors import BeaconError
from core.runtime.progress import Progress
from core.store.changes.append import append_facts
from core.store.changes.removal import take_out
from core.store.changes.selection import Selection
from core.store.changes.sorted_facts import FactFile, merge_facts, periods_of
from core.store.changes.upsert import upsert
from core.store.generations.layout import StateMonth
from core.store.generations.manifest import StoreError
from core.store.generations.store import Store, Transaction
from core.store.parquet.writer import write_table
from core.store.schema.tables import CORRECTIONS, DIM_PROVIDER_GROUP, FACT_RATE, REMOVED_RATE
from core.store.sql import parquet_rows
from core.store.writer_connection import connect_for_writing

FIRST_PUBLISHED = 1_000_001
"""The number of the first correction of a published store. A copy has such ones beside those of its own."""
_MEMORY = "256MB"


@dataclass(frozen=True)
class Correction:
    """A removal of facts. The fields are the columns of `corrections`."""

    correction_id: int
    selection: str
    reason: str
    rows: int
    created_at: datetime
    undone_at: datetime | None


def corrections(store: Store) -> list[Correction]:
    """Return every correction, oldest first."""
    with store.read() as manifest:
        return _read(manifest.paths(store.root, CORRECTIONS.name))


def remove(store: Store, selection: Selection, reason: str, progress: Progress | None = None) -> Correction:
    """Take the selected facts out of the store and remember them.

    `progress` gets the facts looked at so far and the facts in all. Raises BeaconError if no reason is given or no fact
    is selected, and StoreError; the store is then as it was.
    """
    if not reason.strip():
        raise BeaconError("a removal needs a reason, so that it can be understood later: --reason TEXT")
    store.loaded()
    with store.write() as transaction:
        connection = connect_for_writing(transaction.work, _MEMORY)
        try:
            removed, rows = take_out(transaction, connection, selection, progress)
            if not rows:
                raise BeaconError("no fact is selected; nothing was removed (--dry-run counts what a selection finds)")
            known = [c.correction_id for c in _read(transaction.paths(CORRECTIONS.name))]
            number = 1 + max((number for number in known if number < FIRST_PUBLISHED), default=0)
            text = json.dumps(selection.given)
            correction = Correction(number, text, reason.strip(), rows, datetime.now(UTC), None)
            _keep(transaction, connection, number, removed)
            _record(transaction, connection, correction)
        finally:
            connection.close()
        transaction.commit()
    return correction


def undo(store: Store, correction_id: int) -> Correction:
    """Put back exactly the facts that a correction removed.

    Raises BeaconError if no such correction is in force, and StoreError; the store is then as it was.
    """
    if correction_id >= FIRST_PUBLISHED:
        raise BeaconError(f"correction {correction_id} was made in the published store, and is undone there")
    store.loaded()
    with store.write() as transaction:
        known = {c.correction_id: c for c in _read(transaction.paths(CORRECTIONS.name))}
        before = known.get(correction_id)
        if before is None:
            numbers = ", ".join(map(str, known)) or "none"
            raise BeaconError(f"there is no correction {correction_id}; the corrections are: {numbers} (see --list)")
        if before.undone_at is not None:
            raise BeaconError(f"correction {correction_id} was undone on {before.undone_at:%Y-%m-%d at %H:%M} UTC")
        connection = connect_for_writing(transaction.work, _MEMORY)
        try:
            kept = transaction.files(REMOVED_RATE.name, str(correction_id))
            for file in kept:
                facts = FactFile(transaction.path(file))
                _expect_absent(transaction, connection, transaction.path(file), facts.periods)
                for period in facts.periods:
                    append_facts(transaction, facts.blocks_of(period))
                facts.close()
            transaction.replace(REMOVED_RATE.name, kept)
            correction = Correction(**{**vars(before), "undone_at": datetime.now(UTC)})
            _record(transaction, connection, correction)
        finally:
            connection.close()
        transaction.commit()
    return correction


def removed_facts(transaction: Transaction, batch_id: str, state: str) -> pl.DataFrame:
    """Return the fact_uid and pg_uid of a batch's facts in a state that corrections in force have removed, by fact_uid.

    Loading the batch again leaves these facts out.
    """
    paths = transaction.paths(REMOVED_RATE.name)
    if not paths:
        return pl.DataFrame(schema={"fact_uid": pl.String, "pg_uid": pl.String})
    rows = pl.scan_parquet(paths).filter((pl.col("batch_id") == batch_id) & (pl.col("state") == state))
    return rows.select("fact_uid", "pg_uid").sort("fact_uid").collect()


def _read(paths: list[str]) -> list[Correction]:
    return [Correction(**row) for path in paths for row in pq.read_table(path).to_pylist()]


def _record(transaction: Transaction, connection: duckdb.DuckDBPyConnection, correction: Correction) -> None:
    """Write the correction's row."""
    names = {"undone_at": pl.Datetime("us", "UTC"), "created_at": pl.Datetime("us", "UTC")}
    connection.register("one_correction", pl.DataFrame([vars(correction)], schema_overrides=names))
    upsert(connection, transaction, CORRECTIONS, "one_correction", keep="new")


def _keep(
    transaction: Transaction, connection: duckdb.DuckDBPyConnection, correction_id: int, removed: list[str]
) -> None:
    """Write the removed facts, with their batches, as the correction's file."""
    groups = parquet_rows(transaction.paths(DIM_PROVIDER_GROUP.name))
    batches = pl.DataFrame(
        connection.sql(
            f"SELECT pg_uid, batch_id FROM {groups} WHERE pg_uid IN (SELECT pg_uid FROM {parquet_rows(removed)})"
        )
        .to_arrow_reader()
        .read_all()
    )

    def blocks() -> Iterator[pa.Table]:
        for period, paths in periods_of(removed).items():
            for block in merge_facts(paths, period, transaction.work, transaction.sizes):
                uids = pl.DataFrame({"pg_uid": block["pg_uid"].cast(pa.string())})
                batch = uids.join(batches, on="pg_uid", how="left", maintain_order="left")["batch_id"].to_arrow()
                number = pa.repeat(pa.scalar(correction_id, pa.int64()), block.num_rows)
                marked = [number, batch.cast(pa.string()), *block.columns]
                yield pa.table(dict(zip(REMOVED_RATE.names, marked, strict=True)))

    path = transaction.new_file(REMOVED_RATE.name, str(correction_id))
    transaction.put(REMOVED_RATE.name, path, write_table(path, REMOVED_RATE, blocks()), str(correction_id))


def _expect_absent(
    transaction: Transaction, connection: duckdb.DuckDBPyConnection, removed: str, periods: list[StateMonth]
) -> None:
    """Raise StoreError if a fact of a file is in the store already."""
    shards = {transaction.layout.shard(period) for period in periods}
    facts = [transaction.path(file) for file in transaction.files(FACT_RATE.name) if file.shard in shards]
    if not facts:
        return
    again = connection.execute(
        f"SELECT count(*) FROM {parquet_rows(facts)} SEMI JOIN {parquet_rows([removed])} USING (fact_uid)"
    ).fetchall()[0][0]
    if again:
        raise StoreError(
            f"{transaction.root}: {again:,} of the removed facts are in the store again; to put them back would double "
            "them; the store is as it was; run dq_check"
        )
