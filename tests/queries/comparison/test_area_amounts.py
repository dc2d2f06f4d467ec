"""Medicare's amounts in the areas of provider groups: each rate once, by its own area where it is known."""

from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.fields.places.care_setting import FACILITY_OR_UNSTATED, SIDES
from core.queries import rates
from core.queries.market.market import Market
from core.queries.market.market_rates import market_cache
from core.queries.parties import provider_rates
from core.queries.yardstick import medicare, medicare_amounts
from core.store.connection import Snapshot
from tests.queries.comparison.area_stores import (
    AREAS,
    LOCALITIES,
    TIN,
    WAGES,
    Row,
    area_text,
    expected_amount,
    store_of_areas,
)

MARKET = Market("GA", "2025-06")
CODES = ["99213", "70450"]
RELEASES = ["2025-01", "2024-10"]

rate = st.fixed_dictionaries(
    {
        "group": st.integers(0, len(AREAS)),  # one more group than there are areas: nothing is known of it
        "code": st.sampled_from([*CODES, "99999"]),
        "negotiated_rate": st.sampled_from([0.0, 50.0, 100.0, 5000.0]),
        "billing_class": st.sampled_from(["professional", "professional", "institutional"]),
        "billing_code_modifier": st.sampled_from(["", "", "26", "TC"]),
        "places": st.sampled_from([["11"], ["22"], [], ["24"], ["11", "22"]]),
    }
)
dollars = st.sampled_from([None, 7.5, 20.0, 33.33, 50.0])


@st.composite
def schedules(draw: st.DrawFn) -> dict[str, list[Row]]:
    """Draw rows of the schedules: amounts of the state, of its localities, and national rates with indices."""
    found: dict[str, list[Row]] = {"bench_wage_index": []}
    release = draw(st.sampled_from(RELEASES))
    in_force = "2025-06" if release == "2025-01" else "2024-12"
    key = {"state": "GA", "year_month": in_force, "code_type": "CPT", "release": release}
    names = ("nonfacility_rate_26", "facility_rate_26", "nonfacility_rate_tc", "facility_rate_tc")
    found["bench_medicare_prof"] = [
        {**key, "code": code, "status": "A", "medicare_prof_rate": draw(dollars), "facility_rate": draw(dollars),
         **{name: draw(dollars) for name in names}}
        for code in CODES
    ]  # fmt: skip
    found["bench_medicare_prof_locality"] = [
        {"release": of_release, "state": state, "contractor": contractor, "locality": locality, "locality_name": name,
         "code_type": "CPT", "code": code, "modifier": modifier, "nonfacility_rate": draw(dollars),
         "facility_rate": draw(dollars)}
        for of_release in RELEASES
        # The national amounts are those of no place: no rate may be compared with them.
        for state, contractor, locality, name in (*LOCALITIES, ("US", "00000", "00", "NATIONAL"))
        for code in CODES
        for modifier in ("", "26")
        if draw(st.integers(0, 4))
    ]  # fmt: skip
    for kind in ("opps", "asc"):
        found["bench_wage_index"] += [{**one, "release": release, "kind": kind} for one in WAGES]
        amount = f"{kind}_mar_stateavg"
        found[f"bench_{kind}"] = []
        for code in CODES:
            national, share = draw(st.sampled_from([106.34, 0.682, 3307.245])), draw(st.sampled_from([0, 0.6, None]))
            labor = None if share is None else round(national * share, 5)
            found[f"bench_{kind}"].append(
                {**key, "code": code, f"{kind}_rate": national, "labor_amount": labor, amount: draw(dollars)}
            )
    return found


@given(st.lists(rate, min_size=1, max_size=25), schedules())
def test_each_rate_is_compared_once_with_the_amount_of_its_own_area(
    drawn: list[dict[str, Any]], of_schedules: dict[str, list[Row]]
) -> None:
    with TemporaryDirectory() as directory:
        db = store_of_areas(Path(directory), drawn, of_schedules)
        by_state = medicare.list_comparisons(db, Market("GA", "2025-06", area="state"), "rate", 99, 0)
        found = {row.fact_uid: row for row in medicare.list_comparisons(db, MARKET, "rate", 99, 0)}
        assert sorted(found) == [f"{number:04}" for number in range(len(drawn))]
        assert len(by_state) == len(drawn)
        for mean in by_state:
            area = dict(enumerate(AREAS)).get(drawn[int(mean.fact_uid)]["group"])
            amount, is_own = expected_amount(mean, area, of_schedules)
            row = found[mean.fact_uid]
            assert (row.medicare, row.basis, row.reason) == (amount, mean.basis, mean.reason)
            assert row.area == (None if amount is None else row.area if is_own else "state mean")
            assert (row.area not in {None, "state mean"}) == (is_own and amount is not None)
            assert mean.area == (None if mean.medicare is None else "state mean")
            if is_own and mean.medicare is not None and amount:
                assert row.mean_error == pytest.approx(mean.medicare / amount - 1)
        of_code = Market("GA", "2025-06", "CPT", "99213")
        rows = [row for row in found.values() if row.code == "99213"]
        own = [row for row in rows if row.area not in {None, "state mean"}]
        compared = [row.percent for row in rows if row.percent is not None]
        with market_cache(db, of_code, areas=True) as asked:
            outcomes = medicare.count_outcomes(asked, of_code)
            assert (outcomes.total, outcomes.compared, outcomes.own_area) == (len(rows), len(compared), len(own))
            spreads = medicare.summarize_percents(asked, of_code)
            assert [spread.rates for spread in spreads] == ([len(compared)] if compared else [])
            assert not compared or spreads[0].p50 == pytest.approx(median(compared))
        listed = rates.list_rates(db, of_code, "rate", 99, 0)
        # A cache whose rates are not counted by area knows the areas of the rows it lists all the same.
        with market_cache(db, of_code) as cached:
            assert rates.list_rates(cached, of_code, "rate", 99, 0) == listed
        with market_cache(db, of_code, areas=True) as cached:
            amounts = medicare_amounts.find_amounts(cached, of_code)
        for one in listed:
            area = dict(enumerate(AREAS)).get(drawn[int(one.fact_uid)]["group"])
            assert one.group_area == (area and area_text(area))
            wanted = [
                amount.medicare
                for terms, amount in amounts.items()
                if (terms.billing_class, terms.modifier, terms.pos_set_id, terms.group_area, terms.size == "zero")
                == (one.billing_class, one.modifier, one.pos_set_id, one.group_area, one.negotiated_rate == 0)
            ]
            assert wanted == [found[one.fact_uid].medicare]


SCHEDULES: dict[str, list[Row]] = {
    "bench_medicare_prof": [
        {"state": "GA", "year_month": "2025-06", "code_type": "CPT", "code": "99213", "release": "2025-01",
         "status": "A", "medicare_prof_rate": 86.745, "facility_rate": 63.025, "nonfacility_rate_26": 40.0},
    ],
    "bench_medicare_prof_locality": [
        {"release": "2025-01", "state": state, "contractor": contractor, "locality": locality, "locality_name": name,
         "code_type": "CPT", "code": "99213", "modifier": "", "nonfacility_rate": outside, "facility_rate": inside}
        for (state, contractor, locality, name), outside, inside in zip(
            LOCALITIES, (89.24, 84.25, 83.10), (64.08, 61.97, 60.50), strict=True
        )
    ],
    "bench_wage_index": [{**one, "release": "2025-01", "kind": "opps"} for one in WAGES],
    "bench_opps": [
        {"state": "GA", "year_month": "2025-06", "code_type": "CPT", "release": "2025-01", "code": "70450",
         "opps_rate": 106.34, "labor_amount": 63.804, "opps_mar_stateavg": 97.93},
        {"state": "GA", "year_month": "2025-06", "code_type": "CPT", "release": "2025-01", "code": "J1885",
         "opps_rate": 0.682, "labor_amount": 0.0, "opps_mar_stateavg": 0.68},
        {"state": "GA", "year_month": "2025-06", "code_type": "CPT", "release": "2025-01", "code": "99283",
         "opps_rate": 50.0, "labor_amount": None, "opps_mar_stateavg": 48.0},
    ],
    "bench_anesthesia": [
        {"state": "GA", "year_month": "2025-06", "code_type": "CPT", "code": "00100", "modifier": "",
         "release": "2025-01", "base_units": 5, "amount": 20.2},
    ],
    "bench_anesthesia_locality": [
        {"release": "2025-01", "state": state, "contractor": contractor, "locality": locality, "locality_name": name,
         "factor": factor}
        for (state, contractor, locality, name), factor in zip(LOCALITIES, (20.5, 19.9, 19.5), strict=True)
    ],
    "bench_ipps": [
        {"state": "GA", "year_month": "2025-06", "code_type": "MS-DRG", "code": "470", "modifier": "",
         "release": "2024-10", "weight": 2.0, "amount": 12_000.0, "wage_index": 0.88, "labor_amount": 4000.0,
         "rest_amount": 2500.0, "labor_above_one": 4400.0, "rest_above_one": 2100.0, "capital_rate": 500.0},
    ],
    "bench_dmepos": [
        {"state": state, "year_month": "2025-06", "code_type": "HCPCS", "code": "E0601", "modifier": "RR",
         "release": "2025-01", "list": "DMEPOS", "category": "CR", "amount": amount, "rural_amount": rural}
        for state, amount, rural in (("GA", 50.0, 60.0), ("AL", 51.0, 61.0))
    ],
}  # fmt: skip
SCHEDULES["bench_wage_index"] += [{**one, "release": "2024-10", "kind": "ipps"} for one in WAGES]
VISIT: Row = {"code": "99213", "billing_class": "professional", "billing_code_modifier": "", "places": ["11"],
              "negotiated_rate": 100.0}  # fmt: skip
SCAN = VISIT | {"code": "70450", "billing_class": "institutional", "places": ["22"]}
STAY = VISIT | {"code": "470", "code_type": "MS-DRG", "billing_class": "institutional", "places": ["21"],
                "setting": "inpatient", "negotiated_rate": 30_000.0}  # fmt: skip
SLEEP = VISIT | {"code": "00100", "negotiated_rate": 60.0, "places": ["22"]}
MASK = VISIT | {"code": "E0601", "code_type": "HCPCS", "billing_code_modifier": "RR", "places": ["12"]}
CASES = (
    # group, rate, amount, area, error of the state's mean
    (0, VISIT, 89.24, "ATLANTA (10212-01)", 86.745 / 89.24 - 1),
    (1, VISIT, 84.25, "REST OF GEORGIA (10212-99)", 86.745 / 84.25 - 1),
    (0, VISIT | {"places": ["22"]}, 64.08, "ATLANTA (10212-01)", 63.025 / 64.08 - 1),
    (2, VISIT, 83.10, "ALABAMA (10112-00)", 86.745 / 83.10 - 1),  # Georgia's rate of a group in Alabama
    (3, VISIT, 86.745, "state mean", 89.24 / 86.745 - 1),  # only the wage area is known
    (4, VISIT, 86.745, "state mean", 89.24 / 86.745 - 1),  # no locality has most of its NPIs
    (5, VISIT, 86.745, "state mean", 89.24 / 86.745 - 1),  # nothing is known of the group
    (0, VISIT | {"billing_code_modifier": "26"}, 40.0, "state mean", None),  # no locality has this modifier
    (0, SCAN, 106.28, "Atlanta, GA (12054)", 97.93 / 106.28 - 1),  # 42.536 + 63.804 x 0.999 = 106.276...
    (1, SCAN, 89.52, "GEORGIA (GA)", 97.93 / 89.52 - 1),
    (3, SCAN, 97.93, "state mean", 1 - 89.52 / 97.93),  # an area with several indices has none
    (0, SCAN | {"code": "J1885"}, 0.68, "Atlanta, GA (12054)", 0.0),  # a drug costs the same everywhere
    (0, SCAN | {"code": "99283"}, 48.0, "state mean", None),  # loaded before the labor part was kept
    (0, SLEEP, 20.5, "ATLANTA (10212-01)", 20.2 / 20.5 - 1),
    (1, SLEEP | {"billing_code_modifier": "QK"}, 9.95, "REST OF GEORGIA (10212-99)", 10.1 / 9.95 - 1),
    (5, SLEEP, 20.2, "state mean", 1 - 19.9 / 20.2),
    # 2 x (4000 x 0.999 + 2500 + 500 x 0.999 ** 0.6848)
    (0, STAY, 13_991.32, "Atlanta, GA (12054)", 12_000 / 13_991.32 - 1),
    (3, STAY, 12_000.0, "state mean", 13_991.32 / 12_000 - 1),
    (0, MASK, 50.0, "not rural", 0.0),
    (1, MASK, 60.0, "rural areas", 50 / 60 - 1),
    (4, MASK, 60.0, "rural areas", 50 / 60 - 1),
    (2, MASK, 50.0, "state, not rural", 0.2),  # it is not known whether the group is rural
)  # fmt: skip


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """Return a store with the rate of each case, by its number."""
    rates_of_cases = [{**one, "group": group} for group, one, _, _, _ in CASES]
    return store_of_areas(tmp_path_factory.mktemp("areas"), rates_of_cases, SCHEDULES)


def test_a_rate_is_compared_where_its_group_practices(cases: Snapshot) -> None:
    rows = sorted(medicare.list_comparisons(cases, MARKET, "rate", 99, 0), key=lambda row: row.fact_uid)
    for row, (group, one, amount, area, error) in zip(rows, CASES, strict=True):
        assert (row.medicare, row.area) == (amount, area), (group, one)
        assert row.mean_error == (None if error is None else pytest.approx(error)), (group, one)


def test_a_visitor_may_ask_for_the_mean_of_the_state(cases: Snapshot) -> None:
    rows = medicare.list_comparisons(cases, Market("GA", "2025-06", area="state"), "rate", 99, 0)
    assert {row.area for row in rows if row.code != "E0601"} == {"state mean"}
    assert {row.medicare for row in rows if row.code == "99213"} == {86.745, 63.025, 40.0}
    assert {(row.medicare, row.area) for row in rows if row.code == "E0601"} == {(50.0, "state, not rural")}


def test_an_error_over_five_percent_is_notable(cases: Snapshot) -> None:
    rows = sorted(medicare.list_comparisons(cases, MARKET, "rate", 99, 0), key=lambda row: row.fact_uid)
    notable = [error is not None and abs(error) > 0.05 for *_, error in CASES]
    assert [row.has_notable_error for row in rows] == notable
    assert {True, False} == set(notable)


def test_a_provider_s_percents_are_those_of_its_own_areas(cases: Snapshot) -> None:
    for asked in (Market("GA", "2025-06", tin=TIN), Market("GA", "2025-06", tin=TIN, area="state")):
        _, found = provider_rates.list_code_rates(cases, cases, asked, 99, 0)
        compared = [
            row
            for row in medicare.list_comparisons(cases, asked, "rate", 99, 0)
            if row.code == "99213" and row.modifier == ""
        ]
        of_visits = {row.care_setting: row for row in found if row.code == "99213" and row.modifier == ""}
        assert set(of_visits) == set(SIDES)
        for side, of_side in of_visits.items():
            in_facilities = side == FACILITY_OR_UNSTATED
            percents = [
                row.percent
                for row in compared
                if row.percent is not None and (row.places == "facility") == in_facilities
            ]
            assert of_side.compared == len(percents)
            assert of_side.percent == pytest.approx(median(percents))
