"""A list of all codes beside the state's schedule says of each what its own page says."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.pages.formats import write_age
from core.queries.classes.rate_classes import choose_class
from core.queries.market.market import Market
from core.queries.market.market_rates import facts_in_memory, market_cache
from core.queries.yardstick.below_schedule import BelowBy, count_below_schedule, list_below_schedule
from core.store.connection import Snapshot
from tests.queries.one_market import LABELS, store_of_market, with_centers, with_overruled
from tests.queries.surgeons import store_of_surgeons
from tests.queries.tables import written
from tests.site import Visitor, serving, text_of

ALL = 1_000
CODES = ("99213", "97110", "70450")
MARKET = Market("GA", "2025-08")
RELEASE = {
    "kind": "wcfs", "release": "2025-01", "state": "GA", "states": ["GA"], "year_month": "2025-01", "files": ["ga.csv"],
}  # fmt: skip


def with_schedule(db: Snapshot) -> Snapshot:
    """Return the store's next generation, with amounts for professionals and for facilities of all but one code."""
    amounts = [
        {
            "release": "2025-01", "state": "GA", "code_type": "CPT", "code": code, "wcfs_status": "priced",
            "year_month": month, "wcfs_amount": 100.0 + at, "facility_amount": 80.0 + at,
            "outpatient_amount": 300.0 + at, "asc_amount": 200.0 + at,
        }
        for at, code in enumerate(CODES[:2])
        for month in ("2025-01", "2025-08")
    ]  # fmt: skip
    surgery = {"release": "2025-01", "year_month": "2025-01", "state": "GA", "code_type": "CPT", "code": "97110"}
    scan = {**surgery, "code": "70450", "nonfacility_rate_26": 40.0, "nonfacility_rate_tc": 90.0}
    of_medicare = [
        {**surgery, "nonfacility_na": True, "facility_na": False},
        {**scan, "nonfacility_na": False, "facility_na": True},
    ]
    return written(db.root, {"bench_wcfs": amounts, "dim_benchmark": [RELEASE], "bench_medicare_prof": of_medicare})


RATES = st.fixed_dictionaries(
    {
        "code": st.sampled_from(CODES),
        "billing_class": st.sampled_from(["professional", "professional", "institutional", None]),
        "billing_code_modifier": st.sampled_from(["", "", "", "26", "LT"]),
        "places": st.sampled_from([[], ["11"], ["11", "22"], ["24"], ["21"]]),
        "negotiated_type": st.sampled_from(["negotiated", "negotiated", "percentage"]),
        "group": st.integers(0, 3),
        "reporting_entity_name": st.sampled_from(["Payer A", "Payer B"]),
    }
)

ASKED: tuple[dict[str, Any], ...] = (
    {"payer": "payer_a"},
    {"billing_class": "institutional"},
    {"billing_class": "like professional"},
    {"modifier": "26"},
    {"care_setting": "facility or unstated"},
    {"care_setting": "surgical center"},
    {"classes": "all"},
)


@pytest.mark.in_turns(4, of="answers of many pages")
@given(
    changes=st.lists(RATES, min_size=6, max_size=30),
    overruled=st.one_of(st.just([]), st.lists(st.sampled_from(LABELS), max_size=4, unique=True)),
    filters=st.sampled_from(ASKED),
)
def test_each_code_is_as_on_its_own_page(
    changes: list[dict[str, Any]], overruled: list[tuple[str, str, str]], filters: dict[str, Any]
) -> None:
    with TemporaryDirectory() as directory:
        numbered = [{**one, "negotiated_rate": 60.0 + 3 * at} for at, one in enumerate(changes)]
        db = with_schedule(with_centers(store_of_market(Path(directory), *numbered), 1))
        if overruled:
            db = with_overruled(db, *overruled)
        for asked in ({}, filters):
            check(db, replace(MARKET, **asked))


def test_a_code_that_medicare_pays_in_facilities_alone_is_on_that_side(tmp_path: Path) -> None:
    sides = [
        {"code": code, "places": places, "negotiated_rate": rate, "group": group}
        for code in CODES[:2]
        for group, (places, rate) in enumerate(((["11"], 70.0), (["21"], 60.0), ([], 50.0)))
    ]
    db = with_schedule(store_of_market(tmp_path, *sides))
    check(db, MARKET)
    found = {row.code: (row.compared, row.lowest_rate, row.lowest_amount) for row in of(db, MARKET, "codes")}
    assert found == {"99213": (2, 50.0, 100.0), "97110": (2, 50.0, 81.0)}, (
        "a rate without a place is paid there as well"
    )


def check(db: Snapshot, market: Market) -> None:
    """Compare the tables of all codes with those of each code alone, in the class that its page chooses."""
    every: dict[BelowBy, Market] = {"codes": market, "modifiers": market.without("modifier")}
    for by, of_all in every.items():
        alone = [
            row
            for page in choose_pages(db, of_all)
            for row in of(db, page.without("modifier") if by == "modifiers" else page, by)
        ]
        assert sorted(of(db, of_all, by), key=repr) == sorted(alone, key=repr)
    pages = choose_pages(db, market)
    names: dict[BelowBy, str] = {"organizations": "tin_value", "payers": "payer_slug"}
    for by, name in names.items():
        sums: dict[str, list[int]] = {}
        for page in pages:
            for row in of(db, page, by):
                before = sums.get(getattr(row, name), [0, 0, 0])
                figures = (row.compared, row.below, row.implausible)
                sums[getattr(row, name)] = [sum(one) for one in zip(before, figures, strict=True)]
        assert {getattr(one, name): [one.compared, one.below, one.implausible] for one in of(db, market, by)} == sums
    totals, of_pages = count_below_schedule(db, market), [count_below_schedule(db, page) for page in pages]
    assert [totals.rates, totals.compared, totals.below] == [
        sum(one.rates for one in of_pages),
        sum(one.compared for one in of_pages),
        sum(one.below for one in of_pages),
    ]
    with facts_in_memory(db, market) as memory:
        assert count_below_schedule(memory, market) == totals
        assert list_below_schedule(memory, market, "codes", ALL, 0)[1] == of(db, market, "codes")


def choose_pages(db: Snapshot, market: Market) -> list[Market]:
    """Return the market of each code's own page."""
    return [choose_class(db, replace(market, code_type="CPT", code=code)).market for code in CODES]


def of(db: Snapshot, market: Market, by: BelowBy) -> list[Any]:
    return list(list_below_schedule(db, market, by, ALL, 0)[1])


def test_likely_performers_come_first_and_the_schedule_is_a_percent_of_medicare(tmp_path: Path) -> None:
    """A therapist who is in a contract for everything replaces no knee."""
    plain = store_of_surgeons(tmp_path)
    of_code = {"state": "GA", "code_type": "CPT", "code": "27447"}
    scheduled = [
        {**of_code, "release": "2025-01", "year_month": month, "wcfs_status": "priced", "wcfs_amount": 1000.0}
        for month in ("2025-01", "2025-08")
    ]
    fee = {**of_code, "release": "2025-01", "medicare_prof_rate": 400.0, "facility_na": False, "nonfacility_na": False}
    db = written(
        plain.root,
        {
            "bench_wcfs": scheduled,
            "dim_benchmark": [RELEASE, {**RELEASE, "kind": "medicare_prof", "state": "US", "files": ["rvu.csv"]}],
            "bench_medicare_prof": [{**fee, "year_month": month} for month in ("2025-01", "2025-08")],
        },
    )
    market = replace(MARKET, code_type="CPT", code="27447", billing_class="professional")
    found: list[Any] = of(db, market, "organizations")
    # By the rate, 100000001 and 100000002 would be first, with 10 dollars of 1,000, and 100000003 last.
    assert [(one.tin_value, one.is_likely) for one in found] == [
        ("100000002", True), ("100000001", False), ("100000003", False),
    ]  # fmt: skip
    assert [one.schedule_of_medicare for one in of(db, market, "codes")] == [2.5]
    totals = count_below_schedule(db, market)
    assert (totals.organizations_likely, totals.organizations, totals.schedule_of_medicare) == (1, 3, 2.5)
    with market_cache(db, market) as cache:
        assert of(cache, market, "organizations") == found
        assert count_below_schedule(cache, market) == totals
    # Without one code, nothing says who performs it.
    several: list[Any] = of(db, MARKET, "organizations")
    assert {one.is_likely for one in several} == {None}
    assert count_below_schedule(db, MARKET).organizations_likely is None
    with serving(db.root):
        asked = {"state": "GA", "year_month": "2025-08", "code_type": "CPT", "code": "27447"}
        shown = text_of(Visitor().get("/compensation/below/", asked))
    assert "The schedule pays 250% of Medicare ." in shown
    assert "First is the 1 of 3 with somebody of a specialty that usually performs it: Orthopedic surgery" in shown
    assert shown.count("nobody of a specialty that usually performs it") == 2
    lead = "This is not a search of a workers’ compensation network"
    assert shown.index(lead) < shown.index("have a negotiated rate below the schedule")
    assert "Rates of health insurance, from payers’ files, the oldest from " in shown


def test_an_age_is_in_months_and_then_in_years() -> None:
    today = date(2026, 11, 29)
    for month, words in (
        ("2026-11", "this month"), ("2026-10", "1 month ago"), ("2024-12", "23 months ago"), ("2024-11", "2 years ago"),
        ("2023-02", "3 years and 9 months ago"), ("2023-10", "3 years and 1 month ago"), ("2027-01", "this month"),
    ):  # fmt: skip
        assert write_age(month, today) == words
