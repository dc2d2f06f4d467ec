"""Rates by place, specialty, and kind of provider, against slow references: a rate counts once at every level."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.queries import rates
from core.queries.market.market import Market
from core.queries.market.market_filters import PROFILE_FILTERS
from core.queries.market.market_rates import market_cache
from core.queries.profiles import (
    KINDS,
    PLACES,
    Breakdown,
    Contrast,
    break_down,
    contrast,
    count_profile_choices,
    list_zip_points,
    name_places,
)
from core.queries.rules.percentiles import FEW_RATES
from core.queries.yardstick import medicare
from core.store.connection import Snapshot
from core.store.generations.store import Store
from tests.queries.slow import Everything, percentile
from tests.queries.slow_profiles import VALUES, Providers, facts_of
from tests.stores import open_snapshot

MARKET = Market("GA", "2025-08", "CPT", "99213")


@pytest.fixture(scope="module")
def placed_everything(placed_root: Path) -> Everything:
    return Everything(open_snapshot(Store(placed_root)))


@pytest.fixture(scope="module")
def providers(placed_root: Path) -> Providers:
    return Providers(open_snapshot(Store(placed_root)))


@pytest.fixture(scope="module")
def store_db(placed_root: Path) -> Snapshot:
    return open_snapshot(Store(placed_root))


def filters(providers: Providers) -> st.SearchStrategy[dict[str, Any]]:
    """Return some filters by provider, most of them with values that some provider has."""
    npis = sorted(providers.by_npi)
    choices = {
        name: st.sampled_from(sorted({value for who in providers.by_npi.values() for value in values(who)}))
        for name, values in VALUES.items()
    }
    choices["city"] |= st.sampled_from(["ATLANTA", "MACON", "MACON GA", "ATL"])
    choices["near"] = st.builds(
        lambda place, miles: f"{place},{miles}",
        st.sampled_from(["30303", "31401", "99999", npis[0], npis[-1]]),
        st.sampled_from([1, 15, 80, 120, 250, 500]),
    )
    return st.dictionaries(st.sampled_from(sorted(choices)), st.none(), max_size=3).flatmap(
        lambda names: st.fixed_dictionaries({name: choices[name] for name in names})
    )


@settings(max_examples=4)
@given(data=st.data())
def test_filters_choices_and_breakdowns_count_each_rate_once(
    store_db: Snapshot, placed_everything: Everything, providers: Providers, data: st.DataObject
) -> None:
    code = data.draw(st.sampled_from(["99213", "70450", "27447"]))
    market = Market("GA", "2025-08", "CPT", code, **data.draw(filters(providers)))
    if data.draw(st.booleans()):
        market = Market(**{**vars(market), "billing_class": "professional"})
    facts = facts_of(placed_everything, providers, market)
    assert rates.count_rates(store_db, market) == len(facts)
    with market_cache(store_db, market) as cache:
        assert sum(row.rates for row in rates.summarize_rates(cache, market)) == len(facts)
        choices = count_profile_choices(cache, market)
    assert count_profile_choices(store_db, market) == choices
    for name in (*KINDS, *PLACES):
        expected: dict[str, int] = {}
        for fact in facts_of(placed_everything, providers, market.without(name)):
            members = providers.members(fact, market, without=[name])
            for value in {value for who in members for value in VALUES[name](who)}:
                expected[value] = expected.get(value, 0) + 1
        assert {one.value: one.rates for one in choices[name] if one.rates} == expected
        assert [one.value for one in choices[name] if one.chosen] == [one for one in [getattr(market, name)] if one]
    by = data.draw(st.sampled_from([*PLACES, *KINDS]))
    with market_cache(store_db, market, areas=True) as cache:
        totals, rows = break_down(cache, market, by)
    assert break_down(store_db, market, by) == (totals, rows)
    dollars = [fact for fact in facts if fact["kind"] == "dollars"]
    assert (totals.rates, totals.groups) == (len(dollars), len({fact["pg_uid"] for fact in dollars}))
    of_value: dict[str, list[Any]] = {}
    for fact in dollars:
        for value in {value for who in providers.members(fact, market) for value in VALUES[by](who)}:
            of_value.setdefault(value, []).append(fact)
    assert {row.value: row.rates for row in rows} == {value: len(found) for value, found in of_value.items()}
    assert totals.unknown == len(dollars) - len({f["fact_uid"] for found in of_value.values() for f in found})
    percents = {row.fact_uid: row.percent for row in medicare.list_comparisons(store_db, market, "rate", 10**6, 0)}
    for row in rows:
        found = of_value[row.value]
        amounts = [fact["negotiated_rate"] for fact in found]
        shares = [share for fact in found if (share := percents[fact["fact_uid"]]) is not None]
        assert row.groups == len({fact["pg_uid"] for fact in found})
        assert (row.p10, row.p50, row.p90) == pytest.approx([percentile(amounts, share) for share in (0.1, 0.5, 0.9)])
        assert row.compared == len(shares)
        assert row.percent == (pytest.approx(percentile(shares, 0.5)) if shares else None)
    check_contrast(contrast(store_db, market, by, rows), rows, of_value)


def check_contrast(found: Contrast | None, rows: list[Breakdown], of_value: dict[str, list[Any]]) -> None:
    """Compare a contrast with what the facts of each value say."""
    among = [row for row in rows if row.rates >= FEW_RATES]
    if not among:
        assert found is None
        return
    assert found is not None
    uids = [{fact["fact_uid"] for fact in of_value[row.value]} for row in among]
    assert found.compared == len(among)
    assert found.rates == len(set.union(*uids))
    assert found.everywhere == len(set.intersection(*uids))
    assert (found.fewest, found.most) == (min(row.rates for row in among), max(row.rates for row in among))
    ordered = sorted(among, key=lambda row: row.p50)
    assert ordered[0] in found.lowest
    assert ordered[-1] in found.highest
    assert {row.p50 for row in found.lowest} | {row.p50 for row in found.highest} == {ordered[0].p50, ordered[-1].p50}
    assert found.is_alike == (len(among) > 1 and ordered[-1].p50 / ordered[0].p50 <= 1.05)


def test_medians_within_a_twentieth_are_alike(placed: Snapshot) -> None:
    row = replace(break_down(placed, MARKET, "county")[1][0], p50=100.0)
    for other, is_alike in ((100.0, True), (104.9, True), (105.1, False)):
        found = Contrast([replace(row, p50=other)], [row], compared=2, rates=9, everywhere=5, fewest=7, most=7)
        assert found.is_alike == is_alike
    assert found.is_shared
    assert not replace(found, everywhere=4).is_shared
    alone = replace(found, compared=1)
    assert not alone.is_alike
    assert not alone.is_shared


def test_one_provider_meets_all_filters_by_provider(placed: Snapshot, providers: Providers) -> None:
    """A cardiologist of another town and a surgeon of this one are no cardiologist here."""
    for county in ("13121", "13021", "13095"):
        for specialty in ("Cardiology", "Family medicine"):
            market = Market(**{**vars(MARKET), "county": county, "specialty": specialty})
            both = {
                npi for npi, who in providers.by_npi.items()
                if who["county_fips"] == county and who["specialty"] == specialty
            }  # fmt: skip
            ((groups,),) = placed.rows(
                """SELECT count(DISTINCT pg_uid) FROM xref_group_npi
                   WHERE year_month = '2025-08' AND list_contains(?, npi)""",
                [sorted(both)],
            )
            assert rates.count_market(placed, market).groups <= groups


def test_places_have_names_and_points(placed: Snapshot) -> None:
    named = name_places(placed, Market(**{**vars(MARKET), "county": "13121", "metro": "12060"}))
    assert named == {"county": "Fulton County, GA", "metro": "Atlanta-Sandy Springs-Roswell, GA"}
    assert name_places(placed, MARKET) == {}
    _, rows = break_down(placed, MARKET, "county")
    (fulton,) = (row for row in rows if row.value == "13121")
    # In the middle of the county's two ZIP codes.
    assert fulton.latitude == pytest.approx(33.817719)
    assert fulton.longitude == pytest.approx(-84.382621)
    assert len(list_zip_points(placed, "GA")) == 14


def test_without_places_a_question_has_no_choices(demo: Snapshot) -> None:
    assert name_places(demo, Market(**{**vars(MARKET), "county": "13121"})) == {}
    choices = count_profile_choices(demo, MARKET)
    assert choices["county"] == []
    assert len(choices["specialty"]) == 6
    _, rows = break_down(demo, MARKET, "county")
    assert rows == []


def test_every_filter_by_provider_is_asked_here() -> None:
    assert set(PROFILE_FILTERS) == {*KINDS, *PLACES, "near"}
