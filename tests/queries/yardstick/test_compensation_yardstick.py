"""Percents of a state's schedule, wherever percents of Medicare stand, against each rate's own percent."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.queries.baskets.basket_answer import BasketQuestion, answer_basket
from core.queries.baskets.basket_codes import BasketCode
from core.queries.classes.rate_classes import choose_class
from core.queries.code_answer import spread_by_terms
from core.queries.market.market import Market
from core.queries.market.market_rates import market_cache
from core.queries.over_time.trend import list_trend
from core.queries.parties.provider_rates import list_code_rates
from core.queries.profiles import break_down
from core.queries.yardstick import medicare
from core.queries.yardstick.below_rows import BelowSchedule
from core.queries.yardstick.below_schedule import BelowBy, count_below_schedule, list_below_schedule
from core.queries.yardstick.medicare_amounts import find_amounts
from core.store.connection import Snapshot
from core.store.generations.store import Store
from core.vocabulary.compensation_codes import list_usual_codes
from tests.stores import open_snapshot

PAYERS = (None, "example_peach_health_plan", "example_savannah_benefit_administrators")
CODES = ("70450", "99213", "27447", "90837", "470")
ALL = 100_000
TINS = "SELECT fact_uid, tin_value FROM fact_rate JOIN xref_group_tin USING (year_month, pg_uid)"

markets = st.builds(
    lambda code, payer, of_class, pos, area: Market(
        "GA", "2025-08", None, code, payer=payer, billing_class=of_class, pos=pos, area=area
    ),
    st.sampled_from(CODES),
    st.sampled_from(PAYERS),
    st.sampled_from([None, "professional", "institutional"]),
    st.sampled_from([None, None, "11", "22"]),
    st.sampled_from([None, "state"]),
)


@pytest.fixture(scope="module")
def placed_root_db(placed_root: Path) -> Snapshot:
    return open_snapshot(Store(placed_root))


def single_rates(db: Snapshot, market: Market) -> list[medicare.Comparison]:
    return medicare.list_comparisons(db, market, "rate", ALL, 0)


def middle(percents: list[float]) -> Any:
    """Return the median of percents, to compare with; None if there are none."""
    return pytest.approx(median(percents)) if percents else None


@pytest.mark.in_turns(4, of="answers of many pages")
@given(markets)
def test_each_answer_has_the_percents_of_the_schedule(placed_root_db: Snapshot, market: Market) -> None:
    db, measured = placed_root_db, replace(market, yardstick="compensation")
    rows = single_rates(db, market)
    assert single_rates(db, measured) == rows
    dollars = [row for row in rows if row.kind == "dollars"]
    percents = [row.wcfs_percent for row in dollars if row.wcfs_percent is not None]
    for spread in spread_by_terms(db, measured):
        of_spread = [
            row.wcfs_percent
            for row in dollars
            if (row.billing_class, row.modifier) == spread.terms
            and spread.reporting_entity_name in {None, row.reporting_entity_name}
            and row.wcfs_percent is not None
        ]
        assert (spread.compared, spread.percent_p50) == (len(of_spread), middle(of_spread))
    assert break_down(db, measured, "county")[0].percent == middle(percents)
    amounts = find_amounts(db, measured).values()
    assert {one.medicare for one in amounts} == {one.wcfs for one in amounts} == {row.wcfs for row in rows}
    assert all(one.release == one.wcfs_release and one.reason == one.wcfs_reason for one in amounts)
    with market_cache(db, measured, areas=market.area is None) as cached:
        assert spread_by_terms(cached, measured) == spread_by_terms(db, measured)
        assert medicare.count_outcomes(cached, measured) == medicare.count_outcomes(cached, market)
    basket = answer_basket(db, BasketQuestion(replace(measured, code=None), [BasketCode(str(market.code), ())]))
    for row in basket.medians:
        assert row.percent is None or min(percents) <= row.percent <= max(percents)


@pytest.mark.in_turns(4, of="answers of many pages")
def test_a_provider_and_a_trend_have_percents_of_the_schedule(demo: Snapshot) -> None:
    ((npi,),) = demo.rows("SELECT min(npi) FROM group_by_npi WHERE year_month = '2025-08'")
    market = Market("GA", "2025-08", npi=npi, yardstick="compensation")
    _, rows = list_code_rates(demo, demo, market, ALL, 0)
    expected = [row.wcfs_percent for code in {row.code for row in rows}
                for row in single_rates(demo, replace(market, code=code)) if row.wcfs_percent]  # fmt: skip
    assert expected
    assert sum(row.compared for row in rows) == len(expected)
    points = list_trend(demo, Market("GA", "", "CPT", "70450", yardstick="compensation"))
    assert {(one.modifier, one.medicare, one.basis) for one in points if one.billing_class == "professional"} >= {
        ("", 195.0, "workers’ compensation, professional"),
        ("26", 72.0, "workers’ compensation, professional, modifier 26"),
    }


@pytest.mark.in_turns(4, of="answers of many pages")
@given(markets, st.booleans())
def test_who_is_paid_less_than_the_schedule(placed_root_db: Snapshot, market: Market, whole: bool) -> None:
    db = placed_root_db
    market = replace(market, code=None, payer=market.payer or PAYERS[1]) if whole else market
    rows = rates_of_each_page(db, market) if whole else single_rates(db, market)
    compared = [row for row in rows if row.wcfs is not None]
    groups: dict[str, set[str]] = {}
    for fact, tin in db.rows(
        "SELECT fact_uid, tin_value FROM fact_rate JOIN xref_group_tin USING (year_month, pg_uid)"
    ):
        groups.setdefault(fact, set()).add(tin)
    below = {row.fact_uid for row in compared if row.wcfs is not None and row.negotiated_rate < row.wcfs}
    keys: dict[BelowBy, Callable[[medicare.Comparison], set[str]]] = {
        "organizations": lambda row: groups.get(row.fact_uid, set()),
        "payers": lambda row: {row.payer_slug},
        "codes": lambda row: {row.code},
    }
    names: dict[BelowBy, str] = {"organizations": "tin_value", "payers": "payer_slug", "codes": "code"}
    for by, keys_of in keys.items():
        total, found = list_below_schedule(db, market, by, ALL, 0)
        expected: dict[str, list[medicare.Comparison]] = {}
        for row in compared:
            for key in keys_of(row):
                expected.setdefault(key, []).append(row)
        assert total == len(found) == len(expected)
        order = [
            (usual_slowly(getattr(one, "code", "")), not getattr(one, "is_likely", None),
             by == "organizations" and one.below <= one.compared / 2, -one.below, one.percent_p50)
            for one in found
        ]  # fmt: skip
        assert order == sorted(order)
        for one in found:
            check_row(one, expected[getattr(one, names[by])], below)
    totals = count_below_schedule(db, market)
    with_below = {tin for fact in below for tin in groups.get(fact, ())}
    assert (totals.rates, totals.compared, totals.below) == (len(rows), len(compared), len(below))
    assert totals.organizations_below == len(with_below)
    assert totals.percent_p50 == middle([row.wcfs_percent for row in compared if row.wcfs_percent is not None])
    of_tin: dict[str, list[bool]] = {}
    for row in compared:
        for tin in groups.get(row.fact_uid, ()):
            of_tin.setdefault(tin, []).append(row.fact_uid in below)
    assert totals.organizations_mostly_below == sum(sum(each) > len(each) / 2 for each in of_tin.values())


def rates_of_each_page(db: Snapshot, market: Market) -> list[medicare.Comparison]:
    """Return the rates of each code's own page, for all codes that a market without one has."""
    codes = db.rows("SELECT DISTINCT code_type, code FROM fact_rate WHERE state = 'GA' AND year_month = '2025-08'")
    pages = [choose_class(db, replace(market, code_type=system, code=code)).market for system, code in codes]
    return [row for page in pages for row in single_rates(db, page)]


def usual_slowly(code: str | None) -> int:
    usual = list_usual_codes()
    return usual.index(code) if code in usual else len(usual)


def is_plausible_slowly(row: medicare.Comparison) -> bool:
    assert row.wcfs is not None
    times = row.negotiated_rate / (row.medicare or row.wcfs)
    return 0.5 <= times <= 30 and row.negotiated_rate >= row.wcfs / 10


def check_row(one: BelowSchedule, rows: list[medicare.Comparison], below: set[str]) -> None:
    number = sum(row.fact_uid in below for row in rows)
    assert (one.compared, one.below) == (len(rows), number)
    assert one.share == pytest.approx(number / len(rows))
    percents = [row.wcfs_percent for row in rows if row.wcfs_percent is not None]
    assert one.percent_p50 == middle(percents)
    plausible = [row for row in rows if is_plausible_slowly(row)] or rows
    least = min(row.wcfs_percent for row in plausible if row.wcfs_percent is not None)
    assert one.lowest == pytest.approx(least)
    lowest = [row for row in plausible if row.wcfs_percent == least]
    assert (one.lowest_code, one.lowest_rate, one.lowest_amount, one.lowest_plausible) in {
        (row.code, row.negotiated_rate, row.wcfs, is_plausible_slowly(row)) for row in lowest
    }
    assert one.implausible == sum(not is_plausible_slowly(row) for row in rows)
    assert one.release == max(row.wcfs_release or "" for row in rows)
