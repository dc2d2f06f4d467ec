"""Take a payer's file out of the store as if it had never been loaded, so that it can be loaded again.

A correction remembers what it removed, and loading the file again leaves that out. Where the file itself is to be read
again (another month, by a version that reads it better), the store has to forget it first.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from core.runtime.errors import BeaconError
from core.runtime.progress import Progress
from core.store.changes.removal import find_rows, rewrite
from core.store.generations.store import Store, Transaction
from core.store.parquet.writer import write_table
from core.store.schema.tables import DIM_BATCH, DIM_PROVIDER_GROUP, FACT_RATE, REMOVED_RATE, TABLES, Table
from core.store.sql import parquet_rows, stored_rows
from core.store.writer_connection import connect_for_writing

_MEMORY = "256MB"
_OF_GROUPS = "f.pg_uid IN (SELECT pg_uid FROM forgotten)"


@dataclass(frozen=True)
class Forgotten:
    """What a file had in the store."""

    rates: int
    records: tuple[dict[str, Any], ...]
    """Its rows of dim_batch, one for each state."""


def forget(store: Store, batch_id: str, progress: Progress | None = None) -> Forgotten:
    """Take a file out of all tables, in all states that it was loaded for. Names of its codes and NPIs stay.

    `progress` gets the facts looked at so far and the facts in all. Raise BeaconError for a file that the store does
    not have, and for one of which a correction has removed rates; the store is then as it was.
    """
    store.loaded()
    with store.write() as transaction:
        connection = connect_for_writing(transaction.work, _MEMORY)
        try:
            records = _find_records(connection, transaction, batch_id)
            _expect_no_correction(connection, transaction, batch_id)
            groups = stored_rows(transaction, DIM_PROVIDER_GROUP)
            connection.execute(
                f"CREATE OR REPLACE TEMP TABLE forgotten AS SELECT pg_uid FROM {groups} WHERE batch_id = $1", [batch_id]
            )
            rates = _take_out_facts(transaction, connection, progress)
            for name in transaction.base.tables:
                if name in TABLES and name != FACT_RATE.name:
                    _take_out_of(transaction, connection, TABLES[name], batch_id)
            transaction.drop_rejects(batch_id)
        finally:
            connection.close()
        transaction.commit()
    return Forgotten(rates, records)


def _find_records(
    connection: duckdb.DuckDBPyConnection, transaction: Transaction, batch_id: str
) -> tuple[dict[str, Any], ...]:
    found = connection.sql(
        f"FROM {stored_rows(transaction, DIM_BATCH)} WHERE batch_id = $1 ORDER BY state", params=[batch_id]
    )
    records = found.to_arrow_table().to_pylist()
    if not records:
        raise BeaconError(f"batch {batch_id} is not in the store; dim_batch has the ids of its files")
    return tuple(records)


def _expect_no_correction(connection: duckdb.DuckDBPyConnection, transaction: Transaction, batch_id: str) -> None:
    """Raise BeaconError if a correction in force has removed rates of the file: they could not be put back any more."""
    paths = transaction.paths(REMOVED_RATE.name)
    if not paths:
        return
    found = connection.execute(
        f"SELECT DISTINCT correction_id FROM {parquet_rows(paths)} WHERE batch_id = $1 ORDER BY 1", [batch_id]
    ).fetchall()
    if found:
        undo = ", ".join(f"correct_rates --undo {number}" for (number,) in found)
        raise BeaconError(f"corrections have removed rates of this file; put them back first: {undo}")


def _take_out_facts(transaction: Transaction, connection: duckdb.DuckDBPyConnection, progress: Progress | None) -> int:
    """Rewrite the files of facts that have some of the file's groups. Return how many facts these are."""
    files = transaction.files(FACT_RATE.name)
    rates = done = 0
    for file in files:
        gone = find_rows(connection, transaction.path(file), file.rows, _OF_GROUPS, {})
        if gone.any():
            rewrite(transaction, file, ~gone)
            rates += int(gone.sum())
        done += file.rows
        if progress:
            progress(done, sum(one.rows for one in files))
    return rates


def _take_out_of(transaction: Transaction, connection: duckdb.DuckDBPyConnection, table: Table, batch_id: str) -> None:
    """Rewrite the files of a table that have rows of the file or of its groups. Files without any stay."""
    if "batch_id" in table.names:
        where, parameters = "f.batch_id = $batch_id", {"batch_id": batch_id}
    elif "pg_uid" in table.names:
        where, parameters = _OF_GROUPS, {}
    else:
        return
    for file in transaction.files(table.name):
        gone = find_rows(connection, transaction.path(file), file.rows, where, parameters)
        if gone.any():
            path = transaction.new_file(table.name, file.shard)
            rows = write_table(path, table, _rows_but(transaction.path(file), gone))
            transaction.replace(table.name, [file], path, rows, file.shard)


def _rows_but(path: str, gone: npt.NDArray[np.bool_]) -> Iterator[pa.Table]:
    start = 0
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches():
            yield pa.table(batch.filter(pa.array(~gone[start : start + batch.num_rows])))
            start += batch.num_rows
