"""Questions answered slowly and obviously: every fact a dictionary, every answer a loop."""

import statistics
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from core.fields.providers.payer_slug import make_payer_slug
from core.queries.market.market import Market
from core.store.connection import Snapshot
from tests.queries.comparison.slow_comparison import Benchmarks
from tests.queries.slow_settings import settings_slowly, sides_slowly
from tests.queries.tables import rows_of

Row = dict[str, Any]

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
        centers = {row["pg_uid"] for row in rows_of(db, "surgical_center_group")}
        overruled = [row for row in rows_of(db, "schedule_fit") if row["chosen"] and not row["of_label"]]
        networks = {row["pg_uid"]: row["network_names"] or [] for row in rows_of(db, "dim_provider_group")}
        paid_less = codes_paid_less(rows_of(db, "bench_medicare_prof"))
        for fact in self.facts:
            fact["paid_less"] = fact["code"] in paid_less
            fact["places"] = places[fact["pos_set_id"]]
            fact["npis"] = npis[fact["pg_uid"]]
            fact["tins"] = tins[fact["pg_uid"]]
            fact["at_center"] = fact["pg_uid"] in centers
            fact["networks"] = networks[fact["pg_uid"]]
            fact["kind"] = kind(fact)
            fact["measured"] = measured_slowly(fact, overruled)
        self.benchmarks = Benchmarks(db)

    def of(self, market: Market) -> list[Row]:
        """Return the facts of a market."""
        return [fact for fact in self.facts if matches(fact, market)]


def matches(fact: Row, market: Market) -> bool:
    for name in ("state", "year_month", "code_type", "code"):
        if getattr(market, name) and fact[name] != getattr(market, name):
            return False
    for name, column in STATED.items():
        if name == "billing_class" and market.billing_class in {"like professional", "like institutional"}:
            if market.billing_class != f"like {fact['measured']}":
                return False
            continue
        if getattr(market, name) is not None and (fact[column] or "unstated") != getattr(market, name):
            return False
    if market.network is not None and market.network not in fact["networks"]:
        return False
    if market.payer is not None and make_payer_slug(fact["reporting_entity_name"]) != market.payer:
        return False
    if market.pos is not None and market.pos not in fact["places"] and "CSTM-00" not in fact["places"]:
        return False
    if market.care_setting is not None and market.care_setting not in settings_of(fact) | sides_of(fact):
        return False
    if market.modifier == "none" and fact["billing_code_modifier"]:
        return False
    if market.modifier not in {None, "none"} and market.modifier not in fact["billing_code_modifier"].split(","):
        return False
    if market.npi is not None and market.npi not in fact["npis"]:
        return False
    return market.tin is None or market.tin in {value for _, value in fact["tins"]}


def measured_slowly(fact: Row, overruled: list[Row]) -> str | None:
    """Return the class whose schedule the rate is compared with: the other one if its payer's label is overruled."""
    stated: str | None = fact["billing_class"]
    is_center = stated in {"institutional", "both"} or (stated == "professional" and fact["places"] == ["24"])
    if fact["at_center"] and is_center:
        return stated
    places = "surgical center" if fact["places"] == ["24"] else "other" if fact["places"] else "unstated"
    own = {**{name: fact[name] for name in ("state", "year_month", "reporting_entity_name", "billing_class")}}
    own["places"] = places
    if not any(all(row[name] == value for name, value in own.items()) for row in overruled):
        return stated
    return "professional" if stated == "institutional" else "institutional"


def settings_of(fact: Row) -> set[str]:
    """Return the settings of a rate: whose bill it is is decided by the class that it is measured as."""
    at_center = fact["at_center"] and fact["billing_class"] != "professional"
    return settings_slowly(fact["code_type"], fact["setting"], fact["measured"], fact["places"], at_center=at_center)


def sides_of(fact: Row) -> set[str]:
    is_facility_s = fact["measured"] in {"institutional", "both"}
    outside = fact["paid_less"] and not is_facility_s
    return sides_slowly(fact["code_type"], fact["setting"], fact["places"], outside_without_places=outside)


def codes_paid_less(amounts: list[Row]) -> set[str]:
    """Return the codes that the physician fee schedule pays at least 3% less for in facilities, in its first state."""
    first = min((row["state"] for row in amounts), default="")
    return {
        row["code"]
        for row in amounts
        if row["state"] == first
        and not row["nonfacility_na"]
        and None not in (row["facility_rate"], row["medicare_prof_rate"])
        and row["facility_rate"] < 0.97 * row["medicare_prof_rate"]
    }


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


def positions(amounts: Iterable[float], market: Sequence[float]) -> list[float]:
    """Return the share of the market's rates that are below each amount, those that are equal counting half."""
    return [
        (sum(other < amount for other in market) + sum(other == amount for other in market) / 2) / len(market)
        for amount in amounts
    ]


def grouped(rows: Sequence[Row], *names: str) -> dict[tuple[Any, ...], list[Row]]:
    found: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in rows:
        found[tuple(row[name] for name in names)].append(row)
    return found


def mean(values: Iterable[float]) -> float:
    return statistics.fmean(values)


def is_beyond(amount: float, others: Sequence[float]) -> bool:
    """Return whether an amount is over five times, or under a fifth of, the median of `others`."""
    middle = percentile(list(others), 0.5)
    return amount > 5 * middle or 5 * amount < middle


def without_far(amounts: Sequence[float], others: Sequence[float]) -> list[float]:
    """Return the amounts that are not far from `others`: five times their median, if there are ten of them."""
    middle = percentile(list(others), 0.5)
    return [one for one in amounts if len(others) < 10 or middle / 5 <= one <= 5 * middle]
