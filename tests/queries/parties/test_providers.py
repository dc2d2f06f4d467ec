"""A provider and its rates, against the slow answers."""

from collections import Counter
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.fields.codes.accompanying_code import is_accompanying
from core.fields.codes.code_family import family_of
from core.fields.codes.performing_specialties import list_unfit_families
from core.queries.market.market import Market
from core.queries.market.market_rates import market_cache
from core.queries.parties import provider_rates, providers
from core.queries.parties.line_medians import LEAST_FOR_PERCENTILES
from core.queries.rates import list_rates, summarize_rates
from core.reference.nppes.load_register import load_nppes
from core.store.connection import Snapshot
from core.store.generations.store import Store
from core.vocabulary.services import FAMILIAR_CODES, plain_names
from tests.fixture_types import Load
from tests.queries import slow
from tests.queries.comparison import slow_comparison
from tests.queries.one_market import MARKET, store_of_market, store_of_months, with_fee
from tests.queries.slow import Everything, percentile
from tests.queries.slow_price import choose_price
from tests.queries.slow_provider_sides import LINE, choose_sides, lines_of, on_side
from tests.reference.nppes import registers
from tests.stores import open_snapshot


@pytest.mark.parametrize("by", ["npi", "tin"])
@pytest.mark.parametrize("in_memory", [True, False])
def test_a_provider_s_rates(odd: Snapshot, demo: Snapshot, by: providers.By, in_memory: bool) -> None:
    for db in (odd, demo):
        everything = Everything(db)
        values = {
            v for fact in everything.facts for v in (fact["npis"] if by == "npi" else {t[1] for t in fact["tins"]})
        }
        for value in sorted(values)[:3]:
            for period in providers.list_provider_periods(db, by, value):
                market = Market(period.state, period.year_month, **{by: value})
                with market_cache(db, market) if in_memory else nullcontext(db) as provider:
                    assert_provider_rates(db, provider, everything, market)
            mine = [f for f in everything.facts if value in (f["npis"] if by == "npi" else {t[1] for t in f["tins"]})]
            assert {(one.state, one.year_month) for one in providers.list_provider_periods(db, by, value)} == {
                (fact["state"], fact["year_month"]) for fact in mine
            }
            groups = providers.list_groups(db, by, value)
            assert sum(row.groups for row in groups) == len({fact["pg_uid"] for fact in mine})


def assert_provider_rates(db: Snapshot, provider: Snapshot, everything: Everything, market: Market) -> None:
    mine, whole = everything.of(market), lines_of(everything.of(Market(market.state, market.year_month)))
    choose_sides(db, mine, whole)
    of_mine = lines_of(mine)
    expected = slow.grouped(mine, *LINE, "reporting_entity_name")
    total, found = provider_rates.list_code_rates(db, provider, market, 10**6, 0)
    assert total == len(found) == len(expected)
    for row in found:
        line = (row.code_type, row.code, row.kind, row.billing_class, row.modifier, row.care_setting)
        facts = expected[*line, row.reporting_entity_name]
        every = on_side(whole, line)
        others = [one["negotiated_rate"] for one in every]
        on_its_side = replace(market, care_setting=row.care_setting)
        meant = [fact for fact in facts if not is_odd(fact, on_its_side, others, everything)]
        others = [one["negotiated_rate"] for one in every if not is_odd(one, on_its_side, others, everything)]
        assert row.left_out == (len(facts) - len(meant) if meant else 0)
        facts = meant or facts
        amounts = [fact["negotiated_rate"] for fact in facts]
        assert (row.rates, row.lowest, row.highest) == (len(amounts), min(amounts), max(amounts))
        assert row.market == pytest.approx(percentile(others, 0.5))
        assert row.market_rates == len(others)
        assert row.difference == (pytest.approx(row.p50 / row.market - 1) if row.market else None)
        positions = slow.positions(amounts, others)
        assert row.prices == len(set(amounts))
        prices = set(others) if len(others) < LEAST_FOR_PERCENTILES else None
        assert row.market_prices == (None if prices is None else len(prices))
        assert row.above == (None if prices is None else sum(one > row.p50 for one in prices))
        assert row.place_lists == len({fact["pos_set_id"] for fact in facts})
        assert row.family == family_of(row.code_type, row.code)
        outcomes = [slow_comparison.compared_in(on_its_side, fact, everything.benchmarks) for fact in facts]
        percents = [
            fact["negotiated_rate"] / outcome.amount
            for fact, outcome in zip(facts, outcomes, strict=True)
            if outcome.amount is not None
        ]
        assert row.compared == len(percents)
        within = [
            fact["negotiated_rate"]
            for fact, outcome in zip(facts, outcomes, strict=True)
            if outcome.amount is None or 0.5 <= fact["negotiated_rate"] / outcome.amount <= 30
        ]
        assert row.implausible == len(facts) - len(within)
        left = within if row.kind != "dollars" else slow.without_far(within, others)
        assert row.far_from_others == len(within) - len(left)
        assert (row.plausible_lowest, row.plausible_highest) == ((min(left), max(left)) if left else (None, None))
        # Positions and percents are in the order of the rates.
        assert row.p50 == choose_price(amounts)
        position = pytest.approx(choose_price(positions))
        own = [one for one in on_side(of_mine, line) if one["reporting_entity_name"] == row.reporting_entity_name]
        assert row.percentile == (position if len(others) > len(own) else None)
        assert row.percent == (pytest.approx(choose_price(percents)) if percents else None)
    assert provider_rates.list_code_rates(db, provider, market, 2, 1)[1] == found[1:3]


def is_odd(fact: slow.Row, market: Market, others: list[float], everything: Everything) -> bool:
    """Return whether figures leave out a rate: it is implausible, and beyond the others of its line in the market."""
    if fact["kind"] != "dollars" or not slow.is_beyond(fact["negotiated_rate"], others):
        return False
    amount = slow_comparison.compared_in(market, fact, everything.benchmarks).amount
    return amount is not None and not 0.5 <= fact["negotiated_rate"] / amount <= 30


def test_who_a_provider_is(odd: Snapshot) -> None:
    assert providers.find_npi(odd, "1912951245") is not None
    assert providers.find_npi(odd, "2999999999") is None
    assert [(tin.tin_value, tin.npis) for tin in providers.list_tins_of_npi(odd, "1912951245")] == [("000000001", 2)]
    assert [(tin.tin_type, tin.npis) for tin in providers.find_tins(odd, "000000001")] == [("ein", 2)]
    assert [(tin.tin_type, tin.npis) for tin in providers.find_tins(odd, "000000002")] == [("ein", 0)]
    assert providers.find_tins(odd, "999999999") == []
    total, colleagues = providers.list_npis_of_tin(odd, "000000001", 1, 1)
    assert (total, [one.npi for one in colleagues]) == (2, ["1912951245"])


def test_the_newest_month_of_a_provider_comes_first(tmp_path: Path) -> None:
    months: dict[str, list[dict[str, Any]]] = {"m2025_07": [{}], "m2025_09": [{}], "m2025_08": [{}]}
    db = store_of_months(tmp_path, **months)
    found = providers.list_provider_periods(db, "npi", "1912951245")
    assert [row.year_month for row in found] == ["2025-09", "2025-08", "2025-07"]
    groups = providers.list_groups(db, "tin", "100000001")
    assert [row.year_month for row in groups] == ["2025-09", "2025-08", "2025-07"]


def test_the_state_where_a_provider_practices_comes_first(store: Store, load: Load, tmp_path: Path) -> None:
    # A national file is loaded for Georgia and Texas; the provider practices in Texas and has a newer month in Georgia.
    for state, day in (("GA", "2025-09-01"), ("GA", "2025-08-01"), ("TX", "2025-07-01")):
        load({**registers.rates(registers.SURGEON), "last_updated_on": day}, state)
    home = {f"{registers.PRACTICE}State Name": "TX", f"{registers.PRACTICE}City Name": "DALLAS"}
    path = tmp_path / "npidata_pfile_20050523-20250810.csv"
    load_nppes(store, [registers.register(path, registers.provider(registers.SURGEON, "DOE", **home))])
    db = open_snapshot(store)
    by: providers.By
    for by, value in (("npi", registers.SURGEON), ("tin", "123456789")):
        found = providers.list_provider_periods(db, by, value)
        assert [(one.state, one.year_month[-2:]) for one in found] == [("TX", "07"), ("GA", "09"), ("GA", "08")]


def test_an_offset_past_the_end_has_the_true_total_and_no_rows(odd: Snapshot) -> None:
    market = Market("GA", "2025-08", npi="1912951245")
    total, rows = provider_rates.list_code_rates(odd, odd, market, 5, 0)
    assert total > 5 == len(rows)
    assert provider_rates.list_code_rates(odd, odd, market, 5, total) == (total, [])
    assert provider_rates.list_code_rates(odd, odd, market, 5, total - 1)[0] == total
    tin = providers.list_tins_of_npi(odd, "1912951245")[0].tin_value
    number, _ = providers.list_npis_of_tin(odd, tin, 1, 0)
    assert number == 2
    assert providers.list_npis_of_tin(odd, tin, 1, 99) == (2, [])
    assert providers.list_npis_of_tin(odd, "none", 1, 99) == (0, [])


def test_usual_codes_come_first(placed: Snapshot, placed_root: Path) -> None:
    profiles = {npi: who for npi, *who in placed.rows("SELECT npi, specialty, entity_type FROM provider_profile")}
    for tin, npis in placed.rows("SELECT tin_value, list(DISTINCT npi) FROM npi_by_tin GROUP BY ALL ORDER BY 1")[:6]:
        market = Market("GA", "2025-08", tin=tin)
        known = [profiles[npi] for npi in npis if npi in profiles and profiles[npi][0]]
        persons = [who for who in known if who[1] == "individual"]
        counts = Counter(specialty for specialty, _ in persons or known)
        leading = [one for one, n in counts.items() if 2 * n >= max(counts.values())]
        unfit = list_unfit_families(leading)

        def usual(row: provider_rates.CodeRates, unfit: list[str] = unfit) -> int:
            if is_accompanying(row.code_type, row.code):
                return 0
            if (row.code_type, row.code) not in plain_names():
                return 1
            return 2 if row.modifier or row.family in unfit else 4 if row.code in FAMILIAR_CODES else 3

        _, rows = provider_rates.list_code_rates(placed, placed, market, 1000, 0)
        keys = [(row.services or 0, usual(row)) for row in rows]
        assert keys == sorted(keys, reverse=True)
        alike = [row for row in rows if usual(row) == 3 and not row.services]
        # The sides of a line stand together.
        some = [row for row in alike if row.market_rates == alike[0].market_rates and row.care_setting is None]
        assert [row.p50 for row in some] == sorted((row.p50 for row in some), reverse=True)


def test_a_price_in_two_lists_of_places_is_one_price(tmp_path: Path) -> None:
    db, tin = store_of_market(tmp_path, {"places": ["11"]}, {"places": ["12"]}), "100000001"
    _, (row,) = provider_rates.list_code_rates(db, db, Market("GA", MARKET.year_month, tin=tin), 10, 0)
    assert (row.rates, row.prices, row.place_lists, row.care_setting) == (2, 1, 2, None)
    assert (row.above, row.market_prices, row.market_rates) == (0, 1, 2)


def test_rates_outside_facilities_and_in_them_are_compared_apart(tmp_path: Path) -> None:
    """As pooled prices, the two of the tax ID would be 15% below and 25% above the median of all five: 80."""
    office, hospital = {"places": ["11"]}, {"places": ["21"]}
    rates = [
        {**office, "negotiated_rate": 110.0},
        {**hospital, "negotiated_rate": 80.0},
        {**office, "negotiated_rate": 100.0, "group": 1},
        {**hospital, "negotiated_rate": 60.0, "group": 1},
        # For either place: in both markets.
        {"places": ["11", "22"], "negotiated_rate": 70.0, "group": 3},
    ]
    db = store_of_market(tmp_path, *rates)
    market = Market("GA", MARKET.year_month)
    figures = ("care_setting", "p50", "market", "market_rates", "above", "market_prices")
    _, rows = provider_rates.list_code_rates(db, db, replace(market, tin="100000001"), 10, 0, "code")
    assert [tuple(getattr(row, name) for name in figures) for row in rows] == [
        ("facility or unstated", 80.0, 70.0, 3, 0, 3),
        ("non-facility or unstated", 110.0, 100.0, 3, 0, 3),
    ]
    assert [row.percentile for row in rows] == [pytest.approx(5 / 6)] * 2
    for row in rows:
        asked = replace(market, code_type="CPT", code="99213", care_setting=row.care_setting)
        (of_page,) = summarize_rates(db, asked)
        assert (of_page.rates, of_page.p50) == (row.market_rates, row.market), "the tab of the code's page"
    _, (either,) = provider_rates.list_code_rates(db, db, replace(market, tin="100000003"), 10, 0)
    assert (either.care_setting, either.rates) == ("non-facility or unstated", 1), "it counts once"
    inside = replace(market, tin="100000003", care_setting="facility or unstated")
    _, (asked_for,) = provider_rates.list_code_rates(db, db, inside, 10, 0)
    assert (asked_for.care_setting, asked_for.market) == ("facility or unstated", 70.0)


def test_the_market_of_a_provider_is_that_of_the_code_s_page(tmp_path: Path) -> None:
    """Likely errors are in no median and no position, on either side; a rate that is equal to one may be meant."""
    office, hospital, either = {"places": ["11"]}, {"places": ["21"]}, {"places": ["11", "22"]}
    rates = [{**office, "negotiated_rate": 90.0 + at, "group": at % 2} for at in range(0, 12, 2)]
    rates += [{**hospital, "negotiated_rate": 60.0 + at, "group": at % 2} for at in range(3)]
    rates += [{**either, "negotiated_rate": 4.0, "group": 1}, {**office, "negotiated_rate": 4.0, "group": 1}]
    rates += [{**office, "negotiated_rate": 4.0, "billing_code_modifier": "26"}]
    db = with_fee(store_of_market(tmp_path, *rates), 86.34)
    market = Market("GA", MARKET.year_month)
    _, rows = provider_rates.list_code_rates(db, db, replace(market, tin="100000001"), 10, 0, "code")
    whole = [row for row in rows if not row.modifier]
    assert len(whole) == 2
    for row in whole:
        asked = replace(market, code_type="CPT", code="99213", care_setting=row.care_setting, modifier="none")
        (of_page,) = summarize_rates(db, asked)
        assert (row.market_rates, row.market) == (of_page.rates, of_page.p50)
        others = [one.negotiated_rate for one in list_rates(db, asked, "rate", 50, 0) if not one.left_out]
        own = [rate for rate in others if rate in {one["negotiated_rate"] for one in rates if not one.get("group")}]
        assert row.percentile == pytest.approx(choose_price(slow.positions(own, others)))
        assert row.market_prices == len(set(others))
    counted = replace(market, tin="100000001", implausible="in")
    _, rows = provider_rates.list_code_rates(db, db, counted, 10, 0, "code")
    assert [row.market_rates for row in rows if not row.modifier] == [4, 8]
