"""A list of all codes beside the state's schedule says of each what its own page says."""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from core.queries.classes.rate_classes import choose_class
from core.queries.market.market import Market
from core.queries.market.market_rates import facts_in_memory
from core.queries.yardstick.below_schedule import BelowBy, count_below_schedule, list_below_schedule
from core.store.connection import Snapshot
from tests.queries.one_market import LABELS, store_of_market, with_centers, with_overruled
from tests.queries.tables import written

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
