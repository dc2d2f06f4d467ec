"""The corrections of a published store in a local copy, beside those that were made here.

A copy's facts follow from the files that are published, so here is only written down what is missing, and why. A fact
that a correction of each kind has taken out belongs to the published one: --undo of the copy's own one must not bring
it back.
"""

from collections.abc import Callable, Sequence
from typing import Any

import duckdb
import polars as pl
import pyarrow.parquet as pq

from core.cluster.files.receipts import ClusterFile
from core.cluster.publication.publication_log import PublishedCorrection
from core.store.changes.corrections import FIRST_PUBLISHED
from core.store.changes.upsert import write_query
from core.store.generations.manifest import DataFile
from core.store.generations.store import Transaction
from core.store.schema.tables import CORRECTIONS, REMOVED_RATE
from core.store.sql import parquet_rows


def removed_files(corrections: Sequence[PublishedCorrection], states: Sequence[str]) -> list[ClusterFile]:
    """Return the files of what corrections in force have taken out in some states."""
    return [file for one in corrections if one.undone_at is None for file in one.removed if file.state in states]


def is_published(file: DataFile) -> bool:
    """Return whether a file of removed facts is of a correction of the published store."""
    return int(file.shard) >= FIRST_PUBLISHED


def put_corrections(
    transaction: Transaction,
    connection: duckdb.DuckDBPyConnection,
    corrections: Sequence[PublishedCorrection],
    states: Sequence[str],
    groups: str,
    fetch: Callable[[Sequence[ClusterFile]], list[str]],
) -> None:
    """Write the published corrections that concern some states, and what those in force have taken out there.

    `groups` is SQL of the rows of dim_provider_group, and `fetch` returns local paths of published files.
    """
    before = [row for path in transaction.paths(CORRECTIONS.name) for row in pq.read_table(path).to_pylist()]
    own = {row["correction_id"]: row for row in before if row["correction_id"] < FIRST_PUBLISHED}
    if len(own) == len(before) and not corrections:
        return
    transaction.replace(REMOVED_RATE.name, filter(is_published, transaction.files(REMOVED_RATE.name)))
    published: list[dict[str, Any]] = []
    for one in corrections:
        files = [file for file in one.removed if file.state in states]
        if not files:
            continue
        rows = sum(file.rows for file in files)
        published.append({name: getattr(one, name) for name in CORRECTIONS.names} | {"rows": rows})
        if one.undone_at is None:
            removed = f"""SELECT {one.correction_id} AS correction_id, batch_id, removed.*
                          FROM {parquet_rows(fetch(files))} removed LEFT JOIN ({groups}) USING (pg_uid)"""
            _put_removed(transaction, connection, str(one.correction_id), removed)
    _leave_to_published(transaction, connection, own)
    names = {"undone_at": pl.Datetime("us", "UTC"), "created_at": pl.Datetime("us", "UTC")}
    connection.register("all_corrections", pl.DataFrame([*own.values(), *published], schema_overrides=names))
    path = transaction.new_file(CORRECTIONS.name)
    sql = "FROM all_corrections ORDER BY correction_id"
    transaction.put(CORRECTIONS.name, path, write_query(connection, path, CORRECTIONS, sql, transaction.sizes))


def _leave_to_published(
    transaction: Transaction, connection: duckdb.DuckDBPyConnection, own: dict[int, dict[str, Any]]
) -> None:
    """Take facts that published corrections have taken out, out of the files of this copy's own corrections."""
    files = transaction.files(REMOVED_RATE.name)
    theirs = [transaction.path(file) for file in files if is_published(file)]
    for file in files if theirs else ():
        if is_published(file):
            continue
        path = transaction.path(file)
        sql = f"FROM {parquet_rows([path])} here ANTI JOIN {parquet_rows(theirs)} theirs USING (fact_uid)"
        rows = int(connection.execute(f"SELECT count(*) {sql}").fetchall()[0][0])
        if rows < file.rows:
            transaction.replace(REMOVED_RATE.name, [file])
            if rows:
                _put_removed(transaction, connection, file.shard, sql)
            own[int(file.shard)]["rows"] = rows


def _put_removed(transaction: Transaction, connection: duckdb.DuckDBPyConnection, shard: str, sql: str) -> None:
    path = transaction.new_file(REMOVED_RATE.name, shard)
    ordered = f"FROM ({sql}) ORDER BY {', '.join(REMOVED_RATE.order)}"
    transaction.put(
        REMOVED_RATE.name, path, write_query(connection, path, REMOVED_RATE, ordered, transaction.sizes), shard
    )
