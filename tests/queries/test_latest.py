"""A market without a month: the newest month of each payer, and nothing older."""

from collections import Counter
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.fields.codes.code_list import WantedCode
from core.fields.providers.payer_slug import make_payer_slug
from core.queries.facets import count_choices, count_networks
from core.queries.histogram import build_histogram
from core.queries.latest import are_far_apart, find_latest, list_payer_months, with_latest
from core.queries.loaded_files import list_sources
from core.queries.market.latest_files import LatestFiles, PayerMonth
from core.queries.market.market import Market
from core.queries.market.market_rates import market_cache
from core.queries.parties.line_medians import STORED_LOOKUPS
from core.queries.parties.organizations import count_totals, list_organizations
from core.queries.parties.provider_rates import CodeRates, list_code_rates
from core.queries.rates import count_market, count_rates, list_rates, summarize_rates
from core.queries.rules.rate_kinds import MACROS
from core.queries.side_by_side.payer_comparison import compare_payers
from core.queries.yardstick.medicare import count_outcomes, list_comparisons
from core.queries.yardstick.medicare_amounts import find_amounts
from core.store.changes.store_lookups import store_lookups
from core.store.connection import Snapshot
from core.store.generations.store import Store
from core.store.market import market_facts
from core.store.market.market_months import MarketMonth
from tests.queries.one_market import A_RATE, GROUPS, store_of_months
from tests.queries.rates_by_month import facts, store_of
from tests.stores import open_snapshot

MONTHS = ("2023-02", "2025-01", "2025-06")

_by_month = st.fixed_dictionaries({month: st.lists(facts, max_size=6) for month in MONTHS}).filter(
    lambda found: any(found.values())
)


def _newest_rates(by_month: dict[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Return the rates of the newest month of each payer, one payer after the other."""
    found = []
    payers = {make_payer_slug(one["reporting_entity_name"]) for rates in by_month.values() for one in rates}
    for payer in payers:
        for month in sorted(MONTHS, reverse=True):
            mine = [one for one in by_month[month] if make_payer_slug(one["reporting_entity_name"]) == payer]
            if mine:
                found += [{**one, "payer": payer, "year_month": month} for one in mine]
                break
    return found


@settings(max_examples=4, deadline=None)
@given(by_month=_by_month, kept=st.booleans())
def test_a_market_without_a_month_has_the_newest_month_of_each_payer(
    tmp_path_factory: pytest.TempPathFactory, by_month: dict[str, list[dict[str, Any]]], kept: bool
) -> None:
    db = store_of(tmp_path_factory.mktemp("store"), {month: (GROUPS, rates) for month, rates in by_month.items()})
    expected = [one for one in _newest_rates(by_month) if one["code"] == "99213" and one["code_type"] == "CPT"]
    market = with_latest(db, Market("GA", "", "CPT", "99213"))
    with market_cache(db, market) if kept else nullcontext(db) as asked:
        rows = list_rates(asked, market, "rate", 100, 0)
        assert Counter((row.payer_slug, row.negotiated_rate, row.modifier) for row in rows) == Counter(
            (one["payer"], one["negotiated_rate"], one["billing_code_modifier"]) for one in expected
        )
        assert count_market(asked, market).rates == count_rates(asked, market) == len(expected)
        assert sum(row.rates for row in summarize_rates(asked, market)) == len(expected)
        assert sum(one.rates for one in count_choices(asked, market, ["payer"])["payer"]) == len(expected)
        assert count_outcomes(asked, market).total == len(expected)
        for payer in {one["payer"] for one in expected}:
            of_payer = with_latest(db, Market("GA", "", "CPT", "99213", payer=payer))
            mine = [one for one in expected if one["payer"] == payer]
            assert count_rates(asked, of_payer) == len(mine)
            assert of_payer.one_month == mine[0]["year_month"], "one payer has one month"
    months = {one.payer_slug: one.year_month for one in list_payer_months(db, market)}
    assert months == {one["payer"]: one["year_month"] for one in _newest_rates(by_month)}
    assert {(one.payer, one.year_month) for one in list_sources(db, "GA", market.months)} == {
        (one["reporting_entity_name"], one["year_month"]) for one in _newest_rates(by_month)
    }


def _two_payers(root: Path) -> Snapshot:
    """Return a store in which payer A has a newer month than payer B, and B has an older one as well."""
    a, b = {"negotiated_rate": 20.0}, {"reporting_entity_name": "Payer B", "negotiated_rate": 80.0, "group": 1}
    return store_of_months(root, m2022_12=[b], m2023_02=[b, {**b, "negotiated_rate": 90.0}], m2025_06=[a, a])


def test_payers_of_different_months_are_side_by_side(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    db = _two_payers(tmp_path)
    market = with_latest(db, Market("GA", "", "CPT", "99213"))
    assert (market.one_month, market.month_names) == ("", ["2025-06", "2023-02"])
    assert find_latest(db, "GA").rates == 4
    spreads, _ = compare_payers(db, market, [WantedCode("CPT", "99213")], None)
    assert [(row.payer_slug, row.rates, row.p50) for row in spreads] == [
        (None, 4, 50.0), ("payer_a", 2, 20.0), ("payer_b", 2, 85.0)
    ]  # fmt: skip
    assert [row.year_month for row in spreads] == [None, "2025-06", "2023-02"], "each figure says its month"
    assert {(row.payer_slug, row.year_month) for row in summarize_rates(db, market)} == {
        ("payer_a", "2025-06"), ("payer_b", "2023-02")
    }  # fmt: skip
    assert {row.year_month for row in list_rates(db, market, "rate", 9, 0)} == set(market.month_names)
    assert [(row.tin_value, row.rates, row.npis) for row in list_organizations(db, market, "rates", 9, 0)] == [
        ("100000001", 2, 0), ("100000002", 2, 0)
    ]  # fmt: skip
    assert count_totals(db, market).median == 50.0
    assert sum(one.rates for one in build_histogram(db, market).bins) == 4
    assert len(list_comparisons(db, market, "rate", 9, 0)) == 4
    assert count_networks(db, market) == []
    of_npi = with_latest(db, Market("GA", "", npi="1003027533"))
    _, rows = list_code_rates(db, db, of_npi, 9, 0)
    assert [(row.year_month, row.rates, row.market, row.market_rates) for row in rows] == [("2023-02", 2, 50.0, 4)]
    _assert_positions_of_months(Store(tmp_path), rows)
    db = _two_payers(tmp_path / "again")
    monkeypatch.setattr(market_facts, "MAX_ROWS", 1)  # as for a code with more facts than are kept
    with market_cache(db, market) as cached:
        assert cached.code_values is None
        assert count_market(cached, market).rates == 4


def _assert_positions_of_months(store: Store, expected: list[CodeRates]) -> None:
    """Expect the same positions where lines are stored, and none where they are not and the facts are many."""

    def ask(month: str = "", **limits: int) -> list[CodeRates]:
        db = open_snapshot(store, **limits)
        market = with_latest(db, Market("GA", month, npi="1003027533"))
        return list_code_rates(db, db, market, 9, 0)[1]

    assert [row.percentile for row in expected] == [0.625]
    assert ask(whole_rates=4) == expected
    not_known: dict[str, Any] = {
        "market": None,
        "market_rates": None,
        "difference": None,
        "percentile": None,
        "above": None,
        "market_prices": None,
    }
    assert ask(whole_rates=3) == [replace(row, **not_known) for row in expected]
    assert [row.market for row in ask("2023-02", whole_rates=2)] == [85.0]
    assert [row.market for row in ask("2023-02", whole_rates=1)] == [None]
    store_lookups(store, STORED_LOOKUPS, MACROS)
    assert ask(whole_rates=0) == expected
    assert [row.market for row in ask("2023-02", whole_rates=0)] == [85.0]


def test_a_month_that_is_asked_for_is_that_month(tmp_path: Path) -> None:
    db = _two_payers(tmp_path)
    assert with_latest(db, Market("GA", "2023-02")) == Market("GA", "2023-02")
    assert count_rates(db, Market("GA", "2023-02")) == 2
    assert count_rates(db, Market("GA", "2022-12", "CPT", "99213")) == 1
    assert count_rates(db, Market("GA", "", "CPT", "99213")) == 5, "every month"


def test_months_more_than_a_year_apart_are_told() -> None:
    assert not are_far_apart(["2025-06", "2024-06"])
    assert are_far_apart(["2025-07", "2024-06"])
    assert not are_far_apart(["2025-06"])
    assert not are_far_apart([])


def test_payers_of_one_month_are_a_market_of_that_month(tmp_path: Path) -> None:
    db = store_of_months(tmp_path, m2025_01=[{}], m2025_06=[{}, {"reporting_entity_name": "Payer B"}])
    market, month = with_latest(db, Market("GA", "", "CPT", "99213")), Market("GA", "2025-06", "CPT", "99213")
    assert (market.where, market.parameters) == (month.where, month.parameters), "asked as quickly as one month"
    nowhere = with_latest(db, Market("TX", ""))
    assert (count_rates(db, nowhere), nowhere.one_month) == (0, "")
    assert A_RATE["code"] == market.code


def _one_month_each(db: Snapshot) -> LatestFiles:
    """Return half of the demo's payers with its older month, and the others with its newer one."""
    older, newer = sorted(month for (month,) in db.rows("SELECT DISTINCT year_month FROM fact_rate"))
    of_state = "SELECT DISTINCT reporting_entity_name FROM fact_rate WHERE state = 'GA' ORDER BY 1"
    names = [name for (name,) in db.rows(of_state)]
    of_month = {newer: tuple(names[::2]), older: tuple(names[1::2])}
    payers = tuple(
        PayerMonth(make_payer_slug(name), name, month, 1, (name,)) for month, some in of_month.items() for name in some
    )
    return LatestFiles(payers, tuple(MarketMonth(month, some) for month, some in of_month.items()))


@pytest.mark.in_turns(4)
@pytest.mark.parametrize("code", ["99213", "70450", "J1885", "470"])
@pytest.mark.parametrize("filters", [{}, {"billing_class": "professional", "area": "state"}, {"basis": "opps"}])
def test_each_month_is_compared_with_its_own_release(placed: Snapshot, code: str, filters: dict[str, str]) -> None:
    latest = _one_month_each(placed)
    system = {"J1885": "HCPCS", "470": "MS-DRG"}.get(code, "CPT")
    market = Market("GA", "", system, code, latest=latest, **filters)
    alone = []
    for one in latest.payers:
        of_payer = replace(market, payer=one.payer_slug, latest=None, year_month=one.year_month)
        alone += list_comparisons(placed, of_payer, "rate", 9_999, 0)
    with market_cache(placed, market, areas="area" not in filters) as cached:
        for asked in (cached, placed):
            rows = list_comparisons(asked, market, "rate", 9_999, 0)
            assert sorted(rows, key=repr) == sorted(alone, key=repr)
            assert count_outcomes(asked, market).total == len(alone)
        by_terms = find_amounts(cached, market)
        # Terms have a row for each area, and one for the mean of the state.
        assert sum(one.rates for terms, one in by_terms.items() if terms.group_area is None) == len(alone)
        if filters.get("area"):
            assert Counter(one.medicare for one in by_terms.values() for _ in range(one.rates)) == Counter(
                row.medicare for row in alone
            )
        # In between, a payer's amounts, which need the releases of its own month alone.
        find_amounts(cached, replace(market, payer=latest.payers[-1].payer_slug))
        otherwise = replace(market, basis="mpfs")
        with_others = [list_comparisons(db, otherwise, "rate", 9_999, 0) for db in (cached, placed)]
        assert sorted(with_others[0], key=repr) == sorted(with_others[1], key=repr)


def test_a_name_stands_for_the_selection_asked_now(placed: Snapshot) -> None:
    """What is kept of one selection is not the answer of another that has the same name on the next page."""
    market = Market("GA", "2025-08", "CPT", "99213")
    of_code = "state = 'GA' AND year_month = '2025-08' AND code_type = 'CPT' AND code = '99213'"
    counts = placed.rows(
        f"""SELECT payer_slug(reporting_entity_name), count(*), count(DISTINCT pg_uid)
            FROM fact_rate WHERE {of_code} GROUP BY ALL"""
    )
    assert len({rates for _, rates, _ in counts}) > 1, "another payer has another number"
    for payer, rates, groups in counts:
        of_payer = replace(market, payer=payer)
        with market_cache(placed, of_payer) as cached:
            found = count_market(cached, of_payer)
            assert (found.rates, found.groups) == (rates, groups)
            assert sum(row.rates for row in summarize_rates(cached, of_payer)) == rates
            assert sum(one.rates for one in count_choices(cached, of_payer)["billing_class"]) == rates
