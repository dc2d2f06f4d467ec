"""Rates compared with a state's workers' compensation schedule slowly and obviously: one rate, one step at a time."""

from dataclasses import dataclass
from typing import Any

from tests.queries.comparison.slow_comparison import (
    Benchmarks,
    is_mostly_facility,
    own_schedule,
    places_asked,
    priced_modifier,
    setting_of,
    system,
)

Row = dict[str, Any]


@dataclass(frozen=True)
class CompensationOutcome:
    """What a rate is compared with, or why with nothing."""

    reason: str | None
    basis: str | None = None
    amount: float | None = None
    release: str | None = None


def compensated(fact: Row, known: Benchmarks, pos: str | None = None, side: str | None = None) -> CompensationOutcome:
    """One rate against its state's schedule, step by step; `pos` and `side` as in slow_comparison.compared."""
    if fact["kind"] != "dollars":
        return CompensationOutcome(fact["kind"])
    if fact["negotiated_rate"] == 0:
        return CompensationOutcome("zero rate")
    places = fact["places"] if pos is None else [pos]
    own, is_case = own_schedule(fact, places), fact["code_type"] == "MS-DRG"
    places = places_asked(places, side)
    if own in {"class not stated", "other place"} or (own == "inpatient" and not is_case):
        return CompensationOutcome(own)
    rows = known.of_code("wcfs", fact)
    if rows is None:
        return CompensationOutcome("benchmark not loaded")
    if system(fact) not in {"CPT or HCPCS", "MS-DRG"}:
        return CompensationOutcome("other code system")
    lines = lines_of(fact, known, rows)
    if not lines:
        return CompensationOutcome("code not found")
    modifier = priced_modifier(fact["billing_code_modifier"])
    line = lines.get(modifier)
    if line is not None and modifier == "TC" and own == "medicare_prof" and setting_of(places) == "facility":
        return CompensationOutcome("not paid in this setting")
    found = amount_of(own, modifier, lines, places)
    if found is not None:
        amount, basis = found
        return CompensationOutcome(None, basis + (f", modifier {modifier}" if modifier else ""), amount,
                                   next(iter(lines.values()))["release"])  # fmt: skip
    if line is None:
        return CompensationOutcome(
            "unit not stated" if not modifier and {"NU", "RR", "UE"} & set(lines) else "modifier not priced"
        )
    is_by_report = line["wcfs_status"] == "by report"
    if is_by_report and own in {"medicare_prof", "inpatient"}:
        return CompensationOutcome("by report")
    if line["base_units"] is not None:
        return CompensationOutcome("anesthesia")
    names = ("wcfs_amount", "facility_amount", "outpatient_amount", "asc_amount")
    if any(line[name] is not None for name in names):
        return CompensationOutcome("not paid in this setting")
    return CompensationOutcome("by report" if is_by_report else "not priced")


def lines_of(fact: Row, known: Benchmarks, rows: list[Row]) -> dict[str, Row]:
    """Return what the release in force says of a rate's code, by modifier; a CPT row before a HCPCS row."""
    release = max(
        one["release"]
        for one in known.releases
        if one["kind"] == "wcfs" and one["state"] == fact["state"] and one["release"] <= fact["year_month"]
    )
    with_modifier = [
        row
        for row in known.tables["wcfs_modifier"]
        if (row["state"], row["release"], row["code"]) == (fact["state"], release, fact["code"])
        and system(row) == system(fact)
    ]
    lines: dict[str, Row] = {}
    for row in sorted([*rows, *with_modifier], key=lambda row: str(row["code_type"])):
        if row["wcfs_status"] != "modifiers only":
            lines.setdefault(row.get("modifier", ""), row)
    return lines


def amount_of(own: str, modifier: str, lines: dict[str, Row], places: list[str]) -> tuple[float, str] | None:
    """Return the amount of who is paid, and what it is."""
    line = lines.get(modifier)
    if own in {"opps", "asc"}:
        column, title = {
            "opps": ("outpatient_amount", "hospital outpatient"), "asc": ("asc_amount", "surgical center"),
        }[own]  # fmt: skip
        tried = [lines.get(""), lines.get("TC")] if modifier in {"", "TC"} else [line]
        amounts = [one[column] for one in tried if one is not None and one[column] is not None]
        return (amounts[0], title) if amounts else None
    if line is None:
        return None
    if own == "inpatient":
        return None if line["wcfs_amount"] is None else (line["wcfs_amount"], "hospital inpatient")
    wants_facility = is_mostly_facility(places) and modifier != "TC"
    if line["facility_amount"] is not None and (wants_facility or line["wcfs_amount"] is None):
        return line["facility_amount"], "professional, in a facility"
    return None if line["wcfs_amount"] is None else (line["wcfs_amount"], "professional")
