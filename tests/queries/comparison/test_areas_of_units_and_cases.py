"""Anesthesia and inpatient cases in the areas of provider groups."""

from pathlib import Path
from typing import Any

import pytest

from core.queries.market.market import Market
from core.queries.yardstick import medicare
from tests.queries.comparison.area_stores import LOCALITIES, WAGES, Row, store_of_areas

KEY: Row = {"state": "GA", "year_month": "2025-06", "modifier": "", "reason": None}
PARTS: Row = {
    "labor_amount": 4_000.0, "rest_amount": 2_600.0, "labor_above_one": 4_300.0, "rest_above_one": 2_300.0,
    "capital_rate": 500.0,
}  # fmt: skip
SCHEDULES: dict[str, list[Row]] = {
    "bench_medicare_prof": [
        {"state": "GA", "year_month": "2025-06", "code_type": "CPT", "code": "00100", "release": "2025-01",
         "status": "J", "reason": "anesthesia"},
    ],
    "bench_anesthesia": [
        {**KEY, "code_type": "CPT", "code": "00100", "release": "2025-01", "base_units": 5, "amount": 19.945},
    ],
    "bench_anesthesia_locality": [
        {"release": "2025-01", "state": state, "contractor": contractor, "locality": locality, "locality_name": name,
         "factor": factor}
        for (state, contractor, locality, name), factor in zip(LOCALITIES, (20.32, 19.57, 19.31), strict=True)
    ],
    "bench_ipps": [
        {**KEY, **PARTS, "code_type": "MS-DRG", "code": "039", "release": "2024-10", "weight": 2.0,
         "wage_index": 0.8677, "amount": 13_049.0},
    ],
    "bench_wage_index": [
        {**one, "release": "2024-10", "kind": "ipps", "wage_index": 1.2 if one["wage_area"] == "12054" else index}
        for one, index in zip(WAGES, (0.999, 0.7, None, 0.7364), strict=True)
    ],
}  # fmt: skip
UNIT: dict[str, Any] = {
    "code": "00100", "billing_class": "professional", "billing_code_modifier": "", "places": ["22"],
    "negotiated_rate": 45.0,
}  # fmt: skip
STAY: dict[str, Any] = {
    "code": "039", "code_type": "MS-DRG", "billing_class": "institutional", "billing_code_modifier": "", "places": [],
    "setting": "inpatient", "negotiated_rate": 30_000.0,
}  # fmt: skip


def payment(index: float) -> float:
    """Return the base payment of a case of weight 2."""
    labor, rest = (4_300, 2_300) if index > 1 else (4_000, 2_600)
    return round(float(2 * (labor * index + rest + 500 * index**0.6848)), 2)


CASES = (
    # group, rate, amount, area
    (0, UNIT, 20.32, "ATLANTA (10212-01)"),
    (1, UNIT, 19.57, "REST OF GEORGIA (10212-99)"),
    (2, UNIT, 19.31, "ALABAMA (10112-00)"),
    (4, UNIT, 19.945, "state mean"),
    (0, UNIT | {"billing_code_modifier": "QK"}, 10.16, "ATLANTA (10212-01)"),
    (0, STAY, payment(1.2), "Atlanta, GA (12054)"),
    (0, STAY | {"code_type": "DRG", "code": "39"}, payment(1.2), "Atlanta, GA (12054)"),
    (1, STAY, payment(0.7364), "GEORGIA (GA)"),
    (3, STAY, 13_049.0, "state mean"),
)


def test_the_amount_is_that_of_the_groups_own_area(tmp_path: Path) -> None:
    db = store_of_areas(tmp_path, [{**one, "group": group} for group, one, _, _ in CASES], SCHEDULES)
    rows = sorted(medicare.list_comparisons(db, Market("GA", "2025-06"), "rate", 99, 0), key=lambda row: row.fact_uid)
    for row, (group, one, amount, area) in zip(rows, CASES, strict=True):
        assert row.area == area, (group, one, row.reason)
        assert row.medicare == pytest.approx(amount), (group, one)
