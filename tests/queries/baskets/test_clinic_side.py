"""A clinic beside payers that label and place their rates otherwise: the class as measured, and one side of it."""

import statistics
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from core.fields.codes.clinic_lines import ClinicLine
from core.fields.codes.code_list import WantedCode
from core.fields.places.care_setting import SIDES
from core.fields.providers.payer_slug import make_payer_slug
from core.queries.baskets.basket_codes import BasketCode
from core.queries.baskets.clinic_answer import ClinicAnswer, ClinicQuestion, answer_clinic
from core.queries.baskets.clinic_class import choose_classes_of_lines
from core.queries.baskets.clinic_position import UnplacedPayer, list_left_out
from core.queries.baskets.clinic_rows import AskedLine, Clinic
from core.queries.classes.rate_classes import choose_class
from core.queries.market.market import Market
from core.store.connection import Snapshot
from tests.queries.one_market import LABELS, store_of_market, with_overruled
from tests.queries.slow import Everything, sides_of
from tests.queries.tables import written

MONTH = Market("GA", "2025-08")
TIN = "100000001"
CODES = [BasketCode("99213", ("CPT", "HCPCS"))]
MISLABELED = {"reporting_entity_name": "Payer A", "billing_class": "institutional", "places": []}
PLACED = {"reporting_entity_name": "Payer B", "group": 1}


def answer(db: Snapshot, market: Market = MONTH) -> ClinicAnswer:
    return answer_clinic(db, ClinicQuestion(market, Clinic(tin=TIN), codes=CODES))


def test_a_clinic_is_compared_with_rates_that_others_label_otherwise_on_one_side(tmp_path: Path) -> None:
    db = store_of_market(
        tmp_path,
        {**MISLABELED, "negotiated_rate": 90.0},
        {**MISLABELED, "negotiated_rate": 94.0, "group": 1},
        {**PLACED, "places": ["11"], "negotiated_rate": 100.0},
        {**PLACED, "places": ["21"], "negotiated_rate": 70.0},
    )
    db = with_overruled(db, ("Payer A", "institutional", "unstated"))
    found = answer(db)
    (position,) = found.positions
    assert (position.billing_class, position.care_setting) == ("like professional", "non-facility or unstated")
    assert (position.rate, position.middle, position.paid_more, position.payers_middle) == (90.0, 94.0, 1, 96.0)
    (inside,) = answer(db, Market("GA", "2025-08", care_setting="facility or unstated")).positions
    assert (inside.rate, inside.middle, inside.paid_more, inside.payers_middle) == (90.0, 94.0, 1, 81.0)


def test_a_clinic_with_rates_for_facilities_alone_is_on_their_side(tmp_path: Path) -> None:
    facility = {"places": ["21"], "negotiated_rate": 70.0}
    office = {"places": ["11"], "group": 1}
    db = store_of_market(tmp_path, facility, {**facility, "group": 1}, office, {**office, "negotiated_rate": 99.0})
    found = answer(db)
    assert [(one.rates, one.middle, one.care_setting) for one in found.positions] == [(2, 70.0, "facility or unstated")]


def given_line(rate: float = 50.0, setting: str = "") -> ClinicLine:
    return ClinicLine(1, WantedCode(None, "99213"), setting=setting, rate=rate)


def given_answer(db: Snapshot, clinic: Clinic, *lines: ClinicLine, market: Market = MONTH) -> ClinicAnswer:
    return answer_clinic(db, ClinicQuestion(market, clinic, lines))


def test_an_office_has_payers_that_state_no_place_and_payers_left_out_are_known(tmp_path: Path) -> None:
    db = store_of_market(
        tmp_path,
        {"reporting_entity_name": "Payer A", "places": [], "negotiated_rate": 140.0},
        {**PLACED, "places": ["11"], "negotiated_rate": 100.0},
        {**PLACED, "places": ["21"], "negotiated_rate": 70.0},
        {"reporting_entity_name": "Payer C", "places": ["21"], "negotiated_rate": 60.0},
        {"reporting_entity_name": "Payer D", "code": "73721"},
    )
    payers = {f"payer_{letter}": f"Payer {letter.upper()}" for letter in "abcd"}
    middles = {}
    for setting in ("office", "", "inpatient"):
        found = given_answer(db, Clinic(), given_line(setting=setting))
        middles[setting] = {one.payer_slug: (one.middle, one.payers_middle) for one in found.positions}
        if setting == "office":
            left_out = list_left_out(found.asked, found.found, payers)
    # There are more rates in facilities, but a visit is usually outside.
    outside = {"payer_a": (140.0, 120.0), "payer_b": (100.0, 120.0)}
    inside = {"payer_a": (140.0, 70.0), "payer_b": (70.0, 70.0), "payer_c": (60.0, 70.0)}
    assert middles == {"office": outside, "": outside, "inpatient": inside}
    assert left_out == [UnplacedPayer("Payer C", 1, True, 1), UnplacedPayer("Payer D", 1, True, 0)]
    both = given_answer(db, Clinic(), given_line(setting="office"), given_line(setting="inpatient"))
    assert list_left_out(both.asked, both.found, {"payer_c": "Payer C"}) == [UnplacedPayer("Payer C", 1, False, 1)]


@pytest.mark.in_turns(4, of="answers of many pages")
@hypothesis_settings(max_examples=5)
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "reporting_entity_name": st.sampled_from(["Payer A", "Payer B"]),
                "places": st.sampled_from([[], ["11"], ["21"], ["11", "22"]]),
                "group": st.integers(0, 1),
                "billing_class": st.sampled_from(["professional", "institutional"]),
            }
        ),
        min_size=1,
        max_size=8,
    ),
    st.sets(st.sampled_from(LABELS), max_size=3),
)
def test_pasted_lines_have_the_market_of_the_code_s_page(
    tmp_path_factory: Any, changes: list[dict[str, Any]], overruled: set[tuple[str, str, str]]
) -> None:
    rates = [{**one, "negotiated_rate": 100.0 + at * at} for at, one in enumerate(changes)]
    db = with_overruled(store_of_market(tmp_path_factory.mktemp("same"), *rates), *sorted(overruled))
    of_code = choose_class(db, Market("GA", "2025-08", "CPT", "99213")).market
    facts = Everything(db).of(of_code)
    expected: dict[str, tuple[int, float]] = {}
    of_others: dict[str, tuple[int, float | None]] = {}
    for slug in {make_payer_slug(one["reporting_entity_name"]) for one in facts}:
        of_payer = [one for one in facts if make_payer_slug(one["reporting_entity_name"]) == slug]
        tins = {tin for one in of_payer for tin in one["tins"]}
        prices = {
            tin: statistics.median_low(one["negotiated_rate"] for one in of_payer if tin in one["tins"]) for tin in tins
        }
        expected[slug] = len(of_payer), statistics.median_low(prices.values())
        others = [price for (_, value), price in prices.items() if value != TIN]
        of_others[slug] = len(of_payer), statistics.median_low(others) if others else None
    nobody = given_answer(db, Clinic(), given_line())
    assert {one.payer_slug: (one.rates, one.middle) for one in nobody.positions} == expected
    own = [one for one in facts if TIN in {value for _, value in one["tins"]}]
    if own or not any(TIN in {value for _, value in one["tins"]} for one in Everything(db).facts):
        ours = given_answer(db, Clinic(tin=TIN), given_line())
        assert {one.payer_slug: (one.rates, one.middle) for one in ours.positions} == of_others


def test_a_clinic_whose_own_rates_are_all_of_another_class_is_compared_in_it(tmp_path: Path) -> None:
    hospital = {"billing_class": "institutional", "places": ["21"]}
    db = store_of_market(
        tmp_path,
        {**hospital, "negotiated_rate": 400.0},
        {**hospital, "negotiated_rate": 500.0, "group": 1},
        *({"negotiated_rate": 90.0 + at, "group": at} for at in (1, 2, 3)),
    )
    (ours,) = given_answer(db, Clinic(tin=TIN), given_line(450.0)).positions
    assert (ours.billing_class, ours.rates, ours.middle) == ("institutional", 2, 500.0)
    (others,) = given_answer(db, Clinic(), given_line(450.0)).positions
    assert (others.billing_class, others.rates, others.middle) == ("professional", 3, 91.0)


A_RATE = st.fixed_dictionaries(
    {
        "places": st.sampled_from([[], ["11"], ["21"], ["11", "22"]]),
        "group": st.integers(0, 1),
        "billing_class": st.sampled_from(["professional", "professional", "institutional"]),
        "negotiated_type": st.sampled_from(["negotiated", "negotiated", "percentage"]),
    }
)


@hypothesis_settings(max_examples=5)
@given(st.lists(A_RATE, min_size=1, max_size=8))
def test_the_side_is_that_of_the_code_s_page_unless_the_clinic_has_none_of_its_rates(
    tmp_path_factory: Any, changes: list[dict[str, Any]]
) -> None:
    numbered = [{**one, "negotiated_rate": 100.0 + at} for at, one in enumerate(changes)]
    db = store_of_market(tmp_path_factory.mktemp("side"), *numbered)
    market = Market("GA", "2025-08", billing_class="professional")
    facts = [fact for fact in Everything(db).of(market) if fact["kind"] == "dollars"]
    own = [fact for fact in facts if TIN in {value for _, value in fact["tins"]}]
    side = choose_class(db, replace(market, code_type="CPT", code="99213")).market.care_setting
    if side and own and not any(side in sides_of(fact) for fact in own):
        side = next(one for one in SIDES if one != side)
    clinic, line = Clinic(tin=TIN), AskedLine(CODES[0])
    assert choose_classes_of_lines(db, market, clinic, [line]).of_codes[0].market.care_setting == side
    paid = [fact["negotiated_rate"] for fact in facts if side is None or side in sides_of(fact)]
    assert all(one.rates == len(paid) for one in answer(db, market).positions if one.rates)


def test_each_line_is_on_the_usual_side_of_its_code(tmp_path: Path) -> None:
    """A visit is compared outside facilities, and an operation in them, in one answer."""
    rates = [
        {"code": code, "places": places, "group": group, "negotiated_rate": rate + group}
        for code in ("99213", "27447")
        for places, rate in ((["11"], 100.0), (["21"], 70.0))
        for group in (0, 1)
    ]
    db = store_of_market(tmp_path, *rates)
    surgery = {"state": "GA", "year_month": "2025-08", "code_type": "CPT", "code": "27447", "nonfacility_na": True}
    db = written(db.root, {"bench_medicare_prof": [surgery]})
    codes = [*CODES, BasketCode("27447", ("CPT", "HCPCS"))]

    def positions_of(question: ClinicQuestion) -> dict[str, tuple[Any, ...]]:
        found = answer_clinic(db, question).positions
        return {one.code: (one.rate, one.rates, one.paid_more, one.care_setting) for one in found}

    expected = {"99213": (100.0, 2, 1, SIDES[0]), "27447": (70.0, 2, 1, SIDES[1])}
    assert positions_of(ClinicQuestion(MONTH, Clinic(tin=TIN), codes=codes)) == expected
    assert positions_of(ClinicQuestion(MONTH, Clinic(tin=TIN))) == expected, "its own codes"
    outside = replace(MONTH, billing_class="professional", care_setting=SIDES[0])
    assert {one[3] for one in positions_of(ClinicQuestion(outside, Clinic(tin=TIN), codes=codes)).values()} == {
        SIDES[0]
    }
