"""Rates compared with Medicare slowly and obviously: one rate, one step at a time, from rows of the tables."""

from dataclasses import dataclass, replace
from typing import Any

from core.queries.market.market import Market
from core.store.connection import Snapshot
from tests.queries.tables import rows_of

Row = dict[str, Any]

FACILITY = ["02", "19", "21", "22", "23", "24", "26", "31", "34", "41", "42", "51", "52", "53", "56", "61"]
NON_FACILITY = [
    "01", "03", "04", "09", "10", "11", "12", "13", "14", "15", "16", "17", "20", "25", "27", "32", "33", "49", "50",
    "54", "55", "57", "58", "60", "62", "65", "71", "72", "81", "99",
]  # fmt: skip
"""CMS's two lists."""

TRIED_NEXT = {
    "medicare_prof": ["anesthesia", "ambulance", "clfs", "asp", "opps", "dmepos"],
    "opps": ["medicare_prof", "ambulance", "clfs", "dmepos"],
    "asc": ["clfs", "dmepos"],
    "class not stated": ["anesthesia", "ambulance", "clfs", "asp", "opps", "dmepos"],
    "other place": ["ambulance", "clfs", "asp", "dmepos"],
    "inpatient": ["ipps"],
}
"""Which schedules are tried after a rate's own, or where it has none, for a reason."""


class Benchmarks:
    """The benchmark tables, and the releases that are loaded."""

    def __init__(self, db: Snapshot) -> None:
        self.releases = rows_of(db, "dim_benchmark")
        kinds = {"wcfs", *TRIED_NEXT, *(kind for kinds in TRIED_NEXT.values() for kind in kinds)}
        kinds.add("wcfs_modifier")
        self.tables = {kind: rows_of(db, f"bench_{kind}") for kind in kinds if " " not in kind and kind != "inpatient"}

    def in_force(self, kind: str, state: str, month: str) -> list[Row] | None:
        """Return a state's rows of the newest release in force in a month, or None if there is none."""
        begun = [
            release
            for release in self.releases
            if release["kind"] == kind and release["state"] in {"US", state} and release["release"] <= month
        ]
        if not begun:
            return None
        newest = max(begun, key=lambda release: str(release["release"]))
        # It is in the table up to the end of its year; after that, its last month counts.
        year = int(newest["release"][:4])
        last = min(month, f"{year}-12" if kind != "ipps" else f"{year + (newest['release'][5:] > '09')}-09")
        for place in ("US", state):
            if place in newest["states"]:
                return [row for row in self.tables[kind] if (row["state"], row["year_month"]) == (place, last)]
        return None

    def of_code(self, kind: str, fact: Row) -> list[Row] | None:
        """Return what the schedule in force says of a rate's code, or None if there is no schedule in force."""
        rows = self.in_force(kind, fact["state"], fact["year_month"])
        if rows is None:
            return None
        return [row for row in rows if (row["code"], system(row)) == (code_of(fact), system(fact))]


def system(row: Row) -> str:
    names = {"CPT": "CPT or HCPCS", "HCPCS": "CPT or HCPCS", "DRG": "MS-DRG"}
    return names.get(row["code_type"], str(row["code_type"]))


def code_of(fact: Row) -> str:
    """Return a rate's code as the schedules write it: an MS-DRG in three digits."""
    code = str(fact["code"])
    return code.zfill(3) if system(fact) == "MS-DRG" and code.isdigit() else code


@dataclass(frozen=True)
class Outcome:
    """What a rate is compared with, or why with nothing."""

    reason: str | None
    basis: str | None = None
    amount: float | None = None
    release: str | None = None
    other: float | None = None
    detail: str | None = None
    rule: str | None = None


ASKED = [
    {}, {}, {"pos": "11"}, {"pos": "22"}, {"pos": "24"}, {"care_setting": "office"}, {"care_setting": "inpatient"},
    {"care_setting": "surgical center"}, {"care_setting": "other place"}, {"care_setting": "non-facility or unstated"},
    {"care_setting": "facility or unstated"},
]  # fmt: skip
"""Filters that say where a rate is rendered, and some that do not."""

USUAL_PLACE = {"office": "11", "hospital outpatient": "22", "surgical center": "24", "inpatient": "21"}


def compared_in(market: Market, fact: Row, benchmarks: Benchmarks) -> Outcome:
    """One rate against Medicare as it is rendered where a market's filters ask about."""
    return compared(fact, benchmarks, *pos_and_side(market))


def pos_and_side(market: Market) -> tuple[str | None, str | None]:
    """Return the one place, or else the side, that a market's filters ask about."""
    pos = market.pos or USUAL_PLACE.get(str(market.care_setting))
    return pos, None if pos else market.care_setting


def places_asked(places: list[str], side: str | None) -> list[str]:
    """Return the places of a professional's fee on a side."""
    if side == "facility or unstated":
        return ["22"]
    return ["11"] if side == "non-facility or unstated" else places


def compared(fact: Row, benchmarks: Benchmarks, pos: str | None = None, side: str | None = None) -> Outcome:
    """One rate against Medicare, step by step; `pos` is the one place that is asked about.

    `side` is the side of professionals' fees that is asked about: which schedule pays a facility does not depend on it.
    """
    if fact["kind"] != "dollars":
        return Outcome(fact["kind"])
    if fact["negotiated_rate"] == 0:
        return Outcome("zero rate")
    places = fact["places"] if pos is None else [pos]
    own = own_schedule(fact, places)
    fee_places = places_asked(places, side)
    if own in {"class not stated", "other place", "inpatient"}:
        found = [tried(fact, fee_places, own, kind, benchmarks) for kind in TRIED_NEXT[own]]
        amounts = [one for one in found if one.reason is None]
        return replace(amounts[0], rule="code") if amounts else Outcome(own)
    if fact["code_type"] not in {"CPT", "HCPCS"}:
        return Outcome("other code system")
    first = tried(fact, fee_places, own, own, benchmarks)
    if first.reason is None:
        return replace(first, rule="class")
    if not passed_on(fact, own, benchmarks):
        return first
    return the_best(
        first,
        [tried(fact, fee_places, own, kind, benchmarks) for kind in TRIED_NEXT[own]],
        own_says(fact, own, benchmarks),
    )


def the_best(first: Outcome, others: list[Outcome], says: str | None) -> Outcome:
    """Return the first outcome with an amount, else the one with the most telling reason."""
    for one in others:
        if one.reason is None:
            return replace(one, rule="code", detail=", ".join(filter(None, [one.detail, says])))
    telling = [
        "unit not stated", "modifier not priced", "not paid in this setting", "contractor priced", "paid at cost",
        "anesthesia", "code ended", "packaged", "another code", "not covered", "another schedule", "inpatient",
        "not priced", "code not found", "benchmark not loaded",
    ]  # fmt: skip
    return min([first, *others], key=lambda one: telling.index(str(one.reason)))


def own_schedule(fact: Row, places: list[str]) -> str:
    """Return the schedule that a rate's class, setting, and places choose, or why there is none."""
    if fact["billing_class"] == "professional":
        return "medicare_prof"
    return institutional_schedule(fact, places) if fact["billing_class"] == "institutional" else "class not stated"


def institutional_schedule(fact: Row, listed: list[str]) -> str:
    """Return which schedule prices an institutional rate, by its setting, code system, and places."""
    places = set(listed)
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


def passed_on(fact: Row, own: str, benchmarks: Benchmarks) -> bool:
    """Whether another schedule may pay for the code."""
    rows = benchmarks.of_code(own, fact)
    if rows is None:
        return False
    if own == "medicare_prof":
        return not rows or any(row["reason"] is not None and row["status"] != "B" for row in rows)
    if own == "opps":
        return any(row["opps_si"] in {"A", "Q4", "Y"} for row in rows)
    return not rows


def own_says(fact: Row, own: str, benchmarks: Benchmarks) -> str | None:
    """Return what a rate's own schedule says of the code."""
    rows = sorted(benchmarks.of_code(own, fact) or [], key=lambda row: str(row["code_type"]))
    titles = {"medicare_prof": "MPFS", "opps": "OPPS", "asc": "ASC"}
    return f"{titles[own]} {detail_of(own, rows[0])}" if rows and detail_of(own, rows[0]) else None


def detail_of(kind: str, row: Row) -> str | None:
    if kind == "medicare_prof":
        return f"status {row['status']}" if row["status"] else None
    if kind == "opps":
        apc = f", APC {row['opps_apc']}" if row["opps_apc"] else ""
        return f"status {row['opps_si']}{apc}" if row["opps_si"] else None
    if kind == "asc":
        return f"indicator {row['asc_pi']}" if row["asc_pi"] else None
    if kind == "asp":
        return f"per {row['dosage']}" if row["dosage"] else None
    if kind == "dmepos" and row["list"] == "DMEPOS":
        return f"category {row['category']}" if row["category"] else None
    return row["list"] if kind == "dmepos" else None


def priced_modifier(modifier: str) -> str:
    """Return the modifiers that decide a price. These are the others that tests use."""
    return ",".join(
        one for one in modifier.split(",") if one not in {"25", "59", "95", "GT", "LT", "RT", "GP", "KX", "QW"}
    )


def tried(fact: Row, places: list[str], own: str, kind: str, benchmarks: Benchmarks) -> Outcome:
    """Return what one schedule says of a rate."""
    rows = benchmarks.of_code(kind, fact)
    if rows is None:
        return Outcome("benchmark not loaded")
    if not rows:
        return Outcome("code not found")
    row = min(rows, key=lambda row: str(row["code_type"]))
    if kind == "opps" and own != "opps" and row["opps_si"] not in {"G", "K", "K1", "D"}:
        return Outcome("code not found")  # a hospital's price, of no drug
    modifier = priced_modifier(fact["billing_code_modifier"])
    if kind == "medicare_prof":
        return physician_amount(row, modifier, places, own)
    if kind in {"clfs", "asp", "dmepos"}:
        return item_amount(kind, sorted(rows, key=lambda row: str(row["code_type"])), modifier)
    if kind == "ambulance":
        return ambulance_fare(row, modifier)
    if kind in {"anesthesia", "ipps"}:
        return anesthesia_factor(row, modifier, fact) if kind == "anesthesia" else case_amount(row, modifier)
    reason = reason_of(kind, row)
    if modifier and reason is None:
        return Outcome("modifier not priced")
    amount = row["opps_mar_stateavg" if kind == "opps" else "asc_mar_stateavg"]
    if reason or amount is None:
        return Outcome(reason or "not priced")
    return Outcome(None, kind.upper(), amount, row["release"], detail=detail_of(kind, row))


def item_amount(kind: str, rows: list[Row], modifier: str) -> Outcome:
    """Return the amount of the row with the rate's modifiers, of a table with a row for each."""
    by_modifier: dict[str, Row] = {}
    for row in rows:
        if row["modifier"] == "" or row["amount"] is not None or row["reason"]:  # others have rural amounts only
            by_modifier.setdefault(row["modifier"], row)
    plain, row = by_modifier.get(""), by_modifier.get(modifier, {})
    if row.get("reason"):
        return Outcome("contractor priced")
    if row.get("amount") is not None:
        basis = kind.upper() + (f", modifier {modifier}" if modifier else "")
        return Outcome(None, basis, row["amount"], row["release"], detail=detail_of(kind, row))
    if row and not modifier:
        return Outcome("not priced")
    if plain and plain["reason"]:
        return Outcome("contractor priced")
    rented_or_bought = any(set(one.split(",")) & {"NU", "RR", "UE"} for one in by_modifier)
    return Outcome("unit not stated" if rented_or_bought and not modifier else "modifier not priced")


def anesthesia_factor(row: Row, modifier: str, fact: Row) -> Outcome:
    """Return dollars per unit, for a rate that may be a price of one unit."""
    code = str(fact["code"])
    if not (len(code) == 5 and "00100" <= code <= "01999" and 15 <= fact["negotiated_rate"] <= 100):
        return Outcome("anesthesia")
    shares = {"": 1.0, "AA": 1.0, "QZ": 1.0, "QK": 0.5, "QX": 0.5, "QY": 0.5}
    if row["reason"]:
        return Outcome(row["reason"])
    if modifier not in shares or row["amount"] is None:
        return Outcome("modifier not priced" if modifier else "not priced")
    units = "base units by report" if row["base_units"] is None else f"{row['base_units']} base units"
    return Outcome(
        None,
        "Anesthesia conversion factor" + (f", modifier {modifier}" if modifier else ""),
        row["amount"] * shares[modifier],
        row["release"],
        detail=f"per unit, {units}",
    )


def ambulance_fare(row: Row, modifier: str) -> Outcome:
    """Return what is paid for a pickup in an urban area."""
    if row["reason"] or modifier or row["amount"] is None:
        return Outcome(row["reason"] or ("modifier not priced" if modifier else "not priced"))
    rural = "" if row["rural_amount"] is None else f"; rural ${row['rural_amount']:.2f}"
    return Outcome(None, "AFS", row["amount"], row["release"], detail=f"urban pickup{rural}")


def case_amount(row: Row, modifier: str) -> Outcome:
    """Return the base payment of an inpatient case."""
    if row["reason"] or modifier or row["amount"] is None:
        return Outcome(row["reason"] or ("modifier not priced" if modifier else "not priced"))
    return Outcome(
        None,
        "IPPS base payment",
        row["amount"],
        row["release"],
        detail=f"before hospital add-ons, weight {row['weight']}",
    )


def reason_of(kind: str, row: Row) -> str | None:
    """Return why a row has no amount. Indicators say more than `not priced`."""
    indicators = {
        "medicare_prof": ("status", {
            "C": "contractor priced", "N": "not covered", "M": "not covered", "Q": "not covered", "I": "another code",
            "E": "another schedule", "X": "another schedule",
        }),
        "opps": ("opps_si", {
            "A": "another schedule", "Y": "another schedule", "B": "another code", "E1": "not covered",
            "M": "not covered", "F": "paid at cost", "H": "paid at cost", "H1": "paid at cost", "L": "paid at cost",
            "D": "code ended",
        }),
        "asc": ("asc_pi", {
            "B5": "another code", "D5": "code ended", "J7": "contractor priced", "K7": "contractor priced",
            "F4": "paid at cost",
        }),
    }  # fmt: skip
    column, reasons = indicators[kind]
    if kind == "medicare_prof" and row["status"] == "R" and amounts_of(row) == (None, None):
        return "contractor priced"
    if kind == "opps" and row["opps_si"] == "B" and row["code"][0] == "D" and row["code"][1:].isdigit():
        return "not covered"  # dental
    return reasons.get(row[column], "not priced") if row["reason"] == "not priced" else row["reason"]


def amounts_of(row: Row) -> tuple[float | None, float | None]:
    return row["medicare_prof_rate"], row["facility_rate"]


def physician_amount(row: Row, modifier: str, places: list[str], own: str) -> Outcome:
    """Return the facility or the non-facility amount of a row of the physician fee schedule."""
    if own == "opps" and modifier == "" and (row["nonfacility_rate_tc"], row["facility_rate_tc"]) != (None, None):
        modifier = "TC"  # what a hospital bills is the technical part
    of_code = reason_of("medicare_prof", row)
    if modifier not in {"", "26", "TC", "53"}:
        return Outcome(of_code or "modifier not priced")
    suffix = f"_{modifier.lower()}" if modifier else ""
    outside = row[f"nonfacility_rate{suffix}" if modifier else "medicare_prof_rate"]
    inside = row[f"facility_rate{suffix}"]
    if modifier and outside is None and inside is None:
        return Outcome(of_code or "modifier not priced")
    if not modifier and of_code is not None:
        return Outcome(of_code)
    if modifier == "TC" and own == "medicare_prof" and setting_of(places) == "facility":
        return Outcome("not paid in this setting")
    if outside is None and inside is None:
        return Outcome("not priced")
    in_facility = own == "medicare_prof" and modifier != "TC" and is_mostly_facility(places)
    # CMS publishes one setting's amount in the other's column too, and flags it NA; older releases have none there.
    no_inside = inside is None or (not modifier and bool(row["facility_na"]))
    no_outside = outside is None or (not modifier and bool(row["nonfacility_na"]))
    amount = (
        (inside if inside is not None else outside) if in_facility else (outside if outside is not None else inside)
    )
    says = detail_of("medicare_prof", row)
    if in_facility and no_inside:
        setting, note = "non-facility", "CMS publishes no separate facility amount"
    elif not in_facility and no_outside:
        setting, note = "facility", "CMS publishes no separate office amount"
    else:
        setting, note = ("facility" if in_facility else "non-facility"), None
    other = outside if in_facility else inside
    return Outcome(
        None,
        f"MPFS {setting}" + (f", modifier {modifier}" if modifier else ""),
        amount,
        row["release"],
        other=other if allows_both(places) and other != amount else None,
        detail=", ".join(filter(None, [says, note])),
    )


def setting_of(places: list[str]) -> str:
    """Return which of the two settings a list of places points to."""
    if not places:
        return "unstated"
    if "CSTM-00" in places:
        return "mixed"
    facilities = [place for place in places if place in FACILITY]
    if not facilities or "11" in places:
        return "non-facility"
    others = [place for place in places if place in NON_FACILITY and place != "10"]
    return "mixed" if others else "facility"


def is_mostly_facility(places: list[str]) -> bool:
    facilities = [place for place in places if place in FACILITY]
    others = [place for place in places if place in NON_FACILITY and place != "10"]
    setting = setting_of(places)
    return setting == "facility" or (setting == "mixed" and "CSTM-00" not in places and len(facilities) > len(others))


def allows_both(places: list[str]) -> bool:
    facilities = [place for place in places if place in FACILITY]
    others = [place for place in places if place in NON_FACILITY and place != "10"]
    return "CSTM-00" in places or bool(facilities and others)
