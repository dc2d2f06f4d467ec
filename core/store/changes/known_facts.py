"""Find the facts of a batch that are in the store already, or that a correction has removed."""

from pathlib import Path

import duckdb
import numpy as np
import polars as pl

from core.store.changes.corrections import removed_facts
from core.store.generations.layout import StateMonth
from core.store.generations.store import Transaction
from core.store.schema import ids
from core.store.schema.tables import DIM_PROVIDER_GROUP, FACT_RATE
from core.store.sql import parquet_rows


def write_known(
    connection: duckdb.DuckDBPyConnection,
    transaction: Transaction,
    batch_id: str,
    period: StateMonth,
    directory: Path,
) -> Path:
    """Write the fact_uids that must not be added again to a file, as two machine words each. Return its path."""
    path = directory / f"known-{period.state}.bin"
    with path.open("wb") as file:
        if facts := _stored_facts(transaction, period):
            rows = connection.sql(f"SELECT fact_uid FROM {facts}", params=[batch_id, period.state])
            for batch in rows.to_arrow_reader(1 << 16):
                ids.hash_words(pl.Series(batch.column(0))).tofile(file)
        ids.hash_words(removed_facts(transaction, batch_id, period.state)["fact_uid"]).tofile(file)
    return path


def known_groups(
    connection: duckdb.DuckDBPyConnection, transaction: Transaction, batch_id: str, period: StateMonth
) -> set[str]:
    """Return the pg_uids of the facts that `write_known` writes."""
    found = set(removed_facts(transaction, batch_id, period.state)["pg_uid"])
    if facts := _stored_facts(transaction, period):
        rows = connection.execute(f"SELECT DISTINCT pg_uid FROM {facts}", [batch_id, period.state]).fetchall()
        found.update(pg_uid for (pg_uid,) in rows)
    return found


def _stored_facts(transaction: Transaction, period: StateMonth) -> str | None:
    """Return SQL of a batch's facts in a state and month, after FROM; None if the store has no such file.

    Its parameters are the batch and the state.
    """
    shard = transaction.layout.shard(period)
    files = [transaction.path(file) for file in transaction.files(FACT_RATE.name, shard)]
    if not files:
        return None
    groups = parquet_rows(transaction.paths(DIM_PROVIDER_GROUP.name))
    return f"""{parquet_rows(files)} SEMI JOIN (SELECT pg_uid FROM {groups} WHERE batch_id = ?) USING (pg_uid)
               WHERE state = ?"""


def read_known(path: Path, start: int, count: int) -> ids.type_of_hash:
    """Return up to `count` fact_uids from the position `start` on, as an array of shape (n, 2)."""
    return np.fromfile(path, np.uint64, 2 * count, offset=16 * start).reshape(-1, 2)
