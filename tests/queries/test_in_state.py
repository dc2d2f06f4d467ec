"""How much of a market is of its state, against slow references."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from core.queries import in_state
from core.queries.in_state import find_in_state_of_codes, list_in_state
from core.queries.loaded_files import SharedFile
from core.queries.market.market import Market
from core.queries.market.market_rates import market_cache
from core.queries.parties.tax_id_people import find_elsewhere
from core.store.connection import Snapshot
from core.store.generations.store import Store
from tests.queries.one_market import store_of_market
from tests.queries.slow import Everything
from tests.queries.slow_profiles import Providers
from tests.queries.tables import written
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


@pytest.mark.parametrize("market", [MARKET, replace(MARKET, modifier="none"), replace(MARKET, code="70450")])
def test_providers_of_the_state_are_told_from_those_elsewhere(
    store_db: Snapshot, placed_everything: Everything, providers: Providers, market: Market
) -> None:
    facts = placed_everything.of(market)
    groups = {fact["pg_uid"]: [one["city"] for one in providers.members(fact, market) if one["city"]] for fact in facts}
    here = {group: [city for city in cities if city.endswith(f", {market.state}")] for group, cities in groups.items()}
    with market_cache(store_db, market) as cached:
        for db in (store_db, cached):
            found, *of_payers = list_in_state(db, market)
            assert {one.reporting_entity_name: one.rates for one in of_payers} == Counter(
                one["reporting_entity_name"] for one in facts
            )
            for one in of_payers:
                theirs = [
                    fact["pg_uid"] for fact in facts if fact["reporting_entity_name"] == one.reporting_entity_name
                ]
                assert one.in_state == sum(len(here[group]) for group in set(theirs))
                assert one.rates_in_state == sum(bool(here[group]) for group in theirs)
                assert one.rates_known == sum(bool(groups[group]) for group in theirs)
            assert (found.providers, found.in_state) == (sum(map(len, groups.values())), sum(map(len, here.values())))
            assert (found.rates, found.rates_in_state) == (len(facts), sum(bool(here[one["pg_uid"]]) for one in facts))
    assert found.in_state > 0


def test_several_codes_are_counted_with_all_of_their_classes(
    store_db: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many rates as the codes have each, of any class, whatever class the market is looked at in."""
    market = Market("GA", "2025-08", billing_class="professional", payer="example_peach_health_plan")
    assert find_in_state_of_codes(store_db, market, ["99213"]) == [], "no file is one of several states"
    shared = SharedFile("Example", "example", "2025-08", ["GA", "TX"], 9)
    monkeypatch.setattr(in_state, "list_shared_files", lambda db: [shared])
    of_each = [list_in_state(store_db, replace(MARKET, code=code, payer=market.payer)) for code in ("99213", "70450")]
    found = find_in_state_of_codes(store_db, market, ["99213", "70450", "none"])
    assert len(found) == 2
    for one, *parts in zip(found, *of_each, strict=True):
        assert one.rates == sum(part.rates for part in parts)
        assert one.rates_in_state == sum(part.rates_in_state for part in parts) > 0
    assert find_in_state_of_codes(store_db, market, []) == []


def test_a_market_of_providers_elsewhere_is_told(tmp_path: Path) -> None:
    plain = store_of_market(tmp_path, {}, {"group": 1}, {"group": 1, "negotiated_rate": 11.0}, {"group": 3})
    places = [(0, "DALLAS, TX", 9), (1, "DALLAS, TX", 5), (1, "MACON, GA", 2), (3, "", 40)]
    of_month = {"year_month": "2025-08", "payer_slug": "payer_a", "zip": "", "specialty": "", "entity_type": ""}
    db = written(plain.root, {"group_profile": [
        {**of_month, "pg_uid": f"payer_a 2025-08 {group}", "city": city, "npis": npis} for group, city, npis in places
    ]})  # fmt: skip
    found, of_payer = list_in_state(db, MARKET)
    counted = {"providers": 16, "in_state": 2, "rates": 4, "rates_known": 3, "rates_in_state": 2}
    assert vars(found) == {"reporting_entity_name": None, **counted}
    assert vars(of_payer) == {"reporting_entity_name": "Payer A", **counted}
    assert found.is_elsewhere


@pytest.mark.parametrize("state", ["GA", "TX"])
def test_a_tax_id_is_elsewhere_if_nobody_bills_under_it_who_practices_in_the_state(
    store_db: Snapshot, state: str
) -> None:
    states: dict[tuple[str, str], set[str]] = {}
    for kind, value, npi_state in store_db.rows(
        "SELECT DISTINCT x.tin_type, x.tin_value, n.state FROM xref_tin_npi x LEFT JOIN dim_npi n USING (npi)"
    ):
        states.setdefault((kind, value), set()).update({npi_state} - {None})
    found = find_elsewhere(store_db, set(states), state)
    assert found.keys() == {key for key, theirs in states.items() if theirs and state not in theirs}
    assert all(city for city in found.values())
    assert find_elsewhere(store_db, set(), state) == {}
