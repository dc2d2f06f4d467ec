"""Loads the Medicare physician fee schedule: every state's means, and the amounts of every locality."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from core.reference.benchmark_release import (
    ANESTHESIA,
    NOT_PRICED,
    PACKAGED,
    LoadedBenchmark,
    encode_texts,
    put_release,
)
from core.reference.medicare.physician_amounts import Cents, compute_amounts
from core.reference.medicare.physician_files import (
    MODIFIERS,
    STATUSES,
    PhysicianFeeSchedule,
    RelativeValue,
    read_fee_schedule,
)
from core.store.generations.store import Store
from core.store.schema.tables import BENCH_MEDICARE_PROF, BENCH_MEDICARE_PROF_LOCALITY

HELP = """\
  medicare_prof   the Medicare physician fee schedule, for every state: the relative value file (PPRRVU…) and the GPCI
                  file of its year, or the zip file that has both; anesthesia too, where the anesthesia factors (ANES…)
                  and CMS's file of base units are given

    manage.py load_benchmark medicare_prof PPRRVU2025_Oct.csv --gpci GPCI2025.csv
    manage.py load_benchmark medicare_prof RVU25D.zip
"""


def load(
    store: Store,
    paths: list[Path],
    *,
    year_month: str | None = None,
    gpci: Path | None = None,
    no_floor: bool = False,
    qpp: bool = False,
) -> LoadedBenchmark:
    """Loads one release. Raises ReferenceFileError and StoreError; the store is then as it was."""
    schedule = read_fee_schedule(paths, year_month=year_month, gpci=gpci, no_floor=no_floor, qpp=qpp)
    table = AmountTable.of(schedule)
    left_out = Counter(
        f"status {value.status}, {STATUSES.get(value.status, 'of no known meaning')}"
        if not value.payable
        else "no relative values"
        for value, priced in zip(schedule.values.rows, table.priced, strict=True)
        if not priced
    )
    states = sorted({place.state for place in schedule.localities})
    loaded = LoadedBenchmark(
        kind="medicare_prof",
        release=schedule.values.release,
        files=schedule.files,
        rows_read=len(schedule.values.rows),
        rows_priced=int(table.priced.sum()),
        left_out=dict(sorted(left_out.items())),
        states=tuple(states),
        notes=(*schedule.notes, f"means over {len(schedule.localities)} localities in {len(states)} states"),
    )
    by_locality = {BENCH_MEDICARE_PROF_LOCALITY: locality_rows(schedule, table)}
    return put_release(store, BENCH_MEDICARE_PROF, StateAmounts(schedule, table), loaded, by_locality)


@dataclass(frozen=True)
class AmountTable:
    """Every row's amounts in every locality, in cents, 0 for none."""

    nonfacility: Cents
    facility: Cents

    @classmethod
    def of(cls, schedule: PhysicianFeeSchedule) -> "AmountTable":
        """The amounts of a schedule's rows, in their order."""
        rows = schedule.values.rows
        return cls(compute_amounts(schedule, rows, facility=False), compute_amounts(schedule, rows, facility=True))

    @property
    def priced(self) -> npt.NDArray[np.bool_]:
        """Which rows have an amount."""
        return np.asarray((self.nonfacility > 0).any(axis=1) | (self.facility > 0).any(axis=1))


class StateAmounts:
    """The rows of bench_medicare_prof for a state, one per code, without year_month."""

    def __init__(self, schedule: PhysicianFeeSchedule, table: AmountTable) -> None:
        self._schedule = schedule
        self._table = table
        self._codes = sorted({(row.code_type, row.code) for row in schedule.values.rows})
        place = {code: number for number, (_, code) in enumerate(self._codes)}
        rows = schedule.values.rows
        # For each modifier, which code its rows are of, and which rows those are.
        self._rows = {
            modifier: np.array(
                [(place[row.code], n) for n, row in enumerate(rows) if row.modifier == modifier], np.int64
            ).reshape(-1, 2)
            for modifier in MODIFIERS
        }
        of_code: dict[str, RelativeValue] = {row.code: row for row in rows if not row.modifier}
        plain = [of_code.get(code) for _, code in self._codes]
        self._fixed = pl.DataFrame(
            {
                "code_type": [code_type for code_type, _ in self._codes],
                "code": [code for _, code in self._codes],
                "status": [row and row.status for row in plain],
                "reason": pl.Series([row and _reason(row) for row in plain], dtype=pl.String),
                "nonfacility_na": [row and row.nonfacility_pe is None for row in plain],
                "facility_na": [row and row.facility_pe is None for row in plain],
            }
        )

    def __call__(self, state: str) -> pl.DataFrame:
        """The state's rows."""
        here = [n for n, place in enumerate(self._schedule.localities) if place.state == state]
        columns: dict[str, npt.NDArray[np.float64]] = {}
        for modifier in MODIFIERS:
            for name, table in (("nonfacility", self._table.nonfacility), ("facility", self._table.facility)):
                cents = self._of_codes(modifier, table[:, here])
                column = _column(name, modifier)
                # The sum of whole cents is exact; the division is the one rounding of the mean.
                columns[column] = cents.sum(axis=1) / (100 * len(here))
                if not modifier:
                    columns[f"{column}_min"] = cents.min(axis=1) / 100
                    columns[f"{column}_max"] = cents.max(axis=1) / 100
        return self._fixed.with_columns(
            *(pl.Series(name, values).replace(0.0, None) for name, values in columns.items()),
            state=pl.lit(state),
            localities=pl.lit(len(here), pl.Int64),
            release=pl.lit(self._schedule.values.release),
            conversion_factor=pl.lit(self._schedule.values.conversion_factor / 10_000),
        )

    def _of_codes(self, modifier: str, table: Cents) -> Cents:
        """The rows with a modifier, at the places of their codes."""
        cents = np.zeros((len(self._codes), table.shape[1]), np.int64)
        codes, rows = self._rows[modifier].T
        cents[codes] = table[rows]
        return cents


def _reason(row: RelativeValue) -> str | None:
    """Why a code has nothing to compare with. Anesthesia is paid by time: its base units alone are no price."""
    if row.payable:
        return None
    return {"J": ANESTHESIA, "B": PACKAGED, "P": PACKAGED}.get(row.status, NOT_PRICED)


def _column(setting: str, modifier: str) -> str:
    if not modifier:
        return "medicare_prof_rate" if setting == "nonfacility" else "facility_rate"
    return f"{setting}_rate_{modifier.lower()}"


def locality_rows(schedule: PhysicianFeeSchedule, table: AmountTable) -> Iterator[pa.Table]:
    """The rows of bench_medicare_prof_locality, in its order, a locality at a time: the rows that have an amount."""
    rows = schedule.values.rows
    order = sorted(np.flatnonzero(table.priced), key=lambda n: (rows[n].code_type, rows[n].code, rows[n].modifier))
    texts = {
        "code_type": encode_texts([rows[n].code_type for n in order]),
        "code": encode_texts([rows[n].code for n in order]),
        "modifier": encode_texts([rows[n].modifier for n in order]),
    }
    places = sorted(enumerate(schedule.localities), key=lambda one: (one[1].state, one[1].contractor, one[1].number))
    for number, place in places:
        same = {
            "release": schedule.values.release,
            "state": place.state,
            "contractor": place.contractor,
            "locality": place.number,
            "locality_name": place.name,
        }
        amounts_here = {
            "nonfacility_rate": table.nonfacility[order, number],
            "facility_rate": table.facility[order, number],
        }
        yield pa.table(
            {
                **{name: encode_texts([value], len(order)) for name, value in same.items()},
                **texts,
                **{name: pa.array(cents / 100, mask=cents == 0) for name, cents in amounts_here.items()},
            }
        )
