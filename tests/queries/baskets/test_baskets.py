"""A basket's medians and indexes, against the same figures computed in the obvious way."""

import statistics
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.fields.codes.basket_list import read_basket
from core.queries.baskets.basket_answer import BasketQuestion, answer_basket
from core.queries.baskets.basket_codes import BasketCode, basket_codes, codes_of_named
from core.queries.baskets.basket_index import MIN_COVERAGE, choose_weights, index_payers
from core.queries.baskets.basket_medians import CodeMedian
from core.queries.baskets.wide_tables import list_organization_prices, widen_by_organization, widen_by_payer
from core.queries.market.market import Market
from core.store.connection import Snapshot
from core.vocabulary.baskets import named_baskets
from tests.queries.one_market import store_of_market
from tests.queries.slow import Everything

GA = Market("GA", "2025-08", billing_class="professional", modifier="none")

RATE = st.fixed_dictionaries(
    {
        "reporting_entity_name": st.sampled_from(["Payer A", "Payer B", "Payer C"]),
        "code_type": st.sampled_from(["CPT", "HCPCS", "LOCAL"]),
        "code": st.sampled_from(["99213", "99214", "73721"]),
        "negotiated_rate": st.sampled_from([0.0, 10.0, 12.5, 80.0, 100.25]),
        "billing_class": st.sampled_from(["professional", "institutional"]),
        "billing_code_modifier": st.sampled_from(["", "26"]),
        "negotiated_type": st.sampled_from(["negotiated", "percentage"]),
        "group": st.integers(0, 3),
    }
)
RATES = st.lists(RATE, max_size=25, unique_by=lambda rate: tuple(rate.values()))
NUMBERS = count()


def slow_medians(rates: list[dict[str, Any]], codes: list[BasketCode]) -> dict[tuple[int, str | None], Any]:
    """Return the number of rates and their median by position and payer."""
    found: dict[tuple[int, str | None], list[float]] = {}
    for position, code in enumerate(codes):
        for rate in rates:
            if (
                rate["code"] == code.code
                and rate["code_type"] in code.systems
                and rate["billing_class"] == "professional"
                and rate["billing_code_modifier"] == ""
                and rate["negotiated_type"] == "negotiated"
            ):
                payer = rate["reporting_entity_name"].lower().replace(" ", "_")
                for slug in (payer, None):
                    found.setdefault((position, slug), []).append(rate["negotiated_rate"])
    return {key: (len(values), statistics.median(values)) for key, values in found.items()}


@settings(max_examples=4, deadline=None)
@given(RATES)
def test_the_medians_of_a_basket_equal_the_slow_ones(
    tmp_path_factory: pytest.TempPathFactory, rates: list[dict[str, Any]]
) -> None:
    db = store_of_market(tmp_path_factory.mktemp(f"basket{next(NUMBERS)}"), *rates, {"code": "00000"})
    codes = basket_codes(db, read_basket("99213 99214 73721-73722 LOCAL:99213"))
    assert [one.code for one in codes if "LOCAL" in one.systems] == ["99213"]
    found = answer_basket(db, BasketQuestion(GA, codes)).medians
    assert {(one.position, one.payer_slug): (one.rates, one.p50) for one in found} == slow_medians(rates, codes)


MEDIAN = st.tuples(st.integers(0, 3), st.sampled_from(["a", "b"]), st.floats(1, 1e4), st.none() | st.floats(0.1, 9))


@given(
    st.lists(MEDIAN, unique_by=lambda one: one[:2]),
    st.lists(st.none() | st.tuples(st.floats(1, 1e4), st.none() | st.floats(1, 1e4)), min_size=4, max_size=4),
    st.lists(st.floats(0, 1000) | st.just(0.0), min_size=4, max_size=4),
)
def test_an_index_is_what_the_payer_would_pay_against_what_the_market_would(
    cells: list[tuple[int, str, float, float | None]],
    market: list[tuple[float, float | None] | None],
    volumes: list[float],
) -> None:
    prices = {at: one for at, one in enumerate(market) if one}
    cells = [one for one in cells if one[0] in prices]
    at_market = [CodeMedian(at, None, 9, p50, None, amount) for at, (p50, amount) in prices.items()]
    medians = [*at_market, *(CodeMedian(at, slug, 1, p50, percent, None) for at, slug, p50, percent in cells)]
    codes = [BasketCode(str(at), (), volume=volume) for at, volume in enumerate(volumes)]
    weights = choose_weights(None, codes, {})
    assert weights[0] == ("volumes" if any(volumes) else "equal")
    for one in index_payers(medians, weights, {}, volumes if any(volumes) else ()):
        priced = {at: p50 for at, slug, p50, _ in cells if slug == one.payer_slug}
        beside = {at: p50 for at, p50 in priced.items() if sum(at == other for other, *_ in cells) > 1}
        if weights[0] == "equal":
            coverage = len(beside) / 4
            index = statistics.fmean(p50 / prices[at][0] for at, p50 in beside.items()) if beside else 0
            assert one.dollars is None
        else:
            spent = sum(volumes[at] * prices[at][0] for at in beside)
            sold = sum(volumes[at] for at in prices)
            total = sum(volumes[at] * prices[at][0] for at in prices)
            # What nobody prices costs what the rest costs in the mean.
            whole = sum(volumes[at] * (prices[at][0] if at in prices else total / (sold or 1)) for at in range(4))
            coverage = spent / whole if whole else 0
            index = sum(volumes[at] * p50 for at, p50 in beside.items()) / spent if spent else 0
            assert one.dollars == pytest.approx(sum(volumes[at] * p50 for at, p50 in priced.items()))
            assert one.market_dollars == pytest.approx(sum(volumes[at] * prices[at][0] for at in priced))
            known = {at: amount for at in priced if (amount := prices[at][1]) is not None}
            assert one.medicare_codes == len(known)
            if known:
                of_medicare = sum(volumes[at] * amount for at, amount in known.items())
                assert one.medicare_dollars == pytest.approx(of_medicare)
                assert one.one_percent == pytest.approx(of_medicare / 100)
            else:
                assert (one.medicare_dollars, one.one_percent) == (None, None)
        assert one.coverage == pytest.approx(coverage)
        assert (one.codes, one.codes_of_basket) == (len(priced), 4)
        if coverage > MIN_COVERAGE + 1e-9:
            assert one.index == pytest.approx(index)
        if coverage < MIN_COVERAGE - 1e-9:
            assert one.index is None


def test_codes_that_nobody_prices_count_in_the_coverage() -> None:
    """Five of forty-four codes are no basket, however few other payers there are."""
    medians = [CodeMedian(at, slug, 3, 100.0, 2.0, 50.0) for at in range(5) for slug in (None, "a")]
    [found] = index_payers(medians, ("equal", [0.0] * 44), {})
    assert found.coverage == 0
    assert found.placed_coverage == pytest.approx(5 / 44)
    assert (found.codes, found.codes_of_basket, found.index, found.percent) == (5, 44, None, None)


def test_weights_are_those_asked_for_or_the_best_there_are() -> None:
    codes = [BasketCode("1", ()), BasketCode("2", ())]
    assert choose_weights(None, codes, {"2": 5.0}) == ("medicare", [0.0, 5.0])
    assert choose_weights("equal", codes, {"2": 5.0}) == ("equal", [0.0, 0.0])
    assert choose_weights("volumes", codes, {}) == ("equal", [0.0, 0.0])
    assert choose_weights("volumes", [replace(codes[0], volume=2.0)], {"1": 5.0}) == ("volumes", [2.0])


def test_wide_tables_have_the_same_medians(demo: Snapshot, everything: Everything) -> None:
    db = demo
    named = named_baskets()["primary_care"]
    answer = answer_basket(
        db, BasketQuestion(replace(GA, billing_class=None, modifier=None), codes_of_named(db, named))
    )
    rows, row_type = widen_by_payer(answer)
    assert "code_99213" in row_type.__dataclass_fields__
    cells = {(one.payer_slug, one.position): one.price for one in answer.medians}
    at = next(at for at in answer.everybody if answer.codes[at].code == "99213")
    assert [row.code_99213 for row in rows] == [cells.get((row.payer_slug, at)) for row in rows]
    found = list_organization_prices(db, answer)
    wide, _ = widen_by_organization(answer, found)
    assert sum(row.rates for row in wide) == sum(one.rates for one in found)
    of_page = replace(answer.classes.of_codes[at].market, code_type="CPT", code="99213")
    facts = [fact for fact in everything.of(of_page) if fact["kind"] == "dollars"]
    tin = wide[0]
    of_tin = [fact for fact in facts if (tin.tin_type, tin.tin_value) in fact["tins"]]
    assert {fact["reporting_entity_name"] for fact in of_tin} <= set(tin.payers.split("; "))
    assert tin.year_month == ", ".join(sorted({month for one in found for month in one.months}))
    rates = [fact["negotiated_rate"] for fact in of_tin]
    assert tin.code_99213 == (statistics.median_low(rates) if rates else None)


def test_named_baskets_are_of_known_specialties(tmp_path: Path) -> None:
    db = store_of_market(tmp_path / "data", {})
    assert len(named_baskets()) >= 10
    for one in named_baskets().values():
        assert len(codes_of_named(db, one)) == len(one.codes) >= 20
