"""Each code of a basket is in the class of its own page: in its usual setting, unless one is asked for all."""

import statistics
from collections.abc import Iterable
from dataclasses import replace
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.fields.codes.basket_list import read_basket
from core.fields.places.care_setting import SIDES
from core.fields.providers.payer_slug import make_payer_slug
from core.queries.baskets.basket_answer import BasketAnswer, BasketQuestion, answer_basket
from core.queries.baskets.basket_codes import basket_codes
from core.queries.baskets.basket_index import index_payers
from core.queries.baskets.basket_medians import CodeMedian
from core.queries.baskets.payer_levels import list_payer_levels
from core.queries.baskets.wide_tables import list_organization_prices
from core.queries.classes.rate_classes import choose_class
from core.queries.market.market import Market
from core.queries.yardstick import medicare
from core.store.connection import Snapshot
from tests.queries import slow
from tests.queries.one_market import LABELS, store_of_market, with_overruled
from tests.queries.slow import Everything, Row
from tests.queries.slow_price import choose_price, find_odd
from tests.queries.tables import written

MONTH = Market("GA", "2025-08")
NUMBERS = count()
VISIT, SURGERY, SCAN = "99213", "27447", "73721"

A_RATE = st.fixed_dictionaries(
    {
        "code": st.sampled_from([VISIT, SURGERY, SCAN]),
        "reporting_entity_name": st.sampled_from(["Payer A", "Payer B"]),
        "billing_class": st.sampled_from(["professional", "professional", "professional", "institutional", None]),
        "billing_code_modifier": st.sampled_from(["", "", "", "26", "LT"]),
        "places": st.sampled_from([[], ["11"], ["11"], ["21"], ["21"], ["11", "22"], ["24"]]),
        "negotiated_type": st.sampled_from(["negotiated", "negotiated", "percentage"]),
        "group": st.integers(0, 3),
    }
)

ASKED: tuple[dict[str, Any], ...] = (
    {"billing_class": "professional"},
    {"billing_class": "professional", "modifier": "none", "care_setting": SIDES[0]},
    {"billing_class": "professional", "care_setting": SIDES[1]},
    {"billing_class": "like professional", "modifier": "none"},
    {"care_setting": "surgical center"},
    {"modifier": "26"},
    {"payer": "payer_a"},
)


def with_schedule(db: Snapshot) -> Snapshot:
    """Return the store's next generation, whose fee schedule says where the codes are usually rendered."""
    of_month = {"state": "GA", "year_month": "2025-08", "code_type": "CPT"}
    surgery = {**of_month, "code": SURGERY, "nonfacility_na": True, "facility_na": False}
    scan = {**of_month, "code": SCAN, "nonfacility_na": False, "facility_na": True}
    rows = [surgery, {**scan, "nonfacility_rate_26": 40.0, "nonfacility_rate_tc": 90.0}]
    return written(db.root, {"bench_medicare_prof": rows})


def medians_of(rates: Iterable[Row], names: Iterable[Any]) -> dict[Any, tuple[int, float]]:
    """Return the number of rates and their median by what `names` says of each."""
    found: dict[Any, list[float]] = {}
    for rate, some in zip(rates, names, strict=True):
        for name in some:
            found.setdefault(name, []).append(rate["negotiated_rate"])
    return {name: (len(paid), statistics.median(paid)) for name, paid in found.items()}


def of_codes(facts: Everything, markets: dict[str, Market]) -> dict[str, list[Row]]:
    """Return the rates in dollars of each code in its market."""
    return {code: [one for one in facts.of(market) if one["kind"] == "dollars"] for code, market in markets.items()}


@settings(max_examples=4)
@given(
    st.lists(A_RATE, min_size=6, max_size=30),
    st.one_of(st.just([]), st.lists(st.sampled_from(LABELS), max_size=4, unique=True)),
    st.lists(st.sampled_from(ASKED), min_size=1, max_size=2),
)
def test_each_code_is_as_on_its_own_page(
    tmp_path_factory: pytest.TempPathFactory,
    rates: list[dict[str, Any]],
    overruled: list[tuple[str, str, str]],
    also_asked: list[dict[str, Any]],
) -> None:
    numbered = [{**one, "negotiated_rate": 100.0 + at * at} for at, one in enumerate(rates)]
    db = store_of_market(tmp_path_factory.mktemp(f"own{next(NUMBERS)}"), *numbered)
    db = with_schedule(with_overruled(db, *overruled) if overruled else db)
    facts, codes = Everything(db), basket_codes(db, read_basket(f"{VISIT} {SURGERY} {SCAN}"))
    for asked in ({}, *also_asked):
        market = replace(MONTH, **asked)
        answer = answer_basket(db, BasketQuestion(market, codes))
        pages = {one.code: choose_class(db, replace(market, code_type="CPT", code=one.code)) for one in codes}
        expected = of_codes(facts, {code: choice.market for code, choice in pages.items()})
        for at, code in enumerate(codes):
            paid = expected[code.code]
            by_payer = medians_of(paid, ([make_payer_slug(one["reporting_entity_name"]), None] for one in paid))
            found = {one.payer_slug: (one.rates, one.p50) for one in answer.medians if one.position == at}
            assert found == by_payer
            assert answer.class_of(at) == next((one for one in pages[code.code].classes if one.chosen), None)
        assert_organizations(db, answer, facts, expected)
        assert_middles(answer, facts, expected)


def assert_organizations(db: Snapshot, answer: BasketAnswer, facts: Everything, expected: dict[str, list[Row]]) -> None:
    found = {(one.tin_value, one.code): (one.rates, one.price) for one in list_organization_prices(db, answer)}
    paid_to: dict[tuple[str, str], list[tuple[float, bool]]] = {}
    for at, of_code in enumerate(answer.codes):
        paid = expected[of_code.code]
        odd = find_odd(facts, replace(answer.classes.of_codes[at].market, code=of_code.code), paid)
        for one in paid:
            for _, tin in one["tins"]:
                paid_to.setdefault((tin, of_code.code), []).append((one["negotiated_rate"], odd[one["fact_uid"]]))
    meant = {
        key: [rate for rate, is_odd in some if not is_odd] or [rate for rate, _ in some]
        for key, some in paid_to.items()
    }
    assert found == {key: (len(some), choose_price(some)) for key, some in meant.items()}


def assert_middles(answer: BasketAnswer, facts: Everything, expected: dict[str, list[Row]]) -> None:
    """Compare each payer's middle organization with the one in the middle of a loop over its tax IDs."""
    for at, code in enumerate(answer.codes):
        market = replace(answer.classes.of_codes[at].market, code=code.code)
        paid = [{**one, "payer": make_payer_slug(one["reporting_entity_name"])} for one in expected[code.code]]
        for (slug,), mine in slow.grouped(paid, "payer").items():
            odd = find_odd(facts, market, mine)
            prices = []
            for tin in {tin for one in mine for tin in one["tins"]}:
                of_tin = [one for one in mine if tin in one["tins"]]
                rates = [one["negotiated_rate"] for one in of_tin]
                prices.append(choose_price(rates, [odd[one["fact_uid"]] for one in of_tin]))
            cell = next(one for one in answer.medians if (one.position, one.payer_slug) == (at, slug))
            middle = choose_price(prices) if prices else None
            assert (cell.organizations, cell.middle) == (len(prices), middle)
            assert cell.price == (middle if len(prices) >= 5 else cell.p50)


@pytest.mark.in_turns(4, of="answers of many pages")
def test_percents_are_those_of_each_code_s_own_page(demo: Snapshot) -> None:
    compared = 0
    for asked in ({}, {"care_setting": SIDES[1]}, {"area": "state"}):
        market = replace(MONTH, **asked)
        answer = answer_basket(demo, BasketQuestion(market, basket_codes(demo, read_basket("99213,70450,97110,73721"))))
        for one in answer.medians:
            code = answer.codes[one.position].code
            of_code = choose_class(demo, replace(market, code=code)).market
            rows = medicare.list_comparisons(demo, replace(of_code, payer=one.payer_slug), "percent", 100_000, 0)
            dollars = [row for row in rows if row.kind == "dollars"]
            percents = [row.percent for row in dollars if row.percent is not None]
            assert one.rates == len(dollars)
            if one.payer_slug:
                assert one.percent_of_rates == pytest.approx(statistics.median(percents) if percents else None)
            compared += len(percents)
    assert compared


def test_an_operation_in_facilities_is_beside_a_visit_outside(tmp_path_factory: pytest.TempPathFactory) -> None:
    office, facility = {"places": ["11"]}, {"places": ["21"]}
    db = store_of_market(
        tmp_path_factory.mktemp("beside"),
        *({**places, "code": code, "negotiated_rate": rate}
          for code in (VISIT, SURGERY, SCAN) for places, rate in ((office, 100.0), (facility, 70.0))),
        {**facility, "code": SCAN, "billing_code_modifier": "26", "negotiated_rate": 30.0},
    )  # fmt: skip
    db = with_schedule(db)
    codes = basket_codes(db, read_basket(f"{VISIT} {SURGERY} {SCAN}"))

    def ask(market: Market) -> tuple[BasketAnswer, dict[str, tuple[float, str, str | None]]]:
        answer = answer_basket(db, BasketQuestion(market, codes))
        medians = answer.named_medians({})
        return answer, {one.code: (one.p50, one.modifier, one.care_setting) for one in medians}

    answer, own = ask(MONTH)
    assert own == {VISIT: (100.0, "", SIDES[0]), SURGERY: (70.0, "", SIDES[1]), SCAN: (100.0, "", SIDES[0])}
    assert answer.of_own_classes
    assert [one.chosen for one in answer.of_class.classes] == [False] * len(answer.of_class.classes)
    answer, inside = ask(replace(MONTH, billing_class="professional", care_setting=SIDES[1]))
    # Nobody bills the whole scan there: the reading is what a physician is paid for it.
    assert {code: p50 for code, (p50, _, _) in inside.items()} == {VISIT: 70.0, SURGERY: 70.0, SCAN: 30.0}
    assert inside[SCAN][1] == "26"
    assert not answer.of_own_classes
    assert [(one.modifier, one.care_setting) for one in answer.of_class.classes if one.chosen] == [("none", SIDES[1])]


def test_a_percent_is_of_codes_whose_amount_is_meant(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A payer that states no place may mean the office: Medicare's lower amount in facilities says nothing of it."""
    payers = [
        {"reporting_entity_name": "Payer A", "places": []},
        {"reporting_entity_name": "Payer B", "places": ["11"]},
        {"reporting_entity_name": "Payer B", "places": ["21"]},
    ]
    colonoscopy, knee = "45378", SURGERY
    rates = [{**one, "code": code, "negotiated_rate": 100.0 + at} for code in (colonoscopy, knee, VISIT)
             for at, one in enumerate(payers)]  # fmt: skip
    db = store_of_market(tmp_path_factory.mktemp("unplaced"), *rates)
    of_month = {"state": "GA", "year_month": "2025-08", "code_type": "CPT", "facility_na": False}
    fees = [
        {**of_month, "code": colonoscopy, "nonfacility_na": False, "medicare_prof_rate": 300.0, "facility_rate": 150.0},
        {**of_month, "code": knee, "nonfacility_na": True, "medicare_prof_rate": 900.0, "facility_rate": 900.0},
        {**of_month, "code": VISIT, "nonfacility_na": False, "medicare_prof_rate": 90.0, "facility_rate": 60.0},
    ]
    center = {"state": "GA", "year_month": "2025-08", "code_type": "CPT", "code": colonoscopy, "asc_pi": "A2"}
    db = written(db.root, {"bench_medicare_prof": fees, "bench_asc": [center]})
    codes = basket_codes(db, read_basket(f"{colonoscopy} {knee} {VISIT}"))
    answer = answer_basket(db, BasketQuestion(MONTH, codes))
    aside = {(one.payer_slug, codes[one.position].code): (one.rates, one.p50) for one in answer.medians if one.is_aside}
    assert aside == {("payer_a", colonoscopy): (1, 100.0)}
    everybody = {codes[at].code: one.p50 for at, one in answer.everybody.items()}
    # The visit is outside facilities, where such a rate is at home; a knee has one amount, so that nothing is mistaken.
    assert everybody == {colonoscopy: 102.0, knee: 101.0, VISIT: 100.5}
    # Of the colonoscopy, one payer is left: that is no market.
    assert {one.payer_slug: (one.unplaced, one.unlike) for one in answer.indexes} == {
        "payer_a": (1, 1), "payer_b": (0, 1),
    }  # fmt: skip
    inside = answer_basket(db, BasketQuestion(replace(MONTH, care_setting=SIDES[1]), codes))
    assert {one.payer_slug: one.unplaced for one in inside.indexes} == {"payer_a": 2, "payer_b": 0}
    for payer in ("payer_a", "payer_b"):
        levels = list_payer_levels(db, MONTH, payer)
        assert levels
        assert {one.code for one in levels.codes} == {knee, VISIT}, "its price for an office is not high in facilities"
    assert answer.classes.elsewhere == []
    # Without a rate for a facility, its own page opens elsewhere, and so does its row.
    alone = answer_basket(db, BasketQuestion(replace(MONTH, payer="payer_a"), codes))
    assert [codes[at].code for at in alone.classes.elsewhere] == [colonoscopy]
    assert choose_class(db, replace(MONTH, payer="payer_a", code=colonoscopy)).opens_elsewhere


def test_codes_that_stand_aside_are_not_in_the_percent() -> None:
    def median(at: int, slug: str | None, percent: float, *, is_aside: bool = False) -> CodeMedian:
        return CodeMedian(at, slug, 9, 100.0, percent, 50.0, is_aside=is_aside)

    market = [median(at, None, 1.5) for at in range(3)]
    one_of_three = [median(0, "a", 9.0, is_aside=True), median(1, "a", 1.0), median(2, "a", 2.0)]
    [found] = index_payers([*market, *one_of_three], ("equal", [0.0] * 3), {}, (10.0, 10.0, 1.0))
    assert (found.percent, found.unplaced, found.codes, found.index) == (1.5, 1, 3, None)
    assert found.placed_coverage == pytest.approx(2 / 3)
    assert (found.coverage, found.unlike) == (0, 3), "a payer alone is compared with nobody"
    assert (found.dollars, found.market_dollars, found.medicare_dollars) == (1100.0, 1100.0, 550.0), "nor are dollars"
    [alone] = index_payers([*market, *one_of_three], ("equal", [0.0] * 5), {})
    assert alone.placed_coverage == pytest.approx(2 / 5)
    assert (alone.codes, alone.index, alone.percent) == (3, None, None), "three of five are priced, two compared"
    two_of_three = [median(at, "a", 9.0, is_aside=at < 2) for at in range(3)]
    [found] = index_payers([*market, *two_of_three], ("equal", [0.0] * 3), {})
    assert (found.percent, found.index, found.unplaced) == (None, None, 2)
    # Where all others stand aside, a payer is compared with Medicare, and not with itself; with one more, with both.
    b, c = ([median(at, slug, 1.0 + at) for at in range(3)] for slug in ("b", "c"))
    for others, unlike in ((b, 1), ([*b, *c], 0)):
        found = next(
            one
            for one in index_payers([*market, *one_of_three, *others], ("equal", [0.0] * 3), {})
            if one.payer_slug == "b"
        )
        assert (found.percent, found.unplaced, found.unlike) == (2.0, 0, unlike)
        assert found.coverage == pytest.approx(1 - unlike / 3), "only what is compared is covered"
