"""Questions answered slowly and obviously: every fact a dictionary, every answer a loop."""

import statistics
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from core.queries.market import Market
from core.store.connection import Snapshot
from core.store.ids import payer_slug

Row = dict[str, Any]

FACILITY = ["02", "19", "21", "22", "23", "24", "26", "31", "34", "41", "42", "51", "52", "53", "56", "61"]


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
        for fact in self.facts:
            fact["places"] = places[fact["pos_set_id"]]
            fact["npis"] = npis[fact["pg_uid"]]
            fact["tins"] = tins[fact["pg_uid"]]
            fact["kind"] = kind(fact)
        self.bench = {(row["state"], row["year_month"], row["code"]): row for row in rows_of(db, "bench_medicare_prof")}

    def of(self, market: Market) -> list[Row]:
        """The facts of a market."""
        return [fact for fact in self.facts if matches(fact, market)]


def rows_of(db: Snapshot, table: str) -> list[Row]:
    with db.cursor() as cursor:
        cursor.execute(
            f"SELECT * EXCLUDE (started_at, finished_at) FROM {table}" if table == "dim_batch" else f"FROM {table}"
        )
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def matches(fact: Row, market: Market) -> bool:
    for name in ("state", "year_month", "code_type", "code", "billing_class"):
        if getattr(market, name) is not None and fact[name] != getattr(market, name):
            return False
    if market.payer is not None and payer_slug(fact["reporting_entity_name"]) != market.payer:
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
    """The percentile that interpolates between its neighbours."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def grouped(rows: Sequence[Row], *names: str) -> dict[tuple[Any, ...], list[Row]]:
    found: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in rows:
        found[tuple(row[name] for name in names)].append(row)
    return found


def mean(values: Iterable[float]) -> float:
    return statistics.fmean(values)


def compared(fact: Row, bench: dict[tuple[str, str, str], Row]) -> tuple[str | None, float | None]:
    """The reason why a fact has no percent of Medicare, or the amount it is compared with."""
    if fact["kind"] != "dollars":
        return fact["kind"], None
    if fact["billing_class"] != "professional":
        return "institutional", None
    if not any(key[:2] == (fact["state"], fact["year_month"]) for key in bench):
        return "benchmark not loaded", None
    row = (
        bench.get((fact["state"], fact["year_month"], fact["code"])) if fact["code_type"] in {"CPT", "HCPCS"} else None
    )
    if row is None:
        return "not in the schedule", None
    facility = bool(fact["places"]) and all(place in FACILITY for place in fact["places"])
    modifier = fact["billing_code_modifier"]
    if modifier not in {"", "26", "TC", "53"}:
        return "modifier not priced", None
    if modifier:
        amount = row[f"{'facility' if facility else 'nonfacility'}_rate_{modifier.lower()}"]
        return (None, amount) if amount is not None else ("modifier not priced", None)
    amount = row["facility_rate" if facility else "medicare_prof_rate"]
    return (None, amount) if amount is not None else ("not paid in this setting", None)
