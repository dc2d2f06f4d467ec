"""The amounts of the physician fee schedule against the formula in decimal arithmetic."""

from pathlib import Path

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from core.reference.medicare.professional.imaging_caps import ImagingCaps
from core.reference.medicare.professional.physician_amounts import compute_amounts, compute_caps, compute_cents
from core.reference.medicare.professional.physician_files import (
    Locality,
    PhysicianFeeSchedule,
    RelativeValue,
    RelativeValues,
    read_fee_schedule,
)
from tests.reference.medicare.professional.physician_reference import by_formula

relative_values = st.builds(
    RelativeValue,
    code=st.just("99213"),
    modifier=st.just(""),
    status=st.just("A"),
    work=st.integers(0, 20_000),
    nonfacility_pe=st.integers(0, 90_000),
    facility_pe=st.integers(0, 90_000),
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


def schedule_of(*rows: RelativeValue, caps: ImagingCaps | None = None) -> PhysicianFeeSchedule:
    return PhysicianFeeSchedule(
        values=RelativeValues("2025-10", 323_465, rows),
        localities=(AVERAGE,),
        anesthesia={},
        base_units={},
        files=(),
        notes=(),
        caps=caps or {},
    )


def test_imaging_is_paid_at_most_the_outpatient_price() -> None:
    """CT angiography of the head, 70496, in October 2025, where all indices are 1: the figures of PPRRVU2025_Oct."""
    rows = [
        RelativeValue("70496", "", "A", 175, 656, 656, 11, facility_na=True, cap_pe=611, cap_malpractice=11),
        RelativeValue("70496", "TC", "A", 0, 593, 593, 3, facility_na=True, cap_pe=548, cap_malpractice=3),
        RelativeValue("70496", "26", "A", 175, 63, 63, 8),
    ]
    schedule = schedule_of(*rows)
    formula = compute_cents(rows, schedule.localities, 323_465, facility=False)
    assert formula.tolist() == [[272_36], [192_79], [79_57]]
    for facility in (False, True):
        assert compute_caps(schedule, rows, facility=facility).tolist() == [[257_80], [178_23], [0]]
        assert compute_amounts(schedule, rows, facility=facility).tolist() == [[257_80], [178_23], [79_57]]


def test_a_limit_above_the_amount_changes_nothing() -> None:
    rows = [RelativeValue("70450", "", "A", 85, 235, 235, 5, cap_pe=358, cap_malpractice=6)]
    assert compute_amounts(schedule_of(*rows), rows, facility=False).tolist() == [[105_13]]


def test_what_the_contractor_prices_has_the_limit_as_its_amount() -> None:
    """70170: the limit of the whole service has the work of its reading, as its own row has none."""
    rows = [
        RelativeValue("70170", "", "C", 0, 0, 0, 0, cap_pe=757, cap_malpractice=3),
        RelativeValue("70170", "TC", "C", 0, 0, 0, 0, cap_pe=744, cap_malpractice=1),
        RelativeValue("70170", "26", "A", 30, 13, 13, 2),
        RelativeValue("99499", "", "C", 0, 0, 0, 0),
    ]
    schedule = schedule_of(*rows)
    assert compute_amounts(schedule, rows, facility=False).tolist() == [[255_54], [240_98], [14_56], [0]]


def test_the_limits_of_the_oppscap_file_take_the_place_of_computed_ones_where_it_has_them() -> None:
    rows = [
        RelativeValue("70496", "", "A", 175, 656, 656, 11, cap_pe=611, cap_malpractice=11),
        RelativeValue("70496", "TC", "A", 0, 593, 593, 3, cap_pe=548, cap_malpractice=3),
    ]
    caps = {
        ("70496", "", "1", "01"): (250_00, 240_00),
        ("70496", "", "1", "02"): (1_00, 1_00),
        ("70498", "", "1", "01"): (1_00, 1_00),
    }
    schedule = schedule_of(*rows, caps=caps)
    assert compute_amounts(schedule, rows, facility=False).tolist() == [[250_00], [178_23]]
    assert compute_amounts(schedule, rows, facility=True).tolist() == [[240_00], [178_23]]
