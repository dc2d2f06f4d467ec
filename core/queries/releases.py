"""The releases of fee schedules that are loaded."""

import json
from dataclasses import dataclass, replace
from typing import Annotated

from core.queries.rules.columns import (
    ReleaseMonth,
    described,
    stored,
)
from core.queries.rules.named_rows import read_rows
from core.store.connection import Snapshot
from core.store.schema.tables import DIM_BENCHMARK


def oldest_schedule_if_newer(db: Snapshot, year_month: str) -> str:
    """Return the month of the oldest loaded physician fee schedule if it is newer than a month, or else no text."""
    releases = [one.release for one in list_releases(db) if one.kind == "medicare_prof"]
    return min(releases) if releases and year_month < min(releases) else ""


@dataclass(frozen=True)
class Release:
    """A loaded release of a fee schedule."""

    kind: Annotated[str, stored(DIM_BENCHMARK, "kind", "medicare_prof")]
    state: Annotated[str, stored(DIM_BENCHMARK, "state", "GA")]
    release: ReleaseMonth
    files: Annotated[list[str], stored(DIM_BENCHMARK, "files", ["PPRRVU2025_Oct.csv", "GPCI2025.csv"])]
    rows_read: Annotated[int, stored(DIM_BENCHMARK, "rows_read", 12)]
    rows_priced: Annotated[int, stored(DIM_BENCHMARK, "rows_priced", 12)]
    notes: Annotated[list[str], stored(DIM_BENCHMARK, "notes", ["work GPCI with the 1.0 floor"])]
    left_out: Annotated[dict[str, int], described("Number of rows without an amount, by reason.", {"not covered": 12})]


def list_releases(db: Snapshot) -> list[Release]:
    """Return the benchmark releases that are loaded, by kind, newest first."""
    rows = read_rows(
        db,
        Release,
        """SELECT kind, state, release, files, rows_read, rows_priced, notes, left_out
           FROM dim_benchmark ORDER BY kind, state, release DESC""",
    )
    return [replace(row, left_out=json.loads(str(row.left_out))) for row in rows]  # the column is JSON text
