"""What NPPES's rows say, slowly and obviously: the csv module, row by row."""

import csv
import re
from datetime import date, datetime
from pathlib import Path
from typing import Any

from core.fields.places.states import STATES
from tests.slow_reader import clean


def register(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a file with a valid NPI, in its order."""
    with path.open(newline="", encoding="utf-8-sig") as file:
        header, *rows = csv.reader(file)
    found = []
    for row in rows:
        if len(row) == len(header):
            provider = one(dict(zip(header, row, strict=True)))
            if re.fullmatch("[12][0-9]{9}", provider["npi"] or ""):
                found.append(provider)
    return found


def one(row: dict[str, str]) -> dict[str, Any]:
    """One row."""
    practice = "Provider Business Practice Location Address "
    kind = number(row["Entity Type Code"])
    organization = text(row["Provider Organization Name (Legal Business Name)"])
    first, last = text(row["Provider First Name"]), text(row["Provider Last Name (Legal Name)"])
    person = " ".join(part for part in (first, last) if part) or None
    state = (text(row[practice + "State Name"]) or "").upper() or None
    for code, name in STATES.items():
        if state == name.upper():
            state = code
    return {
        "npi": number(row["NPI"]),
        "entity_type": {"1": "individual", "2": "organization"}.get(kind or ""),
        "name": person if kind == "1" else organization or person,
        "credential": text(row["Provider Credential Text"]),
        "taxonomy_code": taxonomy(row),
        "address": text(row["Provider First Line Business Practice Location Address"]),
        "city": text(row[practice + "City Name"]),
        "state": state,
        "postal_code": postal_code(row[practice + "Postal Code"], row[practice + "Country Code (If outside U.S.)"]),
        "deactivated_on": deactivated(row["NPI Deactivation Date"], row["NPI Reactivation Date"]),
        "first_name": first if kind == "1" else None,
        "middle_name": text(row["Provider Middle Name"]) if kind == "1" else None,
        "suffix": text(row["Provider Name Suffix Text"]) if kind == "1" else None,
        **other_name(row, kind),
        "address_2": text(row["Provider Second Line Business Practice Location Address"]),
        "updated_on": max(
            (found for title in ("Last Update Date", "NPI Reactivation Date") if (found := day(row[title]))),
            default=None,
        ),
    }


def other_name(row: dict[str, str], kind: str | None) -> dict[str, str | None]:
    name, code = text(row["Provider Other Organization Name"]), row["Provider Other Organization Name Type Code"]
    if kind == "1":
        last = text(row["Provider Other Last Name"])
        parts = [text(row["Provider Other First Name"]), text(row["Provider Other Middle Name"]), last]
        name = " ".join(part for part in parts if part) if last else None
        code = row["Provider Other Last Name Type Code"]
    words = {"1": "former name", "2": "professional name", "3": "doing business as",
             "4": "former legal business name", "5": "other name"}  # fmt: skip
    return {"other_name": name, "other_name_kind": words.get(number(code) or "") if name else None}


def text(cell: str) -> str | None:
    cell = clean(cell).strip()
    return None if cell in {"", "<UNAVAIL>"} else cell


def number(cell: str) -> str | None:
    found = text(cell)
    if found and re.fullmatch(r"[0-9]+\.0+", found):
        return found.split(".")[0]
    return found


def taxonomy(row: dict[str, str]) -> str | None:
    codes = [(text(row[f"Healthcare Provider Taxonomy Code_{n}"]) or "").upper() for n in range(1, 16)]
    flags = [row[f"Healthcare Provider Primary Taxonomy Switch_{n}"].strip().upper() for n in range(1, 16)]
    for code, flag in zip(codes, flags, strict=True):
        if flag == "Y" and code:
            return code
    return codes[0] if set(codes) - {""} == {codes[0]} else None


def postal_code(cell: str, country: str) -> str | None:
    code = number(cell)
    if code is None or (text(country) or "US").upper() != "US" or not re.fullmatch("[0-9]{1,9}", code):
        return code
    while len(code) not in {5, 9}:
        code = "0" + code
    return code


def day(cell: str) -> date | None:
    for form in ("%m/%d/%Y", "%Y-%m-%d"):
        try:
            return datetime.strptime(cell.strip(), form).date()  # noqa: DTZ007 - a day has no zone
        except ValueError:
            continue
    return None


def deactivated(off: str, on: str) -> date | None:
    gone, back = day(off), day(on)
    return None if gone is None or (back is not None and back >= gone) else gone
