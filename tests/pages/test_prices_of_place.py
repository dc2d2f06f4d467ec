"""In a town, the prices that contracts list for other areas are named, and the figures of the others."""

import statistics
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.queries.comparison.prices_of_place import find_prices_of_place
from core.queries.market.market import Market
from core.store.connection import Snapshot
from tests.queries.comparison.area_stores import QUERY, SCHEDULES, VISIT, store_of_areas
from tests.queries.tables import written
from tests.site import Visitor, serving, text_of

CITY = "ATLANTA, GA"
MARKET = Market("GA", "2025-06", "CPT", "99213", city=CITY)
AMOUNTS = {"ATLANTA": 90.0, "REST OF GEORGIA": 70.0}


def store_of_town(
    root: Path,
    contracts: list[tuple[float, ...]],
    localities: tuple[str, ...] = ("01",),
    schedules: dict[str, Any] = SCHEDULES,
) -> Snapshot:
    """Return a store of groups in Atlanta, each with its prices, and of providers there in these localities."""
    rates = [VISIT | {"group": at, "negotiated_rate": price} for at, prices in enumerate(contracts) for price in prices]
    plain = store_of_areas(root, rates, schedules)
    members: list[dict[str, Any]] = [
        {"npi": f"10{at:08}", "city": CITY, "contractor": "10212", "locality": one} for at, one in enumerate(localities)
    ]
    groups = [{"year_month": "2025-06", "pg_uid": f"g{at}", "city": CITY, "npis": 1} for at in range(len(contracts))]
    bridge = {"reporting_entity_name_raw": "P", "payer_slug": "p"}
    return written(plain.root, {"provider_profile": members, "group_profile": groups, "dim_payer_bridge": [bridge]})


def test_the_page_of_a_town_says_what_holds_there(tmp_path: Path) -> None:
    db = store_of_town(tmp_path, [(103.50, 80.50), (99.0,), (111.0,)])
    with serving(db.root):
        town = text_of(Visitor().get("/rates/", {**dict(one.split("=") for one in QUERY.split("&")), "city": CITY}))
        report = text_of(Visitor().get(f"/report/?{QUERY}&city=ATLANTA,+GA"))
        state = text_of(Visitor().get(f"/rates/?{QUERY}"))
    lead = "is paid $103.50 in the middle of the 3 rates that hold in Atlanta; 115% of Medicare there"
    rest = (
        "1 more rate of providers there is a price for other areas: the file lists the prices of 1 provider group for "
        "each area. With it, as in the chart and the tables below, the middle of 4 rates is $101.25, 128% of Medicare."
    )
    for shown in (town, report):
        assert lead in shown
        assert rest in shown
    assert "for other areas" not in state


def test_a_contract_of_other_areas_alone_has_no_price_there(tmp_path: Path) -> None:
    third = {**SCHEDULES["bench_medicare_prof_locality"][0], "locality": "05", "locality_name": "SAVANNAH"}
    localities = [*SCHEDULES["bench_medicare_prof_locality"], {**third, "nonfacility_rate": 80.0}]
    schedules = {**SCHEDULES, "bench_medicare_prof_locality": localities}
    db = store_of_town(tmp_path, [(103.50, 80.50), (99.0,), (111.0,)], ("05",), schedules)
    found = find_prices_of_place(db, MARKET, "professional", "")
    assert found is not None
    assert (found.area, found.rates, found.elsewhere, found.p50) == ("SAVANNAH", 2, 2, 105.0)
    assert found.percent == pytest.approx(105 / 80)
    nothing_else = store_of_town(tmp_path / "alone", [(103.50, 80.50)], ("05",), schedules)
    assert find_prices_of_place(nothing_else, MARKET, "professional", "") is None


@pytest.mark.parametrize(
    ("contracts", "localities"),
    [
        ([(103.50, 80.50), (99.0,)], ("01", "99")),  # the town's providers are in two localities
        ([(90.0, 81.11), (99.0,)], ("01",)),  # prices that are no percents
        ([(103.50,), (99.0,)], ("01",)),  # one price
        ([(103.50, 80.50)], ()),  # nobody knows where the providers are
    ],
)
def test_where_nobody_knows_which_prices_hold_all_rates_count(
    tmp_path: Path, contracts: list[tuple[float, ...]], localities: tuple[str, ...]
) -> None:
    db = store_of_town(tmp_path, contracts, localities)
    assert find_prices_of_place(db, MARKET, "professional", "") is None


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    percents=st.lists(st.sampled_from((1.15, 1.2, 1.3)), min_size=1, max_size=2, unique=True),
    others=st.lists(st.sampled_from((62.0, 99.99, 120.5)), max_size=3),
)
def test_the_figures_are_those_of_a_loop_over_the_contracts(
    tmp_path_factory: pytest.TempPathFactory, percents: list[float], others: list[float]
) -> None:
    prices = tuple(round(one * amount, 2) for one in percents for amount in AMOUNTS.values())
    db = store_of_town(tmp_path_factory.mktemp("town"), [prices, *((one,) for one in others)])
    found = find_prices_of_place(db, MARKET, "professional", "")
    here = [round(one * AMOUNTS["ATLANTA"], 2) for one in percents]
    held = sorted(here + others)
    assert found is not None
    assert (found.area, found.rates, found.elsewhere, found.contracts) == ("ATLANTA", len(held), len(percents), 1)
    assert found.p50 == pytest.approx(statistics.median(held))
    assert held[0] <= found.p25 <= found.p50 <= found.p75 <= held[-1]
