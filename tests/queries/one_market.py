"""Stores of one market whose rates a test writes down as differences from one rate."""

from pathlib import Path
from typing import Any

from core.queries.market.market import Market
from core.store.connection import Snapshot
from tests.queries.comparison.fee_schedules import Schedule
from tests.queries.rates_by_month import store_of
from tests.queries.tables import written

MARKET = Market("GA", "2025-08", "CPT", "99213")

A_RATE = {
    "reporting_entity_name": "Payer A", "code_type": "CPT", "code": "99213", "negotiated_type": "negotiated",
    "negotiation_arrangement": "ffs", "negotiated_rate": 10.0, "billing_class": "professional", "setting": None,
    "billing_code_modifier": "", "severity_of_illness": None, "places": ["11"], "group": 0,
}  # fmt: skip

GROUPS: list[Any] = [
    ({"1912951245"}, {("ein", "100000001")}),
    ({"1003027533"}, {("ein", "100000002")}),
    (set(), set()),
    (set(), {("ein", "100000003")}),
]
"""NPIs and tax IDs of the groups 0 to 3."""


def with_centers(db: Snapshot, *groups: int) -> Snapshot:
    """Return the store's next generation, in which these of the market's groups are surgical centers."""
    rows = db.rows("SELECT DISTINCT year_month, payer_slug, pg_uid FROM dim_provider_group ORDER BY ALL")
    named = [dict(zip(("year_month", "payer_slug", "pg_uid"), row, strict=True)) for row in rows]
    centers = [row for row in named if int(row["pg_uid"].split()[-1]) in groups]
    return written(db.root, {"surgical_center_group": centers})


def with_overruled(db: Snapshot, *labels: tuple[str, str, str]) -> Snapshot:
    """Return the store's next generation, in which these labels are overruled: payer, stated class, and places."""
    rows = []
    for state, month in db.rows("SELECT DISTINCT state, year_month FROM fact_rate"):
        for payer, stated, places in labels:
            label = {"state": state, "year_month": month, "reporting_entity_name": payer, "billing_class": stated}
            figures = {"places": places, "codes": 99, "rates": 99, "median": 1.2, "spread": 0.3}
            own, other = ("opps", "mpfs") if stated == "institutional" else ("mpfs", "opps")
            rows += [
                {**label, **figures, "schedule": own, "of_label": True, "chosen": False},
                {**label, **figures, "schedule": other, "of_label": False, "chosen": True},
            ]
    return written(db.root, {"schedule_fit": rows})


LABELS = [
    (payer, stated, places)
    for payer in ("Payer A", "Payer B")
    for stated in ("professional", "institutional")
    for places in ("surgical center", "unstated", "other")
]
"""The labels of two payers that may be overruled."""


def store_of_months(root: Path, **months: list[dict[str, Any]]) -> Snapshot:
    """Write a store; each month (m2025_08) has rates that differ from A_RATE in what is given."""
    return store_of(
        root,
        {
            name[1:].replace("_", "-"): (GROUPS, [{**A_RATE, **change} for change in changes])
            for name, changes in months.items()
        },
    )


def store_of_market(root: Path, *changes: dict[str, Any]) -> Snapshot:
    """Write a store of one month, whose rates differ from A_RATE in what is given."""
    return store_of_months(root, m2025_08=list(changes))


def with_fee(db: Snapshot, amount: float, *months: str) -> Snapshot:
    """Return the store's next generation, in which Medicare pays physicians this much for the market's code.

    It does so in each of the months; in that of the market if none is given.
    """
    fees, records = [], []
    for month in months or (MARKET.year_month,):
        fee = {"state": "GA", "year_month": month, "release": month, "code_type": "CPT", "code": MARKET.code,
               "medicare_prof_rate": amount, "facility_na": False, "nonfacility_na": False}  # fmt: skip
        fees.append(fee)
        records.append(Schedule("medicare_prof", month, "US", ["GA"], [fee]).record())
    return written(db.root, {"bench_medicare_prof": fees, "dim_benchmark": records})
