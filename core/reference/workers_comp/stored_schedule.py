"""Read back what earlier loads have put into a state's release, so that a later one can add to it."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import duckdb

from core.reference.workers_comp.schedule_sheets import ScheduleKey, ScheduleLine, SheetOutcome
from core.store.generations.store import Transaction
from core.store.schema.tables import BENCH_WCFS, BENCH_WCFS_MODIFIER, DIM_BENCHMARK
from core.store.sql import stored_rows

AMOUNT_COLUMNS = {
    "amount": "wcfs_amount",
    "facility": "facility_amount",
    "outpatient": "outpatient_amount",
    "asc": "asc_amount",
    "rural": "rural_amount",
    "units": "base_units",
}
"""The columns of the store by the fields of AMOUNTS."""


@dataclass
class StoredSchedule:
    """The lines of a release as it is stored, and the sheets that they are from."""

    lines: dict[ScheduleKey, ScheduleLine] = field(default_factory=dict)
    sheets: list[SheetOutcome] = field(default_factory=list)

    def sheets_beside(self, new: Sequence[SheetOutcome]) -> list[SheetOutcome]:
        """Return the sheets of all loads: the `new` ones that were read, and the stored ones that they do not repeat.

        A file of an older program has one outcome without the name of a sheet.
        """
        read = [one for one in new if not one.skipped]
        again = {(one.file, name) for one in read for name in (one.name, "")}
        return [*(one for one in self.sheets if (one.file, one.name) not in again), *read]


def read_stored_schedule(
    connection: duckdb.DuckDBPyConnection, transaction: Transaction, state: str, release: str
) -> StoredSchedule:
    """Return what the store has of a state's release: nothing if it has not been loaded."""
    columns = ", ".join(AMOUNT_COLUMNS.values())
    rows = connection.execute(
        f"""SELECT code_type, code, '' AS modifier, wcfs_status, {columns} FROM {stored_rows(transaction, BENCH_WCFS)}
            WHERE state = $state AND year_month = $release AND release = $release AND wcfs_status <> 'modifiers only'
            UNION ALL SELECT code_type, code, modifier, wcfs_status, {columns}
            FROM {stored_rows(transaction, BENCH_WCFS_MODIFIER)} WHERE state = $state AND release = $release""",
        {"state": state, "release": release},
    ).fetchall()
    lines = {}
    for code_type, code, modifier, status, *amounts in rows:
        # The shortest text of a double of two decimals is the amount that was stored.
        given = {part: Decimal(repr(one)) for part, one in zip(AMOUNT_COLUMNS, amounts, strict=True) if one is not None}
        lines[ScheduleKey(code_type, code, modifier)] = ScheduleLine(given, by_report=status == "by report")
    records = connection.execute(
        f"""SELECT parts, files, rows_priced, left_out FROM {stored_rows(transaction, DIM_BENCHMARK)}
            WHERE kind = 'wcfs' AND state = $state AND release = $release""",
        {"state": state, "release": release},
    ).fetchall()
    return StoredSchedule(lines, [sheet for record in records for sheet in _sheets(*record)])


def _sheets(parts: list[str] | None, files: list[str], rows_priced: int, left_out: str) -> list[SheetOutcome]:
    if parts:
        return [SheetOutcome.from_json(part) for part in parts]
    return [SheetOutcome("", rows_priced, Counter(json.loads(left_out)), file=files[0] if files else "")]
