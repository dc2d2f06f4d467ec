"""Payers are ranked by what their middle organization is paid: as the tab Organizations has it, in every cell."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from django.test import Client

from core.fields.codes.basket_list import read_basket
from core.fields.codes.code_list import WantedCode, read_codes
from core.queries.baskets.basket_answer import BasketAnswer, BasketQuestion, answer_basket
from core.queries.baskets.basket_codes import basket_codes, codes_of_named
from core.queries.market.market import Market
from core.queries.parties.middle_by_payer import choose_market_price
from core.queries.parties.organizations import count_totals
from core.queries.side_by_side.payer_comparison import compare_payers
from core.queries.side_by_side.payer_spread import PayerSpread
from core.store.connection import Snapshot
from core.vocabulary.baskets import named_baskets
from tests.queries.comparison.fee_schedules import Schedule
from tests.queries.one_market import A_RATE
from tests.queries.rates_by_month import store_of
from tests.queries.tables import written
from tests.site import serving, tables, text_of

MONTH, CODE = Market("GA", "2025-08"), "99213"


def tins(*numbers: int) -> set[tuple[str, str]]:
    return {("ein", f"1000000{number:02}") for number in numbers}


GROUPS: list[Any] = [
    (set(), tins(1)),
    (set(), tins(2, 3, 4, 5, 6, 7)),
    (set(), tins(8, 9, 10, 11, 12, 13)),
    (set(), tins(20, 21, 22, 23)),
    (set(), set()),
]


def store_with(root: Path, *rates: tuple[str, int, float]) -> Snapshot:
    """Return a store of the rates of payers: each of a group, in dollars."""
    made = [{**A_RATE, "reporting_entity_name": f"Payer {payer}", "group": group, "negotiated_rate": rate}
            for payer, group, rate in rates]  # fmt: skip
    return store_of(root, {"2025-08": (GROUPS, made)})


ONE_CLINIC = [*(("A", 0, 300.0 + at) for at in range(6)), ("A", 1, 100.0), ("B", 2, 150.0)]
"""By rates, A pays twice what B does: six prices of one clinic. Six other organizations are paid less than at B."""


def ask(db: Snapshot) -> BasketAnswer:
    return answer_basket(db, BasketQuestion(MONTH, basket_codes(db, read_basket(CODE))))


def of_payers(rows: Iterable[PayerSpread]) -> dict[str | None, tuple[Any, ...]]:
    return {one.payer_slug: (one.organizations, one.price, one.by_organizations, one.p50) for one in rows}


def test_a_contract_of_one_clinic_does_not_weigh_as_much_as_one_of_many(tmp_path: Path) -> None:
    db = store_with(tmp_path, *ONE_CLINIC)
    rows, _ = compare_payers(db, MONTH, [WantedCode(None, CODE)], None)
    assert of_payers(rows) == {
        None: (None, 125.0, True, 301.5),
        "payer_a": (7, 100.0, True, 302.0),
        "payer_b": (6, 150.0, True, 150.0),
    }
    assert [round(row.difference or 0, 6) for row in rows] == [0, -0.2, 0.2]
    # Of two payers, each is measured against the other: half as much again is 50% above, and not 20% above the market.
    assert [row.others for row in rows] == [None, 150.0, 100.0]
    assert [row.against_others and round(row.against_others, 6) for row in rows] == [None, -0.333333, 0.5]
    against_b, _ = compare_payers(db, MONTH, [WantedCode(None, CODE)], "payer_b")
    assert [row.base_price for row in against_b] == [150.0] * 3
    answer = ask(db)
    assert {one.payer_slug: one.price for one in answer.medians} == {None: 125.0, "payer_a": 100.0, "payer_b": 150.0}
    assert {one.payer_slug: (one.index, one.by_rates) for one in answer.indexes} == {
        "payer_b": (1.2, 0), "payer_a": (0.8, 0),
    }  # fmt: skip
    with serving(db.root):
        page = Client().get("/payers/", {"state": "GA", "code": CODE})
        basket = Client().get("/baskets/", {"state": "GA", "codes": CODE})
    assert (
        "PAYER_B pays the most, $150.00 to the middle one of its 6 organizations (all under one contract), and "
        "PAYER_A the least, $100.00 to the middle one of its 7 organizations (6 under one contract). " in text_of(page)
    )
    # Of A's seven organizations, six are paid $100 and one $302, the lower of the two in the middle of its six.
    assert tables(page)[0][1:] == [
        ["All payers together", "$125.00 the market", "–", "–", "–", "–", "–", "–", "8", "$301.50"],
        ["PAYER_A compare with", "$100.00", "33% below", "$100.00", "$100.00", "$100.00", "$302.00",
         "7 6 under one contract", "7", "$302.00"],
        ["PAYER_B compare with", "$150.00", "50% above", *["$150.00"] * 4, "6 6 under one contract", "1", "$150.00"],
    ]  # fmt: skip
    assert "PAYER_B pays the most, 120% of the market, and PAYER_A the least, 80% ." in text_of(basket)
    assert "the market is halfway between the two payers" in text_of(basket)
    _, matrix = tables(basket)
    assert matrix[1][1:] == [
        "$125.00", "$150.00 6 of 6 under one contract", "$100.00 6 of 7 under one contract middle rate $302.00",
    ]  # fmt: skip
    assert "more than half of PAYER_A’s organizations are under one contract" in text_of(basket)
    assert {one.payer_slug: one.by_one_contract for one in answer.indexes} == {"payer_a": 1, "payer_b": 1}


def test_too_few_organizations_or_none_that_is_known_are_compared_by_rates_and_say_so(tmp_path: Path) -> None:
    amounts = [100.0, 101.0, 102.0, 103.0, 110.0]
    few, unknown = ([(payer, group, amount) for amount in amounts] for payer, group in (("A", 3), ("C", 4)))
    db = store_with(tmp_path, *few, *unknown, ("B", 2, 150.0))
    rows, _ = compare_payers(db, MONTH, [WantedCode(None, CODE)], None)
    assert of_payers(rows) == {
        None: (None, 102.0, True, 102.0),
        "payer_a": (4, 102.0, False, 102.0),
        "payer_b": (6, 150.0, True, 150.0),
        "payer_c": (0, 102.0, False, 102.0),
    }
    assert {one.payer_slug: one.by_rates for one in ask(db).indexes} == {"payer_a": 1, "payer_b": 0, "payer_c": 1}
    with serving(db.root):
        shown = text_of(Client().get("/payers/", {"state": "GA", "code": CODE}))
        cells = tables(Client().get("/baskets/", {"state": "GA", "codes": CODE}))[1][1]
    assert "PAYER_C the least, $102.00 in the middle of its 5 rates (by rates: whose they are is not known)" in shown
    assert cells[2:] == [
        "$150.00 6 of 6 under one contract",
        "$102.00 by 5 rates: 4 organizations",
        "$102.00 by 5 rates: no known organizations",
    ]  # fmt: skip
    with serving(store_with(tmp_path / "two", *few, ("B", 2, 150.0)).root):
        shown = text_of(Client().get("/payers/", {"state": "GA", "code": CODE}))
    assert "PAYER_A the least, $102.00 in the middle of its 5 rates (by rates: only 4 organizations have them)" in shown


def test_rates_that_nobody_can_mean_are_no_price_of_an_organization(tmp_path: Path) -> None:
    """Of A's organizations, $12.88 is 14% of Medicare; of B's, $9,000 is 100 times. The market's median is $110."""
    implausible = [("A", 1, amount) for amount in (12.88, 13.88, 100.0, 110.0)]
    far = [("B", 2, amount) for amount in (100.0, 120.0, *(9000.0 + at for at in range(3)))]
    db = store_with(tmp_path, *implausible, *far, *(("B", 1, 110.0 + at) for at in range(9)))
    fee = {"state": "GA", "year_month": "2025-08", "release": "2025-08", "code_type": "CPT", "code": CODE,
           "medicare_prof_rate": 90.0, "facility_na": False, "nonfacility_na": False}  # fmt: skip
    of_fee = Schedule("medicare_prof", "2025-08", "US", ["GA"], [fee])
    db = written(db.root, {"bench_medicare_prof": [fee], "dim_benchmark": [of_fee.record()]})
    rows, _ = compare_payers(db, MONTH, [WantedCode(None, CODE)], None)
    found = of_payers(rows)
    assert found["payer_a"] == (6, 100.0, True, 105.0)
    # Six organizations are paid $100, the lower of two that can be meant, and six $114, the middle of nine.
    assert found["payer_b"] == (12, 100.0, True, 114.0)
    for cell in ask(db).medians:
        if cell.payer_slug:
            assert (cell.organizations, cell.middle) == (found[cell.payer_slug][0], 100.0)
            assert cell.percent == pytest.approx(100 / 90)
            totals = count_totals(db, replace(MONTH, code=CODE, payer=cell.payer_slug))
            assert (totals.organizations, totals.middle) == (cell.organizations, cell.middle)
            assert totals.one_contract == cell.one_contract == 6
    assert [row.percent for row in rows] == pytest.approx([100 / 90] * 3), "of the price that ranks"


def test_every_cell_of_a_basket_is_what_the_tab_of_organizations_says(demo: Snapshot) -> None:
    compared = 0
    for basket, asked in (("primary_care", {}), ("imaging", {"care_setting": "facility or unstated"})):
        named, market = named_baskets()[basket], replace(MONTH, **asked)
        answer = answer_basket(demo, BasketQuestion(market, codes_of_named(demo, named), named))
        for one in [one for one in answer.medians if one.payer_slug and not one.is_aside][::4]:
            of_code = answer.classes.of_codes[one.position].market
            totals = count_totals(demo, replace(of_code, code=answer.codes[one.position].code, payer=one.payer_slug))
            assert (one.organizations, one.middle) == (totals.organizations, totals.middle)
            assert one.one_contract == totals.one_contract
            compared += one.organizations > 0
        for at, together in answer.everybody.items():
            prices = [one.price for one in answer.medians if one.position == at and one.payer_slug and not one.is_aside]
            assert together.price == pytest.approx(median(prices))
    assert compared > 8


@pytest.mark.parametrize(
    "asked",
    [{}, {"billing_class": "professional", "modifier": "none"}, {"care_setting": "facility or unstated"}],
)
@pytest.mark.parametrize("codes", ["70450", "99213 70450 45378"])
def test_every_line_of_payers_is_what_the_tab_of_organizations_says(
    demo: Snapshot, asked: dict[str, Any], codes: str
) -> None:
    market = Market("GA", "2025-08", **asked)
    rows, _ = compare_payers(demo, market, read_codes(codes), None)
    compared = 0
    for row in rows:
        terms = {name: value for name, value in row.terms.items() if value is not None}
        totals = count_totals(demo, replace(market, **terms)) if row.payer_slug else None
        # A filter has a rate for a hospital and a surgical center in both, and a line in one.
        if totals and totals.dollars == row.rates:
            assert (row.organizations, row.one_contract) == (totals.organizations, totals.one_contract)
            assert row.price == (totals.middle if totals.organizations >= 5 else row.p50)
            compared += totals.organizations > 0
    assert compared >= 3


@pytest.mark.parametrize("asked", [{}, {"basis": "mpfs", "area": "state"}, {"yardstick": "compensation"}])
def test_the_percents_of_the_tab_are_those_of_a_basket_of_the_code(demo: Snapshot, asked: dict[str, Any]) -> None:
    answer = answer_basket(demo, BasketQuestion(replace(MONTH, **asked), basket_codes(demo, read_basket(CODE))))
    rows, _ = compare_payers(demo, answer.classes.of_codes[0].market, [WantedCode("CPT", CODE)], None)
    of_basket = {one.payer_slug: pytest.approx(one.percent) for one in answer.medians if not one.is_aside}
    assert {row.payer_slug: row.percent for row in rows} == of_basket
    assert all(row.percent for row in rows)


def test_one_contract_is_said_where_it_has_more_than_half(tmp_path: Path) -> None:
    """Of twelve organizations under two contracts, neither has more than half; of ten, one with six has."""
    wanted, half = [WantedCode(None, CODE)], [("A", 1, 100.0), ("A", 2, 150.0)]
    for name, rates, expected in (("half", half, (6, 12, False)), ("more", [half[0], ("A", 3, 9.0)], (6, 10, True))):
        _, payer = compare_payers(store_with(tmp_path / name, *rates), MONTH, wanted, None)[0]
        assert (payer.one_contract, payer.organizations, payer.is_one_contract) == expected


def test_the_market_counts_each_payer_once() -> None:
    assert choose_market_price([]) is None
    assert choose_market_price([80.0]) == 80.0
    assert choose_market_price([80.0, 100.0]) == 90.0
    assert choose_market_price([300.0, 80.0, 100.0]) == 100.0


def test_a_line_of_one_setting_has_the_organizations_of_its_rates_alone(tmp_path: Path) -> None:
    """Professionals in and out of facilities, and facilities that are surgical centers and that are not."""
    places: list[tuple[dict[str, Any], float]] = [
        ({"places": ["11"]}, 100.0),
        ({"places": ["21"]}, 70.0),
        ({"billing_class": "institutional", "places": ["24"]}, 500.0),
        ({"billing_class": "institutional", "places": ["22"]}, 900.0),
    ]
    rates = [
        {**A_RATE, **where, "group": group, "negotiated_rate": amount + group}
        for where, amount in places
        for group in (0, 1, 2)
    ]
    db = store_of(tmp_path, {"2025-08": (GROUPS, rates)})
    rows, _ = compare_payers(db, MONTH, [WantedCode(None, CODE)], None)
    assert {
        (row.billing_class, row.care_setting): (row.organizations, row.price) for row in rows if row.payer_slug
    } == {
        ("professional", "non-facility or unstated"): (13, 101.0),
        ("professional", "facility or unstated"): (13, 71.0),
        ("institutional", "surgical center"): (13, 501.0),
        ("institutional", None): (13, 901.0),
    }
