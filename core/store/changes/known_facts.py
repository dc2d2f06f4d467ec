"""Find the facts of a batch that are in the store already, or that a correction has removed."""

from pathlib import Path

import duckdb
import numpy as np
import polars as pl

from core.store.changes.corrections import removed_uids
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
    shard = transaction.layout.shard(period)
    facts = [transaction.path(file) for file in transaction.files(FACT_RATE.name, shard)]
    path = directory / "known.bin"
    with path.open("wb") as file:
        if facts:
            rows = connection.sql(
                f"""SELECT fact_uid FROM {parquet_rows(facts)}
                    SEMI JOIN (SELECT pg_uid FROM {parquet_rows(transaction.paths(DIM_PROVIDER_GROUP.name))}
                               WHERE batch_id = ?) USING (pg_uid)
                    WHERE state = ?""",
                params=[batch_id, period.state],
            ).to_arrow_reader(1 << 16)
            for batch in rows:
                ids.hash_words(pl.Series(batch.column(0))).tofile(file)
        ids.hash_words(removed_uids(transaction, batch_id, period.state)).tofile(file)
    return path


def read_known(path: Path, start: int, count: int) -> ids.type_of_hash:
    """Return up to `count` fact_uids from the position `start` on, as an array of shape (n, 2)."""
    return np.fromfile(path, np.uint64, 2 * count, offset=16 * start).reshape(-1, 2)
