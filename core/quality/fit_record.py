"""Keep how well rates fit the schedules in the store, so that a comparison need not measure it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import polars as pl
import pyarrow.parquet as pq

from core.quality.schedule_fit import FitScope, find_surgical_centers, measure_fits
from core.store.connection import Snapshot
from core.store.generations.store import Store, Transaction
from core.store.parquet.writer import write_table
from core.store.schema.fit_tables import FIT_TABLES, SCHEDULE_FIT, SURGICAL_CENTER_GROUP
from core.store.schema.tables import Table

EVERYTHING = FitScope()


def update_fits(store: Store, db: Snapshot, scope: FitScope = EVERYTHING, wait: float | None = None) -> bool:
    """Measure the rates of the scope in the generation `db`, and keep what was found in place of what was known.

    Return whether anything is new: only then does the store get a generation. Raise StoreError if the store cannot be
    written, or if another writer holds it for longer than `wait` seconds; the store is then unchanged.
    """
    fits = [asdict(fit) for fit in measure_fits(db, scope)]
    groups = [asdict(group) for group in find_surgical_centers(db, scope)]
    if not fits and not groups and not any(db.manifest.rows(table.name) for table in FIT_TABLES):
        return False
    with store.write(wait) as transaction:
        changed = [
            _replace_rows(transaction, SCHEDULE_FIT, fits, scope.includes_fit),
            _replace_rows(transaction, SURGICAL_CENTER_GROUP, groups, scope.includes_group),
        ]
        if any(changed):
            transaction.commit()
    return any(changed)


def _replace_rows(
    transaction: Transaction,
    table: Table,
    new: Sequence[Mapping[str, Any]],
    is_replaced: Callable[[Mapping[str, Any]], bool],
) -> bool:
    """Put rows into a small table in place of the old ones that are replaced. Return whether that changes anything."""
    old = [row for path in transaction.paths(table.name) for row in pq.read_table(path).to_pylist()]
    kept = [row for row in old if not is_replaced(row)]

    def in_order(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        return sorted(rows, key=lambda row: tuple(row[name] for name in table.key))

    rows = in_order([*kept, *new])
    if rows == in_order(old):
        return False
    frame = pl.DataFrame(rows, schema=pl.DataFrame(table.arrow.empty_table()).schema)
    path = transaction.new_file(table.name)
    transaction.put(
        table.name, path, write_table(path, table, [frame.select(table.names).to_arrow().cast(table.arrow)])
    )
    return True
