"""Take facts out of their files, and show beforehand which ones."""

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from core.runtime.progress import Progress
from core.store.changes.selection import Selection
from core.store.changes.sorted_facts import FactFile
from core.store.generations.manifest import DataFile, Manifest
from core.store.generations.store import Store, Transaction
from core.store.parquet.writer import write_table
from core.store.schema.tables import FACT_RATE
from core.store.sql import parquet_rows
from core.store.writer_connection import connect_for_writing

MAX_EXAMPLES = 10

MAX_VALUES_SHOWN = 20
"""Values of a column that a preview shows: those with the most facts."""


@dataclass(frozen=True)
class Preview:
    """What a selection finds: the number of facts, also by payer, by month and by code, and some of the facts."""

    rows: int
    by: dict[str, list[tuple[str, int]]]
    """At most MAX_VALUES_SHOWN of each, those with the most facts first."""
    examples: list[dict[str, Any]]


def preview_removal(store: Store, selection: Selection) -> Preview:
    """Count what a removal would take out. Takes no lock and changes nothing."""
    with store.read() as manifest, tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as work:
        connection = connect_for_writing(Path(work))
        try:
            selection.prepare(connection, _paths_by_table(store, manifest))
            paths = [store.directory.path(file) for file in manifest.tables.get(FACT_RATE.name, ())]
            if not paths:
                return Preview(0, {}, [])
            return preview_facts(connection, paths, selection)
        finally:
            connection.close()


def preview_facts(connection: duckdb.DuckDBPyConnection, paths: list[str], selection: Selection) -> Preview:
    """Count what a selection finds in files of facts. `selection.prepare` was called with the connection."""
    found, parameters = f"(SELECT * FROM {parquet_rows(paths)} f WHERE {selection.where})", selection.parameters
    by: dict[str, list[tuple[str, int]]] = {}
    for title, value in (
        ("payer", "reporting_entity_name"),
        ("month", "state || ' ' || year_month"),
        ("code", "code_type || ' ' || code"),
    ):
        by[title] = connection.execute(
            f"""SELECT {value} AS value, count(*) AS n FROM {found}
                GROUP BY 1 ORDER BY n DESC, value LIMIT {MAX_VALUES_SHOWN}""",
            parameters,
        ).fetchall()
    rows = int(connection.execute(f"SELECT count(*) FROM {found}", parameters).fetchall()[0][0])
    columns = "state, year_month, reporting_entity_name, code_type, code, negotiated_type, negotiated_rate, fact_uid"
    cursor = connection.execute(f"SELECT {columns} FROM {found} ORDER BY ALL LIMIT {MAX_EXAMPLES}", parameters)
    names = columns.split(", ")
    return Preview(rows, by, [dict(zip(names, row, strict=True)) for row in cursor.fetchall()])


def take_out(
    transaction: Transaction,
    connection: duckdb.DuckDBPyConnection,
    selection: Selection,
    progress: Progress | None = None,
) -> tuple[list[str], int]:
    """Rewrite the files that contain selected facts without them. Return files of the removed facts, and their number.

    Those files are sorted as facts are, below the transaction's working directory. Files without a selected fact stay.
    Memory: one byte for each fact of a file, and one row group.
    """
    files = transaction.files(FACT_RATE.name)
    selection.prepare(connection, {name: transaction.paths(name) for name in transaction.base.tables})
    removed: list[str] = []
    rows = done = 0
    for file in files:
        chosen = find_chosen(connection, transaction.path(file), file.rows, selection)
        if chosen.any():
            path = transaction.work / f"removed-{len(removed):06}.parquet"
            rows += write_table(
                path, FACT_RATE, marked_rows(transaction.path(file), chosen), transaction.sizes.row_group_rows
            )
            removed.append(str(path))
            rewrite(transaction, file, ~chosen)
        done += file.rows
        if progress:
            progress(done, sum(file.rows for file in files))
    return removed, rows


def rewrite(transaction: Transaction, file: DataFile, kept: npt.NDArray[np.bool_]) -> None:
    """Replace a file of facts by one with its `kept` rows, or by none if it keeps no row."""
    if not kept.any():
        transaction.replace(FACT_RATE.name, [file])
        return
    path = transaction.new_file(FACT_RATE.name, file.shard)
    rows = write_table(path, FACT_RATE, marked_rows(transaction.path(file), kept), transaction.sizes.row_group_rows)
    transaction.replace(FACT_RATE.name, [file], path, rows, file.shard)


def find_chosen(
    connection: duckdb.DuckDBPyConnection, path: str, rows: int, selection: Selection
) -> npt.NDArray[np.bool_]:
    """Return which rows of a file of facts are selected."""
    return find_rows(connection, path, rows, selection.where, selection.parameters)


def find_rows(
    connection: duckdb.DuckDBPyConnection, path: str, rows: int, where: str, parameters: Mapping[str, Any]
) -> npt.NDArray[np.bool_]:
    """Return which rows of a file meet a condition on f. Row numbers, unlike rows, may come in any order."""
    chosen = np.zeros(rows, bool)
    found = connection.sql(
        f"SELECT file_row_number FROM {parquet_rows([path], 'file_row_number = true')} f WHERE {where}",
        params=dict(parameters),
    )
    for batch in found.to_arrow_reader(1 << 16):
        chosen[batch.column(0).to_numpy()] = True
    return chosen


def marked_rows(path: str, rows: npt.NDArray[np.bool_]) -> Iterator[pa.Table]:
    """Yield the marked rows of a file, sorted."""
    file = FactFile(path)
    try:
        yield from file.marked_rows(rows)
    finally:
        file.close()


def _paths_by_table(store: Store, manifest: Manifest) -> dict[str, list[str]]:
    return {name: [store.directory.path(file) for file in files] for name, files in manifest.tables.items()}
