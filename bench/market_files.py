"""The files of bench.market: the payers' in-network files, Medicare's schedules and a register of providers.

All chance is drawn from names (a payer, a code, a month), so that what stays from month to month stays: tax IDs,
NPIs, which groups have a rate together, most prices.
"""

import csv
import math
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from isal import igzip

from core.demo.hospital_fees import write_hospital_fees
from core.demo.payer_files import npi
from core.demo.physician_fees import write_physician_fees
from core.demo.provider_register import HEADER

MONTHS = ("2025-06", "2025-07", "2025-08")
CODES, PRACTICES, NPIS, GROUPS = 5_000, 12_000, 60_000, 5_000

_OFFICE, _HOSPITAL, _ANYWHERE = '["11"]', '["19","21","22","23"]', '["CSTM-00"]'
_MANY = '["02","10","11","12","13","15","17","20","22","24","31","32","49","50","53","57","65","71","72","81"]'


def _terms(rate: str, kind: str, klass: str, places: str, modifier: str = "", setting: str = "outpatient") -> str:
    return (
        f'{{{{"negotiated_rate":{rate},"negotiated_type":"{kind}","expiration_date":"9999-12-31",'
        f'"billing_class":"{klass}","setting":"{setting}","service_code":{places},'
        f'"billing_code_modifier":[{modifier}]}}}}'
    )


_PRO, _FACILITY = "professional", "institutional"
LINES = {
    "service": (
        _terms("{0:.2f}", "negotiated", _PRO, _OFFICE) + "," + _terms("{1:.2f}", "negotiated", _PRO, _HOSPITAL),
        _terms("{0:.2f}", "fee schedule", _PRO, _MANY),
        _terms("{0:.2f}", "negotiated", _PRO, _ANYWHERE),
        _terms("{2:.2f}", "negotiated", _FACILITY, '["22"]'),
        _terms("{3}", "percentage", _FACILITY, "[]"),
    ),
    "scan": (
        _terms("{0:.2f}", "negotiated", _PRO, _OFFICE)
        + "," + _terms("{1:.2f}", "negotiated", _PRO, _OFFICE, '"26"')
        + "," + _terms("{2:.2f}", "negotiated", _PRO, _OFFICE, '"TC"'),
        _terms("{0:.2f}", "fee schedule", _PRO, _MANY),
        _terms("{1:.2f}", "negotiated", _PRO, _ANYWHERE, '"26"'),
        _terms("{2:.2f}", "negotiated", _FACILITY, '["22"]'),
    ),
    "stay": (
        _terms("{2:.2f}", "negotiated", _FACILITY, "[]", setting="inpatient"),
        _terms("{1:.2f}", "per diem", _FACILITY, '["21"]', setting="inpatient"),
        _terms("{3}", "percentage", _FACILITY, "[]", setting="inpatient"),
    ),
}  # fmt: skip
"""The contract lines by kind of code: prices that stand together. {0} is the amount in the office, {1} a lower one,
{2} the facility's, {3} a percentage."""

_DEEDS = ("Repair", "Removal", "Imaging", "Injection", "Test", "Biopsy", "Therapy", "Visit", "Fitting", "Closure")
_PARTS = ("knee", "hip", "shoulder", "eye", "ear", "heart", "lung", "skin", "spine", "hand", "foot", "blood", "bone")
_WAYS = ("simple", "difficult", "first", "repeated", "open", "closed", "left", "right", "both sides", "with contrast")


@dataclass(frozen=True)
class Code:
    """A billing code: its system, number, words, kind out of LINES, typical amount and part of a file's facts."""

    system: str
    number: str
    words: str
    kind: str
    amount: float
    share: float


@dataclass(frozen=True)
class Practice:
    """A tax ID, and the NPIs that bill under it."""

    tin: str
    name: str
    npis: list[str]


def codes() -> list[Code]:
    """Return the codes, commonest first."""
    chance = random.Random("codes")
    numbers = chance.sample(range(10_004, 99_999), CODES)
    found = []
    for rank, number in enumerate(numbers):
        system, text, kind = "CPT", str(number), "scan" if 70_000 <= number < 80_000 else "service"
        if rank % 20 == 7:
            system, text = "HCPCS", f"{chance.choice('GJLE')}{number % 10_000:04}"
        elif rank % 50 == 11:
            system, text, kind = "MS-DRG", f"{1 + rank // 50:03}", "stay"
        elif rank % 50 == 31:
            system, text, kind = "RC", f"{100 + rank // 50:04}", "stay"
        words = f"{chance.choice(_DEEDS)} of {chance.choice(_PARTS)}, {chance.choice(_WAYS)}, {chance.choice(_WAYS)}"
        amount = chance.lognormvariate(math.log(9_000 if kind == "stay" else 160), 0.9)
        # As Zipf has it, and the last half fading out: the rarest have a fact or so at a payer.
        share = 0.998 ** max(rank - CODES // 2, 0) / (rank + 55)
        found.append(Code(system, text, words, kind, amount, share))
    whole = sum(code.share for code in found)
    return [Code(*list(vars(code).values())[:-1], share=code.share / whole) for code in found]


def practices() -> list[Practice]:
    """Return the tax IDs of the state: 1 to 40 NPIs each, some of them shared."""
    chance = random.Random("practices")
    pool = [npi(chance) for _ in range(NPIS)]
    return [
        Practice(
            f"{10 + n % 89}{n:07}",
            f"{chance.choice(_PARTS)} {chance.choice(_DEEDS)} Partners {n}".title(),
            chance.sample(pool, min(40, 1 + int(chance.expovariate(1 / 6)))),
        )
        for n in range(PRACTICES)
    ]


def payer_name(payer: int) -> str:
    """Return a payer's name."""
    return f"Bench Health Plan {payer:02}"


# --- a file ---------------------------------------------------------------------------------------------------


def write_file(path: Path, payer: int, month: str, facts: int) -> None:
    """Write a payer's file for a month, with about that many facts."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with igzip.open(path, "wb", compresslevel=1) as file:
        for piece in _pieces(payer, month, facts):
            file.write(piece.encode())


def _pieces(payer: int, month: str, facts: int) -> Iterator[str]:
    chance = random.Random(f"{payer} {month}")
    raw = [str(number) for number in chance.sample(range(100_000, 999_999), GROUPS)]
    absent = set(chance.sample(range(GROUPS), GROUPS // 50))
    yield (
        f'{{"reporting_entity_name":"{payer_name(payer)}","reporting_entity_type":"health insurance issuer",'
        f'"last_updated_on":"{month}-01","version":"2.0.0","provider_references":['
    )
    yield ",".join(_groups(payer, raw)) + '],"in_network":['
    separator = ""
    for rank, code in enumerate(codes()):
        own = random.Random(f"{payer} {code.number}")
        # Of the rarer codes a payer lacks some; a few are there in two months out of three.
        if own.random() < 0.4 * rank / CODES or (own.random() < 0.02 and own.choice(MONTHS) == month):
            continue
        rates = ",".join(_rates(code, payer, month, max(round(facts * code.share * 1.12), 1), own, raw, absent))
        if rates:
            yield (
                f'{separator}{{"negotiation_arrangement":"ffs","name":"{code.words}","billing_code_type":'
                f'"{code.system}","billing_code_type_version":"2025","billing_code":"{code.number}",'
                f'"description":"{code.words}","negotiated_rates":[{rates}]}}'
            )
            separator = ","
    yield "]}\n"


def _groups(payer: int, raw: list[str]) -> Iterator[str]:
    """Return the group definitions: one practice each, sometimes two; the same practices in every month."""
    own = random.Random(f"groups {payer}")
    everyone = practices()
    for number in raw:
        members = ",".join(
            f'{{"npi":[{",".join(p.npis)}],"tin":{{"type":"ein","value":"{p.tin}","business_name":"{p.name}"}}}}'
            for p in own.sample(everyone, 2 if own.random() < 0.1 else 1)
        )
        networks = '"Select"' if own.random() < 0.6 else '"Choice","Select"'
        yield f'{{"provider_group_id":{number},"network_name":[{networks}],"provider_groups":[{members}]}}'


def _rates(
    code: Code, payer: int, month: str, facts: int, own: random.Random, raw: list[str], absent: set[int]
) -> Iterator[str]:
    """Yield the rates of a code: lists of about ten groups at a price. `own` makes the same choices in every month."""
    moves = [random.Random(f"{payer} {code.number} {m}") for m in _months_until(month)]
    everybody = own.sample(range(GROUPS), min(facts + 50, GROUPS))
    lines = LINES[code.kind]
    starts = [0] * len(lines)
    level = code.amount * (0.8 + payer % 10 * 0.05)
    written = 0
    while written < facts and min(starts) < len(everybody):
        line = own.randrange(len(lines)) if own.random() < 0.5 else 0
        together = lines[line].count("negotiated_rate")
        size = min(1 + int(own.expovariate(1 / 9.2)), -(-(facts - written) // together))
        some = everybody[starts[line] : starts[line] + size]
        starts[line] += size
        amount = level * math.exp(own.gauss(0, 0.25))
        percent = own.choice((40, 45, 50, 55, 62.5))
        for move in moves:
            amount *= move.uniform(0.95, 1.06) if move.random() < 0.2 else 1
        written += len(some) * together
        if groups := ",".join(raw[group] for group in some if group not in absent):
            prices = lines[line].format(amount, amount * 0.62, amount * 2.4, percent)
            yield f'{{"provider_references":[{groups}],"negotiated_prices":[{prices}]}}'


def _months_until(month: str) -> Iterable[str]:
    """Return the months after the first in which prices have changed."""
    year, number = map(int, month.split("-"))
    months = (year - 2025) * 12 + number - 6
    return (f"{2025 + (5 + n) // 12}-{(5 + n) % 12 + 1:02}" for n in range(1, months + 1))


# --- what rates are compared with, and who providers are --------------------------------------------------------


def write_schedules(directory: Path) -> dict[str, list[Path]]:
    """Write made-up Medicare schedules, about four fifths of the typical amounts. Return paths by kind."""
    relative, outpatient = [], []
    for code in codes():
        if code.kind == "stay":
            continue
        total = code.amount * 0.8 / 32.3465
        cells = f"{total * 0.45:.2f} {total * 0.5:.2f} - {total * 0.2:.2f} - {total * 0.05:.2f}"
        relative.append(f"{code.number} - A {cells}")
        if code.kind == "scan":
            relative.append(f"{code.number} TC A 0.00 {total * 0.45:.2f} - {total * 0.45:.2f} - {total * 0.03:.2f}")
            relative.append(f"{code.number} 26 A {total * 0.45:.2f} {total * 0.05:.2f} - {total * 0.05:.2f} - 0.02")
        outpatient.append(f"{code.number} T 5441 {code.amount * 1.6 / 89.17:.4f} ${code.amount * 1.6:,.2f}")
    opps = write_hospital_fees(directory, "\n".join(outpatient))["opps"]
    return {"medicare_prof": write_physician_fees(directory, "\n".join(relative)), "opps": opps}


def write_register(path: Path) -> None:
    """Write a register in NPPES's layout that names every NPI of the practices."""
    chance = random.Random("register")
    named = sorted({number for practice in practices() for number in practice.npis})
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, HEADER, restval="", quoting=csv.QUOTE_ALL)
        writer.writeheader()
        for number in named:
            writer.writerow({
                "NPI": number, "Entity Type Code": "1",
                "Provider Last Name (Legal Name)": f"{chance.choice(_PARTS)}{chance.randrange(999)}".upper(),
                "Provider First Name": chance.choice(("AVERY", "BLAIR", "CASEY", "DEVON")),
                "Provider Credential Text": "MD",
                "Provider Business Practice Location Address City Name": chance.choice(("ATLANTA", "MACON", "DALTON")),
                "Provider Business Practice Location Address State Name": "GA",
                "Provider Business Practice Location Address Postal Code": "303030001",
                "Healthcare Provider Taxonomy Code_1": chance.choice(("207Q00000X", "207X00000X", "2085R0202X")),
                "Healthcare Provider Primary Taxonomy Switch_1": "Y",
            })  # fmt: skip
