"""Releases of fee schedules that seem to be of another year are found, and the Medicare page says so in their row."""

from pathlib import Path
from typing import Any

import pytest

from core.pages.yardstick_words import describe_odd_release
from core.quality.checks import CHECKS_BY_NAME
from core.quality.report import run_checks
from core.queries.yardstick.odd_releases import CONVERSION_FACTORS, LEAST_CODES, OddRelease, list_odd_releases
from core.store.connection import Snapshot
from core.store.generations.store import Store
from tests.queries.one_market import store_of_market
from tests.queries.tables import written
from tests.site import Visitor, serving, text_of

STATES = ["AK", "GA", "WY"]


def release_of(kind: str, release: str, state: str = "US") -> dict[str, Any]:
    """Return the record of a release; a national one is of three states."""
    states = STATES if state == "US" else [state]
    return {"kind": kind, "state": state, "release": release, "states": states, "files": ["a.csv"], "left_out": "{}",
            "rows_read": 1, "rows_priced": 1, "notes": ["national"]}  # fmt: skip


def store_of_opps(root: Path, **amounts: list[float]) -> Snapshot:
    """Return a store with an OPPS release for each month, whose codes have these amounts in each state."""
    rows = [
        {"state": state, "year_month": month, "release": month, "code_type": "HCPCS", "code": f"{at:05}",
         "opps_rate": amount}
        for month, prices in amounts.items()
        for state in STATES
        for at, amount in enumerate(prices)
    ]  # fmt: skip
    Store(root)
    return written(root, {"bench_opps": rows, "dim_benchmark": [release_of("opps", month) for month in amounts]})


def copied(db: Snapshot) -> list[tuple[str, str | None]]:
    return [(one.release, one.same_as) for one in list_odd_releases(db)]


PRICES = [float(100 + at) for at in range(LEAST_CODES)]


@pytest.mark.parametrize(
    ("amounts", "expected"),
    [
        ({"2023-01": PRICES, "2025-01": PRICES}, [("2023-01", "2025-01"), ("2025-01", "2023-01")]),
        # Releases of one year often have the same amounts.
        ({"2025-01": PRICES, "2025-07": PRICES}, []),
        ({"2023-01": PRICES, "2025-01": [*PRICES[:-1], 0.5]}, []),
        ({"2023-01": PRICES, "2025-01": [*PRICES, 7.0]}, []),
        ({"2023-01": PRICES, "2025-01": PRICES[::-1]}, []),
        ({"2023-01": PRICES[1:], "2025-01": PRICES[1:]}, []),
    ],
)  # fmt: skip
def test_a_release_with_the_amounts_of_another_year_is_found(
    tmp_path: Path, amounts: dict[str, list[float]], expected: list[tuple[str, str]]
) -> None:
    db = store_of_opps(tmp_path / "data", **amounts)
    assert copied(db) == expected
    assert {one.codes for one in list_odd_releases(db)} <= {LEAST_CODES}
    (finding,) = run_checks(db, checks=[CHECKS_BY_NAME["odd_releases"]]).findings
    assert (finding.count, finding.total, finding.severity) == (len(expected), 2, "warning")
    assert finding.passed == (not expected)
    assert [(one["release"], one["same_as"]) for one in finding.examples] == expected


def test_a_state_s_schedule_is_compared_with_its_own_releases(tmp_path: Path) -> None:
    months = {("GA", "2023-01"): PRICES, ("GA", "2024-01"): PRICES, ("NC", "2022-01"): PRICES}
    rows = [
        {"state": state, "year_month": month, "release": month, "code_type": "CPT", "code": f"{at:05}",
         "wcfs_status": "priced", "wcfs_amount": amount}
        for (state, month), prices in months.items()
        for at, amount in enumerate(prices)
    ]  # fmt: skip
    Store(tmp_path)
    records = [release_of("wcfs", month, state) for state, month in months]
    db = written(tmp_path, {"bench_wcfs": rows, "dim_benchmark": records})
    assert copied(db) == [("2023-01", "2024-01"), ("2024-01", "2023-01")]


FACTORS = [
    *((f"{year}-01", factor, None) for year, factors in CONVERSION_FACTORS.items() for factor in factors),
    ("2023-01", 32.3465, "2025"), ("2024-01", 33.8872, "2023"), ("2025-04", 33.2875, "2024"),
    ("2027-01", 33.5675, "2026"), ("2023-07", 50.0, None),
]  # fmt: skip


@pytest.mark.parametrize(("release", "factor", "of_year"), FACTORS)
def test_a_conversion_factor_of_another_year_is_found(
    tmp_path: Path, release: str, factor: float, of_year: str | None
) -> None:
    fee = {"year_month": release, "release": release, "code_type": "CPT", "code": "99213", "conversion_factor": factor}
    rows = [{**fee, "state": state, "medicare_prof_rate": 90.0} for state in STATES]
    Store(tmp_path)
    db = written(tmp_path, {"bench_medicare_prof": rows, "dim_benchmark": [release_of("medicare_prof", release)]})
    assert [(one.release, one.factor_of) for one in list_odd_releases(db)] == ([(release, of_year)] if of_year else [])


def test_the_medicare_page_says_it_in_the_release_s_row(tmp_path: Path) -> None:
    plain = store_of_market(tmp_path, {"negotiated_rate": 95.0})
    fee = {"code_type": "CPT", "code": "99213", "release": "2025-01", "conversion_factor": 33.2875,
           "medicare_prof_rate": 90.0, "facility_rate": 60.0, "facility_na": False,
           "nonfacility_na": False}  # fmt: skip
    months = ("2025-01", "2025-08")
    rows = [{**fee, "state": state, "year_month": month} for state in STATES for month in months]
    db = written(plain.root, {"bench_medicare_prof": rows, "dim_benchmark": [release_of("medicare_prof", "2025-01")]})
    with serving(db.root):
        shown = text_of(Visitor().get("/medicare/", {"state": "GA", "year_month": "2025-08", "code": "99213"}))
    assert "Its conversion factor, $33.2875, is that of 2024, not of 2025 ($32.3465). national" in shown


def test_the_words_on_an_odd_release() -> None:
    copy = OddRelease("opps", "US", "2023-01", "2025-01", 12, None, None)
    assert describe_odd_release(copy) == (
        "The very same amounts as the release of January 2025: one may be of the wrong year."
    )
    later = OddRelease("medicare_prof", "US", "2027-01", None, None, "2026", 33.5675)
    assert describe_odd_release(later) == "Its conversion factor, $33.5675, is that of 2026."
    of_2024 = OddRelease("medicare_prof", "US", "2024-04", None, None, "2023", 33.8872)
    assert describe_odd_release(of_2024).endswith("is that of 2023, not of 2024 ($32.7442 or $33.2875).")
