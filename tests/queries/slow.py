"""Questions answered slowly and obviously: every fact a dictionary, every answer a loop."""

import statistics
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from core.fields.payer_slug import make_payer_slug
from core.queries.rules.market import Market
from core.store.connection import Snapshot

Row = dict[str, Any]

FACILITY = ["02", "19", "21", "22", "23", "24", "26", "31", "34", "41", "42", "51", "52", "53", "56", "61"]


STATED = {
    "billing_class": "billing_class",
    "setting": "setting",
    "negotiated_type": "negotiated_type",
    "arrangement": "negotiation_arrangement",
}
"""Filters by what a file may not state, and their columns."""


class Everything:
    """All tables of a store, in memory."""

    def __init__(self, db: Snapshot) -> None:
        self.facts = rows_of(db, "fact_rate")
        places = {row["pos_set_id"]: row["service_codes"] for row in rows_of(db, "dim_pos_set")}
        npis, tins = defaultdict(set), defaultdict(set)
        for row in rows_of(db, "xref_group_npi"):
            npis[row["pg_uid"]].add(row["npi"])
        for row in rows_of(db, "xref_group_tin"):
            tins[row["pg_uid"]].add((row["tin_type"], row["tin_value"]))
        networks = {row["pg_uid"]: row["network_names"] or [] for row in rows_of(db, "dim_provider_group")}
        for fact in self.facts:
            fact["places"] = places[fact["pos_set_id"]]
            fact["npis"] = npis[fact["pg_uid"]]
            fact["tins"] = tins[fact["pg_uid"]]
            fact["networks"] = networks[fact["pg_uid"]]
            fact["kind"] = kind(fact)
        self.benchmarks = Benchmarks(db)

    def of(self, market: Market) -> list[Row]:
        """Return the facts of a market."""
        return [fact for fact in self.facts if matches(fact, market)]


def rows_of(db: Snapshot, table: str) -> list[Row]:
    with db.cursor() as cursor:
        moments = {"dim_batch": "EXCLUDE (started_at, finished_at)", "dim_benchmark": "EXCLUDE (loaded_at)"}
        cursor.execute(f"SELECT * {moments.get(table, '')} FROM {table}")
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def matches(fact: Row, market: Market) -> bool:
    for name in ("state", "year_month", "code_type", "code"):
        if getattr(market, name) and fact[name] != getattr(market, name):
            return False
    for name, column in STATED.items():
        if getattr(market, name) is not None and (fact[column] or "unstated") != getattr(market, name):
            return False
    if market.network is not None and market.network not in fact["networks"]:
        return False
    if market.payer is not None and make_payer_slug(fact["reporting_entity_name"]) != market.payer:
        return False
    if market.pos is not None and market.pos not in fact["places"] and "CSTM-00" not in fact["places"]:
        return False
    if market.modifier == "none" and fact["billing_code_modifier"]:
        return False
    if market.modifier not in {None, "none"} and market.modifier not in fact["billing_code_modifier"].split(","):
        return False
    if market.npi is not None and market.npi not in fact["npis"]:
        return False
    return market.tin is None or market.tin in {value for _, value in fact["tins"]}


def kind(fact: Row) -> str:
    stated, arrangement = fact["negotiated_type"], fact["negotiation_arrangement"]
    if stated in {"percentage", "per diem"}:
        return str(stated)
    if arrangement in {"bundle", "capitation"}:
        return str(arrangement)
    return "dollars" if arrangement == "ffs" and stated in {"negotiated", "derived", "fee schedule"} else "other"


def percentile(values: Iterable[float], share: float) -> float:
    """Return the percentile that interpolates between its neighbors."""
    ordered = sorted(values)
    position = share * (len(ordered) - 1)
    below = int(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (position - below)


def grouped(rows: Sequence[Row], *names: str) -> dict[tuple[Any, ...], list[Row]]:
    found: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in rows:
        found[tuple(row[name] for name in names)].append(row)
    return found


def mean(values: Iterable[float]) -> float:
    return statistics.fmean(values)


class Benchmarks:
    """The benchmark tables, a dictionary each, and the releases that are loaded."""

    def __init__(self, db: Snapshot) -> None:
        self.releases = rows_of(db, "dim_benchmark")
        self.tables = {
            kind: {(row["state"], row["year_month"], row["code"]): row for row in rows_of(db, f"bench_{kind}")}
            for kind in ("medicare_prof", "opps", "asc", "wcfs")
        }

    def in_force(self, kind: str, state: str, month: str) -> dict[str, Row] | None:
        """Return a state's rows of the newest release in force in a month, by code, or None if there is none."""
        begun = [
            release
            for release in self.releases
            if release["kind"] == kind and release["state"] in {"US", state} and release["release"] <= month
        ]
        if not begun:
            return None
        newest = max(begun, key=lambda release: str(release["release"]))
        if state not in newest["states"]:
            return None
        # It is in the table up to the end of its year; after that, its last month counts.
        last = min(month, f"{newest['release'][:4]}-12")
        return {key[2]: row for key, row in self.tables[kind].items() if key[:2] == (state, last)}


@dataclass(frozen=True)
class Outcome:
    """What a rate is compared with, or why with nothing."""

    reason: str | None
    basis: str | None = None
    amount: float | None = None
    release: str | None = None


def compared(fact: Row, benchmarks: Benchmarks) -> Outcome:
    """One rate against Medicare, step by step."""
    if fact["kind"] != "dollars":
        return Outcome(fact["kind"])
    if fact["negotiated_rate"] == 0:
        return Outcome("zero rate")
    if fact["billing_class"] == "professional":
        kind = "medicare_prof"
    elif fact["billing_class"] == "institutional":
        kind = institutional_schedule(fact)
        if kind not in {"opps", "asc"}:
            return Outcome(kind)
    else:
        return Outcome("class not stated")
    if fact["code_type"] not in {"CPT", "HCPCS"}:
        return Outcome("other code system")
    schedule = benchmarks.in_force(kind, fact["state"], fact["year_month"])
    if schedule is None:
        return Outcome("benchmark not loaded")
    row = schedule.get(fact["code"])
    if row is None:
        return Outcome("code not found")
    if row["reason"] is not None:
        return Outcome(row["reason"])
    modifier = fact["billing_code_modifier"]
    if kind == "medicare_prof":
        return professional(row, modifier, fact["places"])
    if modifier:
        return Outcome("modifier not priced")
    amount = row["opps_mar_stateavg" if kind == "opps" else "asc_mar_stateavg"]
    return Outcome("not priced") if amount is None else Outcome(None, kind.upper(), amount, row["release"])


def professional(row: Row, modifier: str, places: list[str]) -> Outcome:
    if modifier not in {"", "26", "TC", "53"}:
        return Outcome("modifier not priced")
    suffix = f"_{modifier.lower()}" if modifier else ""
    outside = row[f"nonfacility_rate{suffix}" if modifier else "medicare_prof_rate"]
    inside = row[f"facility_rate{suffix}"]
    in_facilities = [place in FACILITY for place in places]
    if places and all(in_facilities):
        amount, setting, na = inside, "facility", row["facility_na"]
    elif (not places or any(in_facilities) or "CSTM-00" in places) and outside is None and inside is not None:
        # It may be rendered in a facility, and only there has the schedule an amount.
        amount, setting, na = inside, "facility", False
    else:
        amount, setting, na = outside, "non-facility", row["nonfacility_na"]
    if amount is not None:
        return Outcome(None, f"MPFS {setting}" + (f", modifier {modifier}" if modifier else ""), amount, row["release"])
    if modifier:
        return Outcome("modifier not priced")
    return Outcome("not paid in this setting" if na else "not priced")


def institutional_schedule(fact: Row) -> str:
    """Return which schedule prices an institutional rate, by its setting, code system, and places."""
    places = set(fact["places"])
    if fact["setting"] == "inpatient" or "DRG" in fact["code_type"]:
        return "inpatient"
    if not places:
        return "opps"
    if places <= {"21", "51", "61"}:
        return "opps" if fact["setting"] == "outpatient" else "inpatient"
    if places & {"19", "22", "23", "CSTM-00"}:
        return "opps"
    if "24" in places:
        return "asc"
    return "opps" if fact["setting"] == "outpatient" and places & {"21", "51", "61"} else "other place"
