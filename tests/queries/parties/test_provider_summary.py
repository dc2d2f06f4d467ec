"""A provider in a few figures, against the slow answers."""

from dataclasses import replace
from typing import Any

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.fields.codes.code_family import family_of
from core.fields.places.care_setting import SIDES
from core.fields.providers.payer_slug import make_payer_slug
from core.queries.codes_within import choose_within
from core.queries.comparison.percent_of_areas import list_amounts_of_areas
from core.queries.market.market import Market
from core.queries.market.market_filters import OF_COMPENSATION
from core.queries.market.market_rates import market_cache, uses_own_areas
from core.queries.parties import provider_rates, providers
from core.queries.parties.line_medians import LINE, LINE_AMOUNT, count_amounts, distributions, list_payers_of_lines
from core.queries.parties.provider_summary import (
    FamilyRates,
    ProviderPayer,
    ProviderSummary,
    list_family_rates,
    list_provider_payers,
    summarize_provider,
)
from core.queries.rules.rate_kinds import MACROS
from core.queries.yardstick import medicare
from core.store.connection import Snapshot
from tests.queries import slow
from tests.queries.comparison import slow_comparison
from tests.queries.slow import Everything, Row, percentile
from tests.queries.slow_provider_sides import LINE as LINE_ON_SIDE
from tests.queries.slow_provider_sides import choose_sides, lines_of, on_side

PERCENTILES = {"p10": 0.1, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p90": 0.9}


def assert_figures(
    row: ProviderSummary | FamilyRates | ProviderPayer, facts: list[Row], mine: list[Row], everything: list[Row]
) -> None:
    """Compare a row of figures with those of its facts. `mine` are all of the provider's, `everything` the market's."""
    assert row.rates == len(facts)
    assert row.codes == len({(fact["code_type"], fact["code"]) for fact in facts})
    meant = [fact for fact in facts if not fact["is_odd"]]
    assert row.odd == len(facts) - len(meant)
    sizes: list[float] = []
    of_market, of_mine = lines_of(everything), lines_of(mine)
    for fact in facts:
        line, payer = tuple(fact[name] for name in LINE_ON_SIDE), fact["reporting_entity_name"]
        others = [one["negotiated_rate"] for one in on_side(of_market, line)]
        own = [one for one in on_side(of_mine, line) if one["reporting_entity_name"] == payer]
        if fact["kind"] == "dollars" and len(others) > len(own):
            fact["position"] = slow.positions([fact["negotiated_rate"]], others)[0]
            sizes.append(len(others))
    placed = [fact["position"] for fact in facts if "position" in fact]
    positions = [fact["position"] for fact in meant if "position" in fact] or placed
    assert row.placed == len(positions)
    assert row.percentile == (pytest.approx(percentile(positions, 0.5)) if positions else None)
    if isinstance(row, ProviderSummary):
        assert row.market_rates == (percentile(sizes, 0.5) if sizes else None)
    percents = [fact["percent"] for fact in facts if fact["percent"] is not None]
    assert row.compared == len(percents)
    percents = [fact["counted"] for fact in meant if fact["percent"] is not None] or percents
    for name, share in PERCENTILES.items():
        assert getattr(row, name) == (pytest.approx(percentile(percents, share)) if percents else None)


def mark_odd(mine: list[Row], every: list[Row]) -> None:
    """Say of each fact whether it is a likely error: by its percent, and by the rates of its line in the market."""
    of_market = lines_of(every)
    for fact in mine:
        others = [one["negotiated_rate"] for one in on_side(of_market, tuple(fact[name] for name in LINE_ON_SIDE))]
        is_beyond = fact["kind"] == "dollars" and slow.is_beyond(fact["negotiated_rate"], others)
        fact["is_odd"] = is_beyond and not 0.5 <= (1 if fact["percent"] is None else fact["percent"]) <= 30


def count_areas(db: Snapshot, mine: list[Row]) -> None:
    """Say of each fact with which percent it counts: of another area's amount, if all of its line are such percents."""
    for fact in mine:
        fact["counted"] = fact["percent"]
    of_areas = list_amounts_of_areas(db, "GA", {fact["code"] for fact in mine})
    for (_, code, kind, _, modifier, side, _), some in slow.grouped(
        mine, *LINE_ON_SIDE, "reporting_entity_name"
    ).items():
        prices = {fact["negotiated_rate"] for fact in some}
        found = of_areas.find(code, modifier, prices, side) if len(prices) > 1 and kind == "dollars" else None
        if found and any(fact["percent"] is not None for fact in some):
            for fact in some:
                fact["counted"] = found.of_price(fact["negotiated_rate"]).percent


@pytest.mark.parametrize("filters", [{}, {"billing_class": "professional"}])
def test_the_figures_of_a_provider(odd: Snapshot, demo: Snapshot, filters: dict[str, str]) -> None:
    for db in (odd, demo):
        everything = Everything(db)
        npi = min(npi for fact in everything.facts for npi in fact["npis"])
        period = providers.list_provider_periods(db, "npi", npi)[0]
        market = Market(period.state, period.year_month, npi=npi, **filters)
        mine = everything.of(market)
        every = everything.of(Market(market.state, market.year_month))
        choose_sides(db, every, lines_of(every))
        for fact in mine:
            outcome = slow_comparison.compared(fact, everything.benchmarks, None, fact["care_setting"])
            fact["percent"] = None if outcome.amount is None else fact["negotiated_rate"] / outcome.amount
            fact["family"] = family_of(fact["code_type"], fact["code"])
        mark_odd(mine, every)
        count_areas(db, mine)
        summary = summarize_provider(db, db, market)
        assert_figures(summary, mine, mine, every)
        assert summary.payers == len({fact["reporting_entity_name"] for fact in mine})
        left_out = [fact["percent"] for fact in mine if fact["is_odd"]]
        below = [percent for percent in left_out if percent < 0.5]
        assert summary.below == len(below)
        assert summary.odd_p50 == (pytest.approx(percentile(below, 0.5)) if below else None)
        assert summary.above == sum(percent > 30 for percent in left_out)
        assert summary.in_areas == sum(fact["counted"] != fact["percent"] and not fact["is_odd"] for fact in mine)
        codes = sorted({fact["code"] for fact in mine})
        payers_of, lines = list_payers_of_lines(db, market, codes), lines_of(every)
        assert {line for line in slow.grouped(every, *LINE_ON_SIDE) if line[1] in codes} <= set(payers_of)
        for line, names in payers_of.items():
            assert names == sorted({fact["reporting_entity_name"] for fact in on_side(lines, line)})
        assert summary.dollars == sum(fact["kind"] == "dollars" for fact in mine)
        shares = [fact["negotiated_rate"] for fact in mine if fact["kind"] == "percentage"]
        assert summary.shares == len(shares)
        assert summary.share_p50 == (pytest.approx(percentile(shares, 0.5)) if shares else None)
        by_family = slow.grouped(mine, "family")
        families = list_family_rates(db, db, market)
        assert [row.family for row in families] == sorted(
            (family for (family,) in by_family), key=lambda one: (-len(by_family[one,]), one)
        )
        for row in families:
            assert_figures(row, by_family[row.family,], mine, every)
        payers = list_provider_payers(db, db, market)
        by_payer = slow.grouped(mine, "reporting_entity_name")
        assert {row.reporting_entity_name for row in payers} == {name for (name,) in by_payer}
        for payer in payers:
            assert_figures(payer, by_payer[payer.reporting_entity_name,], mine, every)
            assert payer.payer_slug == make_payer_slug(payer.reporting_entity_name)
            assert payer.year_month == market.year_month


RATE = st.tuples(
    st.sampled_from(["Payer A", "Payer B"]),
    st.sampled_from(["2025-07", "2025-08"]),
    st.sampled_from(["99213", "99214"]),
    st.sampled_from(["negotiated", "percentage"]),
    st.sampled_from(["professional", None]),
    st.sampled_from(["", "26"]),
    st.sampled_from([10.0, 20.5, 33.0, 33.1, 99.0]),
    st.sampled_from(["11", "21", "11 21", ""]),
)


def of_places(*places: str) -> list[tuple[str, str, str, str, str | None, str, float, str]]:
    """Return rates of one line, each for some places."""
    return [
        ("Payer A", "2025-08", "99213", "negotiated", "professional", "", 10.0 + n, one) for n, one in enumerate(places)
    ]


@settings(max_examples=5)
@example(of_places("11", "21", "", "11 21"))
@example(of_places("21", "", "11 21"))
@given(st.lists(RATE, min_size=1, max_size=30))
def test_the_distribution_of_a_line(rates: list[tuple[str, str, str, str, str | None, str, float, str]]) -> None:
    """It is that of all rates, whether they are counted together or put together from payers and months."""
    with duckdb.connect() as db:
        for macro in MACROS:
            db.execute(macro)
        db.execute(
            """CREATE TABLE f(state VARCHAR DEFAULT 'GA', code_type VARCHAR DEFAULT 'CPT',
               reporting_entity_name VARCHAR, year_month VARCHAR, code VARCHAR, negotiated_type VARCHAR,
               billing_class VARCHAR, billing_code_modifier VARCHAR, negotiated_rate DOUBLE, pos_set_id VARCHAR,
               setting VARCHAR, negotiation_arrangement VARCHAR DEFAULT 'ffs')"""
        )
        db.executemany("INSERT INTO f VALUES (DEFAULT, DEFAULT, ?, ?, ?, ?, ?, ?, ?, ?, DEFAULT, DEFAULT)", rates)
        db.execute("CREATE TABLE dim_pos_set(pos_set_id VARCHAR, service_codes VARCHAR[])")
        db.executemany(
            "INSERT INTO dim_pos_set VALUES (?, ?)", [(one, one.split()) for one in ("11", "21", "11 21", "")]
        )
        found, put_together = (
            db.execute(
                f"""SELECT {", ".join(LINE)}, if_paid_less, rates, median, amounts, positions
                    FROM ({distributions(counted)}) ORDER BY ALL"""
            ).fetchall()
            for counted in (count_amounts("f"), LINE_AMOUNT.query.format(fact_rate="f"))
        )
    assert put_together == found
    kinds = {"negotiated": "dollars", "percentage": "percentage"}
    lines = [
        (("CPT", code, kinds[type_], class_, modifier), rate, places if class_ else "11 21")
        for *_, code, type_, class_, modifier, rate, places in rates
    ]
    for paid_less in (True, False):
        sides_of = {"11": {SIDES[0]}, "21": {SIDES[1]}, "11 21": set(SIDES), "": set(SIDES[:1] if paid_less else SIDES)}
        expected = {}
        for line in {line for line, *_ in lines}:
            its = [(rate, sides_of[places]) for of, rate, places in lines if of == line]
            is_divided = all(any(side not in sides for _, sides in its) for side in SIDES)
            for part in SIDES if is_divided else (None,):
                amounts = [rate for rate, sides in its if part is None or part in sides]
                distinct = sorted(set(amounts))
                positions = slow.positions(distinct, amounts)
                expected[*line, part] = (len(amounts), percentile(amounts, 0.5), distinct, positions)
        rows = [(*row[:6], *row[7:]) for row in found if row[6] in (None, paid_less)]
        assert sorted(map(repr, (row[:6] for row in rows))) == sorted(map(repr, expected))
        for row in rows:
            number, median, distinct, positions = expected[row[:6]]
            assert row[6:9] == (number, pytest.approx(median), distinct)
            assert row[9] == pytest.approx(positions)


def test_the_rates_of_a_provider_in_each_order_and_within_some_codes(demo: Snapshot) -> None:
    ((npi,),) = demo.rows("SELECT min(npi) FROM xref_tin_npi")
    market = Market("GA", "2025-08", npi=npi)
    total, every = provider_rates.list_code_rates(demo, demo, market, 10**6, 0)
    assert total == len(every)
    # What the provider bills comes first, most often first.
    services = [row.services for row in every]
    assert services == sorted(services, key=lambda one: (one is None, -(one or 0)))
    for order in ("p50", "percent", "percentile"):
        for sort, sign in ((order, 1), (f"-{order}", -1)):
            values = [
                getattr(row, order) for row in provider_rates.list_code_rates(demo, demo, market, 999, 0, sort)[1]
            ]
            assert values == sorted(values, key=lambda one: (one is None, sign * (one or 0))), sort
    codes = [row.code for row in provider_rates.list_code_rates(demo, demo, market, 999, 0, "-code")[1]]
    assert codes == sorted(codes, reverse=True)
    office = choose_within(demo, "office visit", "")
    found = provider_rates.list_code_rates(demo, demo, market, 999, 0, "code", office)[1]
    assert found
    assert {row.code for row in found} == {row.code for row in every} & {code for _, code in office.codes or ()}
    imaging = provider_rates.list_code_rates(
        demo, demo, market, 999, 0, "code", choose_within(demo, "", "X-ray, CT, and MRI")
    )[1]
    assert {row.code for row in imaging} == {row.code for row in every if row.family == "X-ray, CT, and MRI"}
    assert provider_rates.list_code_rates(demo, demo, market, 9, 0, "code", choose_within(demo, "zzzz", ""))[0] == 0


def test_a_provider_is_measured_by_the_yardstick_that_is_asked_for(demo: Snapshot) -> None:
    # Both are asked of one snapshot, which keeps its tables in memory from one question to the next.
    npi = min(npi for fact in Everything(demo).facts for npi in fact["npis"])
    by_medicare = Market("GA", "2025-08", npi=npi)
    by_compensation = replace(by_medicare, yardstick=OF_COMPENSATION)
    expected: dict[str | None, Any] = {}
    for market in (by_medicare, by_compensation, by_medicare):
        rows = medicare.list_comparisons(demo, market, "rate", 10**6, 0)
        percents = [row.wcfs_percent if market.yardstick else row.percent for row in rows]
        found = [one for one in percents if one is not None]
        # Only against Medicare does a percent say that a rate is a likely error. None of these is far from the others.
        meant = [one for one in found if market.yardstick or 0.5 <= one <= 30]
        expected[market.yardstick] = (len(found), pytest.approx(percentile(meant, 0.5)))
        summary = summarize_provider(demo, demo, market)
        assert (summary.compared, summary.p50) == expected[market.yardstick]
    with market_cache(demo, by_medicare, areas=uses_own_areas(demo, by_medicare)) as provider:
        for market in (by_medicare, by_medicare, by_compensation, by_medicare):
            summary = summarize_provider(demo, provider, market)
            assert (summary.compared, summary.p50) == expected[market.yardstick]
