"""The amounts of the physician fee schedule against the formula in decimal arithmetic."""

from pathlib import Path

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from core.reference.medicare.physician_amounts import compute_amounts, compute_cents
from core.reference.medicare.physician_files import (
    Locality,
    PhysicianFeeSchedule,
    RelativeValue,
    RelativeValues,
    read_fee_schedule,
)
from tests.reference.medicare.physician_reference import by_formula

relative_values = st.builds(
    RelativeValue,
    code=st.just("99213"),
    modifier=st.just(""),
    status=st.just("A"),
    work=st.integers(0, 20_000),
    nonfacility_pe=st.integers(0, 90_000) | st.none(),
    facility_pe=st.integers(0, 90_000) | st.none(),
    malpractice=st.integers(0, 5_000),
)


places = st.builds(
    Locality,
    contractor=st.just("10212"),
    state=st.just("GA"),
    number=st.just("01"),
    name=st.just("ATLANTA"),
    work=st.integers(900, 1_500),
    pe=st.integers(700, 1_500),
    malpractice=st.integers(200, 2_600),
)


factors = st.integers(300_000, 400_000)


ONE_UNIT = RelativeValue("1", "", "A", work=100, nonfacility_pe=0, facility_pe=0, malpractice=0)
AVERAGE = Locality("1", "GA", "01", "", work=1000, pe=1000, malpractice=1000)
FACTOR = 323_450
"""With these, 1.00 x 1.000 x 32.3450 is 32.345 dollars: half a cent."""


@given(st.lists(relative_values, max_size=4), st.lists(places, max_size=4), factors, st.booleans())
@example([ONE_UNIT], [AVERAGE], FACTOR, False)
def test_amounts_equal_the_formula(
    values: list[RelativeValue], localities: list[Locality], factor: int, facility: bool
) -> None:
    table = compute_cents(values, localities, factor, facility=facility)
    for row, value in enumerate(values):
        for column, place in enumerate(localities):
            expected = by_formula(value, place, factor, facility=facility)
            assert table[row, column] == int((expected or 0) * 100)


def test_a_visit_in_los_angeles_in_july_2026_is_paid_105_dollars_and_1_cent(shared: Path) -> None:
    mpfs = shared / "medicare" / "mpfs"
    schedule = read_fee_schedule([mpfs / "GPCI2026.csv", mpfs / "PPRRVU2026_Jul_nonQPP.csv"])
    values, localities = schedule.values, schedule.localities
    assert (values.release, values.conversion_factor) == ("2026-07", 334_009)
    (visit,) = (row for row in values.rows if row.code == "99213")
    (place,) = (one for one in localities if one.contractor == "01182" and one.number == "18")
    assert compute_cents([visit], [place], values.conversion_factor, facility=False)[0, 0] == 105_01


def test_the_largest_amounts_fit_in_64_bits() -> None:
    largest = RelativeValue("1", "", "A", 10**6, 10**6, 10**6, 10**6)
    place = Locality("1", "AK", "01", "", 3000, 3000, 3000)
    assert compute_cents([largest], [place], 10**6, facility=True)[0, 0] == 10**6 * 3000 * 3 * 10**6 // 10**7
    assert compute_cents([], [place], 10**6, facility=True).shape == (0, 1)
    assert compute_cents([largest], [], 10**6, facility=True).dtype == np.int64


def test_anesthesia_with_a_modifier_has_no_amount() -> None:
    rows = [
        RelativeValue("00100", modifier, "J", work=0, nonfacility_pe=0, facility_pe=0, malpractice=0)
        for modifier in ("", "53")
    ]
    schedule = PhysicianFeeSchedule(
        values=RelativeValues("2025-01", FACTOR, tuple(rows)),
        localities=(AVERAGE,),
        anesthesia={("1", "01"): 20_31},
        base_units={"00100": 5},
        files=(),
        notes=(),
    )
    assert compute_amounts(schedule, rows, facility=False).tolist() == [[101_55], [0]]


def test_anesthesia_without_base_units_or_without_the_localitys_factor_has_no_amount() -> None:
    rows = [
        RelativeValue(code, "", "J", work=0, nonfacility_pe=0, facility_pe=0, malpractice=0)
        for code in ("00100", "00102")
    ]
    elsewhere = Locality("1", "GA", "99", "", work=1000, pe=1000, malpractice=1000)
    schedule = PhysicianFeeSchedule(
        values=RelativeValues("2025-01", FACTOR, tuple(rows)),
        localities=(AVERAGE, elsewhere),
        anesthesia={("1", "01"): 20_31},
        base_units={"00100": 5},
        files=(),
        notes=(),
    )
    assert compute_amounts(schedule, rows, facility=False).tolist() == [[101_55, 0], [0, 0]]
