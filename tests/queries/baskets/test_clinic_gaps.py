"""What gaps come to: by family of codes, and with the lowest and the highest of a clinic's several prices."""

import statistics
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from core.queries.baskets.clinic_gaps import sum_gaps
from core.queries.baskets.clinic_rows import ClinicPosition
from core.queries.contract_rule.code_families import OTHER_SERVICES, family_of

UNKNOWN: dict[str, Any] = dict.fromkeys(ClinicPosition.__dataclass_fields__)
PAYER = {"payer_slug": "p", "reporting_entity_name": "P", "is_odd": False, "is_given": False}
FAMILIES = {"73721": "imaging", "20610": "surgery", "29881": "surgery", "99213": "evaluation and management"}
DOLLARS = st.integers(20, 200).map(float)


def make_position(code: str, rate: float, middle: float, *, others: int = 9, **more: Any) -> ClinicPosition:
    """Return a line with the figures that follow from its prices."""
    figures = {"gap_to_middle": rate - middle, "difference": rate / middle - 1, "other_organizations": others}
    spread = {"lowest": rate, "highest": rate, "prices": 1, "middle_is_own": False}
    values: dict[str, Any] = {"code": code, "rate": rate, "middle": middle, **figures, **spread, **more}
    units = values.get("units")
    if units is not None and others >= 5:
        values["total_gap"] = (rate - middle) * units
    return ClinicPosition(**{**UNKNOWN, **PAYER, **values})


@st.composite
def list_lines(draw: Any) -> list[ClinicPosition]:
    found = []
    for _ in range(draw(st.integers(1, 12))):
        rate, more = draw(DOLLARS), draw(st.integers(0, 30))
        found.append(
            make_position(
                draw(st.sampled_from(list(FAMILIES))), rate, draw(DOLLARS), others=draw(st.sampled_from([3, 9, 9])),
                units=draw(st.sampled_from([None, 0.0, 3.0, 10.0])), highest=rate + more, prices=1 + bool(more),
            )
        )  # fmt: skip
    return found


@hypothesis_settings(deadline=None)
@given(list_lines())
def test_sums_are_those_of_a_loop_over_the_lines(lines: list[ClinicPosition]) -> None:
    (gap,) = sum_gaps(lines)
    counted = [one for one in lines if one.other_organizations >= 5]
    below, every = [0.0, 0.0], [0.0, 0.0]
    for one in counted:
        for at, price in enumerate((one.lowest, one.highest)):
            total = ((price or 0) - (one.middle or 0)) * (one.units or 0)
            every[at] += total
            below[at] += min(total, 0)
    assert gap.shortfalls == pytest.approx(below)
    assert gap.totals == pytest.approx(every)
    assert gap.shortfall == pytest.approx(gap.shortfalls[0]), "the rate is the lowest price here"
    by_family = {family: [one for one in counted if FAMILIES[one.code] == family] for family in FAMILIES.values()}
    expected = {
        family: (
            len(some),
            sum((one.rate or 0) < (one.middle or 0) for one in some),
            statistics.median((one.rate or 0) / (one.middle or 1) - 1 for one in some),
        )
        for family, some in by_family.items()
        if some
    }
    found = {one.family: (one.priced, one.below, one.difference) for one in gap.families}
    wanted: Any = {family: (*some[:2], pytest.approx(some[2])) for family, some in expected.items()}
    assert found == wanted
    assert sum(one.shortfall for one in gap.families) == pytest.approx(gap.shortfall)
    assert [one.difference for one in gap.families] == sorted(some[2] for some in expected.values())


def test_the_percents_of_a_contract_are_those_of_most_lines() -> None:
    both: dict[str, Any] = {"area": "Dallas", "own_area": "Dallas", "tiers": "125%: $50.00; 150%: $60.00"}
    lines = [
        make_position("73721", 50.0, 60.0, highest=60.0, prices=2, **both),
        make_position("20610", 50.0, 60.0, highest=60.0, prices=2, **both),
        make_position("29881", 50.0, 60.0, **{**both, "tiers": "125%: $50.00"}),
        make_position("99213", 50.0, 60.0),
        make_position("99214", 50.0, 60.0, others=2, **both),
    ]
    (gap,) = sum_gaps(lines)
    assert (gap.percents, gap.of_percents) == (("125%", "150%"), 2)
    (without,) = sum_gaps(lines[3:4])
    assert (without.percents, without.of_percents) == ((), 0)


def test_lines_whose_middle_organization_has_the_same_contract_are_counted() -> None:
    lines = [
        make_position("73721", 50.0, 50.0, middle_is_own=True),
        make_position("20610", 50.0, 65.0),
        make_position("29881", 50.0, 50.0, others=2, middle_is_own=True),
    ]
    (gap,) = sum_gaps(lines)
    assert (gap.own_middle, gap.equal, gap.below) == (1, 1, 1)


def test_a_number_of_another_system_is_in_no_family_of_services() -> None:
    assert {family_of(number) for number in ("470", "0360", "0042T")} == {OTHER_SERVICES}
    assert {code: family_of(code) for code in FAMILIES} == FAMILIES
