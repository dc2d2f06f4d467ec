"""Stores of rates and fee schedules that a test writes down row by row."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.store.connection import Snapshot
from core.store.schema.ids import pos_set_id
from tests.queries.tables import written

Row = dict[str, Any]

AN_OFFICE_VISIT: Row = {
    "state": "GA", "year_month": "2025-06", "code_type": "CPT", "code": "99213", "negotiated_type": "negotiated",
    "negotiation_arrangement": "ffs", "negotiated_rate": 100.0, "billing_class": "professional", "setting": None,
    "billing_code_modifier": "", "places": ["11"],
}  # fmt: skip
"""A rate of 100 dollars that is priced everywhere. Tests state how theirs differs."""


@dataclass(frozen=True)
class Schedule:
    """A release of one kind and its rows. `state` is the record's: US, or the state of a workers' comp schedule."""

    kind: str
    release: str
    state: str
    states: list[str]
    rows: list[Row]

    def record(self) -> Row:
        """Return its row of dim_benchmark."""
        number = len(self.rows)
        counts = {"rows_read": number, "rows_priced": number, "left_out": "{}", "files": [], "notes": []}
        return {"kind": self.kind, "state": self.state, "release": self.release, "states": self.states, **counts}


def months_in_force(release: str, others: Iterable[str]) -> list[str]:
    """Return the months that the tables have a release's amounts for: until the next release, or the year's end."""
    year, first = release.split("-")
    months = [f"{year}-{month:02}" for month in range(int(first), 13)]
    return [month for month in months if not any(release < other <= month for other in others)]


def store_of_schedules(
    root: Path, rates: list[Row], schedules: list[Schedule], further: Mapping[str, list[Row]] | None = None
) -> Snapshot:
    """Write a store with these rates, whose fact_uid are their numbers, these schedules, and further tables."""
    tables: dict[str, list[Row]] = {**(further or {}), "dim_benchmark": [schedule.record() for schedule in schedules]}
    tables["fact_rate"] = [
        {
            "reporting_entity_name": "Example Payer",
            **rate,
            "fact_uid": f"{number:04}",
            "pos_set_id": pos_set_id(rate["places"]),
        }
        for number, rate in enumerate(rates)
    ]
    sets = {tuple(rate["places"]) for rate in rates}
    tables["dim_pos_set"] = [{"pos_set_id": pos_set_id(list(places)), "service_codes": list(places)} for places in sets]
    tables["xref_pos"] = [{"pos_set_id": pos_set_id(list(places)), "pos": pos} for places in sets for pos in places]
    for schedule in schedules:
        others = [s.release for s in schedules if (s.kind, s.state) == (schedule.kind, schedule.state)]
        rows = tables.setdefault(f"bench_{schedule.kind}", [])
        for month in months_in_force(schedule.release, others):
            rows += [{**row, "year_month": month, "release": schedule.release} for row in schedule.rows]
    return written(root, tables)


def differing(plain: Mapping[str, Any], change: Mapping[str, Any]) -> Row:
    """Return a rate that differs from the plain one, whose changes must name known fields."""
    unknown = set(change) - set(plain)
    assert not unknown, unknown
    return {**plain, **change}
