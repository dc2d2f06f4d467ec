"""Load the Medicare physician fee schedule: each state's mean amounts, every locality's, and the national ones."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from core.reference.benchmark_release import (
    ANESTHESIA,
    NOT_IN_LIST,
    NOT_PRICED,
    PACKAGED,
    LoadedBenchmark,
    encode_texts,
    put_release,
)
from core.reference.medicare.professional.physician_amounts import Cents, compute_amounts, compute_cents
from core.reference.medicare.professional.physician_files import (
    ANESTHESIA_STATUS,
    CONTRACTOR_STATUS,
    MODIFIERS,
    NATIONAL_AMOUNTS,
    STATUSES,
    PhysicianFeeSchedule,
    RelativeValue,
    read_fee_schedule,
)
from core.store.generations.store import Store
from core.store.schema.tables import BENCH_MEDICARE_PROF, BENCH_MEDICARE_PROF_LOCALITY

HELP = """\
  medicare_prof   The Medicare physician fee schedule, for every state. Takes the relative value file (PPRRVU…) and the
                  GPCI file of the same year, or the zip file that has both. Anesthesia is priced too if the anesthesia
                  factors (ANES…) and CMS's file of base units are among the files. The zip file's other files are
                  used (imaging caps, OPPSCAP…) or passed over, and of several formats of one table the first.

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
    """Load one release. Raise ReferenceFileError or StoreError if that fails; the store is then unchanged."""
    schedule = read_fee_schedule(paths, year_month=year_month, gpci=gpci, no_floor=no_floor, qpp=qpp)
    table = AmountTable.of(schedule)
    left_out = Counter(
        _left_out_reason(value) for value, priced in zip(schedule.values.rows, table.priced, strict=True) if not priced
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
        notes=(
            *schedule.notes,
            *_cap_notes(schedule, table),
            *_unknown_statuses(schedule.values.rows),
            f"means over {len(schedule.localities)} localities in {len(states)} states",
        ),
    )
    by_locality = {BENCH_MEDICARE_PROF_LOCALITY: locality_rows(schedule, table)}
    return put_release(store, BENCH_MEDICARE_PROF, StateAmounts(schedule, table), loaded, by_locality)


@dataclass(frozen=True)
class AmountTable:
    """Every row's amounts in every locality, in cents, 0 for none."""

    nonfacility: Cents
    facility: Cents
    capped: npt.NDArray[np.bool_]
    """Which rows have an amount that the outpatient price limits in some locality."""

    @classmethod
    def of(cls, schedule: PhysicianFeeSchedule) -> "AmountTable":
        """Return the amounts of a schedule's rows, in their order."""
        rows = schedule.values.rows
        nonfacility, facility = (compute_amounts(schedule, rows, facility=one) for one in (False, True))
        formula = compute_cents(rows, schedule.localities, schedule.values.conversion_factor, facility=False)
        return cls(nonfacility=nonfacility, facility=facility, capped=np.asarray((nonfacility < formula).any(axis=1)))

    @property
    def priced(self) -> npt.NDArray[np.bool_]:
        """Which rows have an amount."""
        return np.asarray((self.nonfacility > 0).any(axis=1) | (self.facility > 0).any(axis=1))


class StateAmounts:
    """A function from a state to its rows of bench_medicare_prof, one per code, without year_month.

    What is the same in every state is computed once; a call computes means over the state's localities.
    """

    def __init__(self, schedule: PhysicianFeeSchedule, table: AmountTable) -> None:
        self._schedule = schedule
        self._table = table
        rows = schedule.values.rows
        self._codes = sorted({(row.code_type, row.code) for row in rows})
        position = {code: number for number, (_, code) in enumerate(self._codes)}
        # For each modifier: the positions of its rows' codes, and the numbers of these rows.
        self._rows = {
            modifier: np.array(
                [(position[row.code], n) for n, row in enumerate(rows) if row.modifier == modifier], np.int64
            ).reshape(-1, 2)
            for modifier in MODIFIERS
        }
        without_modifier: dict[str, RelativeValue] = {row.code: row for row in rows if not row.modifier}
        plain = [without_modifier.get(code) for _, code in self._codes]
        priced = {
            row.code for row, has_amount in zip(rows, table.priced, strict=True) if has_amount and not row.modifier
        }
        self._fixed_columns = pl.DataFrame(
            {
                "code_type": [code_type for code_type, _ in self._codes],
                "code": [code for _, code in self._codes],
                "status": [row and row.status for row in plain],
                "reason": pl.Series([row and _unpriced_reason(row, priced) for row in plain], dtype=pl.String),
                "nonfacility_na": [row and row.nonfacility_na for row in plain],
                "facility_na": [row and row.facility_na for row in plain],
            }
        )

    def __call__(self, state: str) -> pl.DataFrame:
        """Return the state's rows."""
        localities = [n for n, place in enumerate(self._schedule.localities) if place.state == state]
        columns: dict[str, npt.NDArray[np.float64]] = {}
        for modifier in MODIFIERS:
            for setting, table in (("nonfacility", self._table.nonfacility), ("facility", self._table.facility)):
                cents = self._cents_by_code(modifier, table[:, localities])
                column = _amount_column(setting, modifier)
                # The sum of whole cents is exact, so that the division is the only rounding of the mean.
                columns[column] = cents.sum(axis=1) / (100 * len(localities))
                if not modifier:
                    columns[f"{column}_min"] = cents.min(axis=1) / 100
                    columns[f"{column}_max"] = cents.max(axis=1) / 100
        return self._fixed_columns.with_columns(
            *(pl.Series(name, values).replace(0.0, None) for name, values in columns.items()),
            state=pl.lit(state),
            localities=pl.lit(len(localities), pl.Int64),
            release=pl.lit(self._schedule.values.release),
            conversion_factor=pl.lit(self._schedule.values.conversion_factor / 10_000),
        )

    def _cents_by_code(self, modifier: str, table: Cents) -> Cents:
        """Return the amounts of the rows with a modifier, at the positions of their codes."""
        cents = np.zeros((len(self._codes), table.shape[1]), np.int64)
        codes, rows = self._rows[modifier].T
        cents[codes] = table[rows]
        return cents


def _left_out_reason(value: RelativeValue) -> str:
    if value.payable:
        return "no relative values"
    return f"status {value.status}, {STATUSES.get(value.status, NOT_IN_LIST)}"


def _unknown_statuses(rows: Sequence[RelativeValue]) -> Iterator[str]:
    """Yield a note for each status that STATUSES does not have: its codes are not priced."""
    unknown = Counter(row.status for row in rows if row.status not in STATUSES)
    for status, number in sorted(unknown.items()):
        yield f"status {status!r}, {NOT_IN_LIST}: {number} rows not priced"


def _cap_notes(schedule: PhysicianFeeSchedule, table: AmountTable) -> Iterator[str]:
    """Yield how imaging was limited."""
    rows = schedule.values.rows
    source = "the OPPSCAP file" if schedule.caps else "the relative values used for the OPPS payment amount"
    priced = table.priced.tolist()
    capped = sum(bool(value.payable and limited) for value, limited in zip(rows, table.capped.tolist(), strict=True))
    published = sum(
        value.status == CONTRACTOR_STATUS and has_amount for value, has_amount in zip(rows, priced, strict=True)
    )
    if capped:
        yield f"{capped} rows of imaging are limited to the hospital outpatient price, from {source}"
    if published:
        yield f"{published} rows that the contractor prices have the limit as their amount, from {source}"


def _unpriced_reason(row: RelativeValue, priced: set[str]) -> str | None:
    """Return why a code has nothing to compare with. Base units alone are not a price: anesthesia is paid by time."""
    if row.payable or (row.status != ANESTHESIA_STATUS and row.code in priced):
        return None
    return {"J": ANESTHESIA, "B": PACKAGED, "P": PACKAGED}.get(row.status, NOT_PRICED)


def _amount_column(setting: str, modifier: str) -> str:
    if not modifier:
        return "medicare_prof_rate" if setting == "nonfacility" else "facility_rate"
    return f"{setting}_rate_{modifier.lower()}"


def locality_rows(schedule: PhysicianFeeSchedule, table: AmountTable) -> Iterator[pa.Table]:
    """Yield the rows of bench_medicare_prof_locality that have an amount, sorted, one locality at a time.

    The national amounts are among them, as a locality of no state.
    """
    rows = schedule.values.rows
    nation = AmountTable.of(replace(schedule, localities=(NATIONAL_AMOUNTS,)))
    nonfacility = np.hstack([table.nonfacility, nation.nonfacility])
    facility = np.hstack([table.facility, nation.facility])
    order = sorted(np.flatnonzero(table.priced), key=lambda n: (rows[n].code_type, rows[n].code, rows[n].modifier))
    codes = {
        "code_type": encode_texts([rows[n].code_type for n in order]),
        "code": encode_texts([rows[n].code for n in order]),
        "modifier": encode_texts([rows[n].modifier for n in order]),
    }
    flags = {
        "nonfacility_na": pa.array([rows[n].nonfacility_na for n in order]),
        "facility_na": pa.array([rows[n].facility_na for n in order]),
    }
    places = (*schedule.localities, NATIONAL_AMOUNTS)
    numbered = sorted(enumerate(places), key=lambda one: (one[1].state, one[1].contractor, one[1].number))
    for number, place in numbered:
        locality = {
            "release": schedule.values.release,
            "state": place.state,
            "contractor": place.contractor,
            "locality": place.number,
            "locality_name": place.name,
        }
        amounts = {
            "nonfacility_rate": nonfacility[order, number],
            "facility_rate": facility[order, number],
        }
        rows_of_place = pa.table(
            {
                **{name: encode_texts([value], len(order)) for name, value in locality.items()},
                **codes,
                **{name: pa.array(cents / 100, mask=cents == 0) for name, cents in amounts.items()},
                **flags,
            }
        )
        # Anesthesia has a factor in each locality, and none for the nation.
        has_amount = (amounts["nonfacility_rate"] > 0) | (amounts["facility_rate"] > 0)
        yield rows_of_place if has_amount.all() else rows_of_place.filter(pa.array(has_amount))
