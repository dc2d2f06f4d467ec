"""Synthetic payers' files: made-up payers, practices and rates; valid check digits; real code numbers, our own words.

The three payers write as differently as real ones do: see PAYERS.
"""

import gzip
import json
import random
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MONTHS = ("2025-07", "2025-08")
STATE = "GA"

# Code system, code, a description written for this demo, a typical amount in dollars.
CODES = (
    ("CPT", "10121", "Foreign body under the skin, removal, difficult", 290.0),
    ("CPT", "20610", "Injection into a large joint", 75.0),
    ("CPT", "27447", "Knee replacement", 1450.0),
    ("CPT", "29881", "Knee arthroscopy with meniscus repair", 610.0),
    ("CPT", "45378", "Colonoscopy", 380.0),
    ("CPT", "45380", "Colonoscopy with biopsy", 470.0),
    ("CPT", "66984", "Cataract surgery", 640.0),
    ("CPT", "70450", "CT scan of the head", 140.0),
    ("CPT", "70553", "MRI scan of the brain", 390.0),
    ("CPT", "71046", "X-ray of the chest", 42.0),
    ("CPT", "72148", "MRI scan of the lower back", 250.0),
    ("CPT", "73721", "MRI scan of a joint of the leg", 260.0),
    ("CPT", "90834", "Psychotherapy, 45 minutes", 118.0),
    ("CPT", "90837", "Psychotherapy, 60 minutes", 172.0),
    ("CPT", "92507", "Speech therapy", 84.0),
    ("CPT", "93000", "Electrocardiogram", 19.0),
    ("CPT", "93306", "Ultrasound of the heart", 235.0),
    ("CPT", "97110", "Exercise therapy, 15 minutes", 34.0),
    ("CPT", "97140", "Manual therapy, 15 minutes", 32.0),
    ("CPT", "99203", "Clinic visit, new patient, 30 minutes", 128.0),
    ("CPT", "99204", "Clinic visit, new patient, 45 minutes", 190.0),
    ("CPT", "99213", "Clinic visit, known patient, 20 minutes", 104.0),
    ("CPT", "99214", "Clinic visit, known patient, 30 minutes", 147.0),
    ("CPT", "99215", "Clinic visit, known patient, 40 minutes", 206.0),
    ("CPT", "99283", "Emergency department visit, moderate", 88.0),
    ("CPT", "99284", "Emergency department visit, serious", 151.0),
    ("CPT", "99285", "Emergency department visit, severe", 219.0),
    ("HCPCS", "G0439", "Yearly wellness visit, later one", 150.0),
    ("MS-DRG", "470", "Major hip or knee joint replacement, without major complication", 16800.0),
    ("RC", "120", "Room and board, two beds", 1950.0),
    ("RC", "450", "Emergency room", 780.0),
)
SCANS = frozenset(("70450", "70553", "71046", "72148", "73721", "93306"))
OFFICE, HOSPITAL, EVERYWHERE = ["11"], ["19", "21", "22", "23"], ["CSTM-00"]

_PLACES = (
    "Peachtree",
    "Ocmulgee",
    "Savannah River",
    "Blue Ridge",
    "Oconee",
    "Altamaha",
    "Chattahoochee",
    "Golden Isles",
)
_TRADES = ("Family Practice", "Orthopedics", "Imaging", "Cardiology", "Behavioral Health", "Medical Center")


def npi(rng: random.Random) -> str:
    """Make up an NPI with a valid check digit (Luhn over 80840 and the number)."""
    nine = f"{rng.choice((1, 2))}{rng.randrange(10**8):08}"
    total = 24
    for place, digit in enumerate(map(int, nine)):
        doubled = digit * 2 if place % 2 == 0 else digit
        total += doubled // 10 + doubled % 10
    return nine + str(-total % 10)


@dataclass(frozen=True)
class Practice:
    """A made-up organization: a tax ID, and the NPIs that bill under it."""

    name: str
    tin: str
    npis: tuple[str, ...]
    hospital: bool
    level: float
    """The ratio of its rates to the typical amount."""


def practices(seed: int = 7, count: int = 24) -> list[Practice]:
    """Made-up organizations, always the same for a seed."""
    rng = random.Random(seed)
    found = []
    for number in range(count):
        trade = _TRADES[number % len(_TRADES)]
        found.append(
            Practice(
                f"{_PLACES[number % len(_PLACES)]} {trade} (demo)",
                f"{rng.randrange(10, 99)}{rng.randrange(10**7):07}",
                tuple(npi(rng) for _ in range(rng.randrange(1, 9))),
                trade == "Medical Center",
                rng.uniform(0.75, 1.6),
            )
        )
    return found


@dataclass
class Payer:
    """A payer of the demo, and how it writes its files."""

    name: str
    kind: str
    write: Callable[["Payer", str, list[Practice], random.Random], dict[str, Any]]
    suffix: str
    level: float
    seed: int = field(default=0)


# --- what all payers write ------------------------------------------------------------------------------------


def _root(payer: Payer, month: str, version: str) -> dict[str, Any]:
    return {
        "reporting_entity_name": payer.name,
        "reporting_entity_type": payer.kind,
        "last_updated_on": f"{month}-01",
        "version": version,
    }


def _item(code: tuple[str, str, str, float], arrangement: str = "ffs") -> dict[str, Any]:
    system, number, words, _ = code
    return {
        "negotiation_arrangement": arrangement,
        "name": words,
        "billing_code_type": system,
        "billing_code_type_version": "2025",
        "billing_code": number,
        "description": words,
        "negotiated_rates": [],
    }


def _amount(payer: Payer, practice: Practice, month: str, typical: float, rng: random.Random) -> float:
    drift = 1.0 if month == MONTHS[0] else rng.choice((1.0, 1.0, 1.0, 1.02, 1.03, 0.97))
    return round(typical * payer.level * practice.level * drift, 2)


def _price(rate: float, kind: str, billing_class: str, places: list[str] | None, **more: Any) -> dict[str, Any]:
    price: dict[str, Any] = {
        "negotiated_type": kind,
        "negotiated_rate": rate,
        "expiration_date": "9999-12-31",
        "billing_class": billing_class,
    }
    if places is not None:
        price["service_code"] = places
    return {**price, **more}


def _prices(payer: Payer, practice: Practice, month: str, code: Any, rng: random.Random) -> list[dict[str, Any]]:
    """Return a practice's prices for a code, by class, place, and modifier as in a contract."""
    system, number, _, typical = code
    amount = _amount(payer, practice, month, typical, rng)
    if system in {"MS-DRG", "RC"}:
        if not practice.hospital:
            return []
        kind = "per diem" if number == "120" else "negotiated"
        return [_price(amount, kind, "institutional", None)]
    if practice.hospital:
        return [
            _price(round(amount * 2.6, 2), "negotiated", "institutional", None),
            _price(round(amount * 0.7, 2), "fee schedule", "professional", HOSPITAL),
        ]
    found = [_price(amount, "negotiated", "professional", OFFICE)]
    if number in SCANS:
        found.append(_price(round(amount * 0.3, 2), "negotiated", "professional", OFFICE, billing_code_modifier=["26"]))
        found.append(_price(round(amount * 0.7, 2), "negotiated", "professional", OFFICE, billing_code_modifier=["TC"]))
    return found


def _own_chance(payer: Payer, practice: Practice, code: Any) -> random.Random:
    """Return random numbers that are the same in both months, so that a rate changes only where it is meant to."""
    return random.Random(f"{payer.seed} {practice.tin} {code[1]}")


# --- the three ways to write a file ---------------------------------------------------------------------------


def write_referenced(payer: Payer, month: str, groups: list[Practice], rng: random.Random) -> dict[str, Any]:
    """Return a file of schema 1: groups defined first, several practices per group, percentages, odd places."""
    file = _root(payer, month, "1.3.1")
    half = len(groups) // 2
    pairs = list(zip(groups[:half], groups[half:], strict=True))
    file["provider_references"] = [
        {
            "provider_group_id": number + 0.5 if number % 3 == 0 else number,
            "provider_groups": [
                {"npi": [int(n) for n in p.npis], "tin": {"type": "ein", "value": f"{p.tin[:2]}-{p.tin[2:]}"}}
                for p in pair
            ],
        }
        for number, pair in enumerate(pairs, 101)
    ]
    file["in_network"] = []
    for code in CODES:
        item = _item(code)
        for reference, pair in zip(file["provider_references"], pairs, strict=True):
            prices = _prices(payer, pair[0], month, code, _own_chance(payer, pair[0], code))
            for price in prices:
                if "service_code" in price:
                    price["service_code"] = [place.lstrip("0") for place in price["service_code"]]
            if code[1] in {"97110", "97140"} and rng.random() < 0.4:
                prices.append(_price(62.5, "percentage", "professional", EVERYWHERE))
            if prices:
                item["negotiated_rates"].append(
                    {"provider_references": [reference["provider_group_id"]], "negotiated_prices": prices}
                )
        file["in_network"].append(item)
    # A group that is never defined: its rate is kept, and counted as unresolved.
    file["in_network"][0]["negotiated_rates"].append(
        {"provider_references": [999], "negotiated_prices": [_price(310.0, "negotiated", "professional", OFFICE)]}
    )
    return file


def write_inline(payer: Payer, month: str, groups: list[Practice], rng: random.Random) -> dict[str, Any]:
    """Return a file of schema 1: inline groups at each rate, NPIs as text, some rates as text, a remark."""
    file = _root(payer, month, "1.0.0")
    file["last_updated_on"] = f"{month}-03T00:00:00-05:00"
    file["in_network"] = []
    for code in CODES:
        if code[1] == ("92507" if month == MONTHS[0] else "93000"):
            continue  # one code is missing in the second month, and one is new
        item = _item(code)
        for practice in groups:
            prices = _prices(payer, practice, month, code, _own_chance(payer, practice, code))
            for price in prices:
                if rng.random() < 0.1:
                    price["negotiated_rate"] = str(price["negotiated_rate"])
                price["additional_information"] = "multiple procedures are reduced" if code[1] == "29881" else ""
            if prices:
                kind = {"type": "npi", "value": practice.npis[0]} if len(practice.npis) == 1 else None
                members = [{"npi": list(practice.npis), "tin": kind or {"type": "ein", "value": practice.tin}}]
                item["negotiated_rates"].append({"provider_groups": members, "negotiated_prices": prices})
        file["in_network"].append(item)
    # As in real files: an item that appears twice, and a rate that is not a number.
    file["in_network"].append(file["in_network"][1])
    file["in_network"][0]["negotiated_rates"][0]["negotiated_prices"].append(
        _price(0.0, "negotiated", "professional", OFFICE) | {"negotiated_rate": "call us"}
    )
    return file


def write_late(payer: Payer, month: str, groups: list[Practice], rng: random.Random) -> dict[str, Any]:
    """Return a file of schema 2: settings, networks, business names, groups defined last, a bundle, capitation."""
    references = [
        {
            "provider_group_id": number,
            "network_name": ["Example Select"] if number % 2 else ["Example Choice", "Example Select"],
            "provider_groups": [
                {
                    "npi": [int(n) for n in practice.npis],
                    "tin": {"type": "ein", "value": practice.tin, "business_name": practice.name},
                }
            ],
        }
        for number, practice in enumerate(groups, 1)
    ]
    items = []
    for code in CODES:
        item = _item(code)
        for number, practice in enumerate(groups, 1):
            prices = _prices(payer, practice, month, code, _own_chance(payer, practice, code))
            for price in prices:
                price["setting"] = "inpatient" if code[0] in {"MS-DRG", "RC"} else "outpatient"
            if prices:
                item["negotiated_rates"].append({"provider_references": [number], "negotiated_prices": prices})
        items.append(item)
    knee = _item(("MS-DRG", "469", "Knee replacement, all services of 90 days", 0.0), "bundle")
    knee["negotiated_rates"] = [
        {
            "provider_references": [6, 12],
            "negotiated_prices": [_price(24500.0, "negotiated", "institutional", None, setting="both")],
        }
    ]
    knee["bundled_codes"] = [_contained("27447"), _contained("97110"), _contained("99214")]
    care = _item(("CPT", "99215", "Primary care, a month", 0.0), "capitation")
    care["negotiated_rates"] = [
        {
            "provider_references": [1, 7],
            "negotiated_prices": [_price(31.0, "negotiated", "professional", OFFICE, setting="outpatient")],
        }
    ]
    care["covered_services"] = [_contained("99213"), _contained("99214"), _contained("G0439", "HCPCS")]
    rng.shuffle(references)
    root = _root(payer, month, "2.0.0")
    return {
        "version": root["version"],
        "plan_name": "Example Choice PPO (demo)",
        "plan_id_type": "hios",
        "plan_id": "12345GA001",
        "plan_market_type": "group",
        "issuer_name": "Example Savannah Insurance (demo)",
        "plan_sponsor_name": "Example Paper Mill (demo)",
        "in_network": [*items, knee, care],
        "provider_references": references,
        **{key: root[key] for key in ("last_updated_on", "reporting_entity_type", "reporting_entity_name")},
    }


def _contained(code: str, system: str = "CPT") -> dict[str, str]:
    words = next(c[2] for c in CODES if c[1] == code)
    return {
        "billing_code_type": system, "billing_code_type_version": "2025", "billing_code": code, "description": words,
    }  # fmt: skip


PAYERS = (
    Payer("Example Peach Health Plan", "health insurance issuer", write_referenced, ".json.gz", 1.05, 1),
    Payer("Example Piedmont Mutual, Inc.", "health insurance issuer", write_inline, ".json", 1.22, 2),
    Payer("Example Savannah Benefit Administrators", "third-party administrator", write_late, ".zip", 0.94, 3),
)


def write_files(directory: Path, months: tuple[str, ...] = MONTHS) -> list[Path]:
    """Write each payer's file for each month, and return their paths."""
    groups = practices()
    paths = []
    for month in months:
        for payer in PAYERS:
            content = payer.write(payer, month, groups, random.Random(payer.seed))
            stem = f"{month}-01_{payer.name.split()[1].lower()}_in-network-rates"
            paths.append(_pack(directory / f"{stem}{payer.suffix}", json.dumps(content).encode()))
    return paths


def _pack(path: Path, content: bytes) -> Path:
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(content, mtime=0))
    elif path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
            packed.writestr(path.with_suffix(".json").name, content)
    else:
        path.write_bytes(content)
    return path
