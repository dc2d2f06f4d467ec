"""A clinic's own lines: `code,modifier,setting,units,rate,payer` as a CSV, or a plain list of codes."""

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.fields.codes.code_list import WantedCode, read_codes
from core.fields.codes.modifier import parse_modifiers
from core.fields.places.care_setting import FOUR_SETTINGS, HOSPITAL_OUTPATIENT, SETTING_OF_PLACE, SURGICAL_CENTER

COLUMNS = ("code", "modifier", "setting", "units", "rate", "payer")
MAX_LINES = 1_000
MAX_CHARACTERS = 200_000
_LONGEST_PAYER = 200

_SETTINGS = {**{name: name for name in FOUR_SETTINGS}, "hospital": HOSPITAL_OUTPATIENT, "asc": SURGICAL_CENTER}
_SETTINGS |= SETTING_OF_PLACE
_NUMBER = re.compile(r"\$?\s*([0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,9})(\.[0-9]{1,6})?")


@dataclass(frozen=True)
class ClinicLine:
    """One line: a code, and what the clinic knows of it. `row` is its number in the text, from 1."""

    row: int
    wanted: WantedCode
    modifier: str = ""
    setting: str = ""
    units: float | None = None
    rate: float | None = None
    payer: str = ""
    """Who pays the rate, as it was written; empty to compare it with every payer."""


@dataclass(frozen=True)
class BadLine:
    """A row that cannot be read, and why."""

    row: int
    reason: str


EXPECTED = f"expected codes, such as 73721 99213, or lines of {','.join(COLUMNS)}"

_FIVE = "([A-Z][0-9]{4}|[0-9]{4}[0-9A-Z])"
"""A CPT or HCPCS code. Shorter numbers may be volumes."""

_A_CODE = re.compile(rf"{_FIVE}(\*[0-9]+(\.[0-9]+)?|-{_FIVE})?", re.IGNORECASE)
_CODE_SYSTEM = re.compile(r"(CPT|HCPCS)", re.IGNORECASE)
_BETWEEN_CODES = re.compile(r"[\s,;]+")


def is_list_of_codes(text: str) -> bool:
    """Return whether a text is nothing but billing codes, with or without volumes (73721*120) and ranges."""
    words = [word for word in _BETWEEN_CODES.split(text.replace("\ufeff", "")) if word]
    codes = [word for word in words if not _CODE_SYSTEM.fullmatch(word)]
    # Two marks in a row are an empty cell, so the text has columns.
    has_columns = re.search(r"[,;\t][ ]*[,;\t]", text)
    return bool(codes) and not has_columns and all(_A_CODE.fullmatch(word.rpartition(":")[2]) for word in codes)


def read_clinic_lines(text: str) -> tuple[list[ClinicLine], list[BadLine]]:
    """Return the lines of a text and its bad rows. A first row of headings may name the columns in another order."""
    if len(text) > MAX_CHARACTERS:
        return [], [BadLine(1, f"{len(text):,} characters: expected at most {MAX_CHARACTERS:,}")]
    rows = [row.strip("\ufeff\r") for row in text.split("\n")]
    numbered = [(number, row) for number, row in enumerate(rows, 1) if row.strip(" ,;\t")]
    if not numbered:
        return [], []
    mark = max("\t;,", key=numbered[0][1].count)
    columns: Sequence[str] = COLUMNS
    heads = [cell.lower() for cell in _cells(numbered[0][1], mark)]
    if "code" in heads:
        columns, numbered = heads, numbered[1:]
    if len(numbered) > MAX_LINES:
        return [], [BadLine(numbered[MAX_LINES][0], f"{len(numbered):,} lines: expected at most {MAX_LINES:,}")]
    good, bad = [], []
    for number, row in numbered:
        try:
            good.append(read_clinic_line(number, dict(zip(columns, _cells(row, mark), strict=False))))
        except ValueError as error:
            bad.append(BadLine(number, str(error)))
    return good, bad


def _cells(row: str, mark: str) -> list[str]:
    return [cell.strip() for cell in next(csv.reader([row.replace("\0", "")], delimiter=mark), [])]


def read_clinic_line(number: int, cells: Mapping[str, str]) -> ClinicLine:
    """Return the line of some cells by column. Raise ValueError that names the cell that cannot be read."""
    codes = read_codes(cells.get("code", ""))
    if len(codes) != 1 or codes[0].ends or not any(one.isdigit() for one in codes[0].code) or len(codes[0].code) > 40:
        raise ValueError(f"code: {cells.get('code', '')[:40]!r} is not one billing code, such as 73721")
    written = cells.get("modifier", "")
    modifier = "" if written.lower() in {"", "none"} else parse_modifiers(written)
    if modifier is None or len(modifier) > 20:
        raise ValueError(f"modifier: {written[:40]!r} is not a modifier, such as 26")
    place = cells.get("setting", "").lower()
    setting = _SETTINGS.get(place, "")
    if place and not setting:
        raise ValueError(f"setting: {place[:40]!r} is not one of {', '.join(FOUR_SETTINGS)}")
    payer = cells.get("payer", "")
    if len(payer) > _LONGEST_PAYER:
        raise ValueError(f"payer: {payer[:40]!r} is longer than {_LONGEST_PAYER} characters")
    return ClinicLine(number, codes[0], modifier, setting, _number(cells, "units"), _number(cells, "rate"), payer)


def _number(cells: Mapping[str, str], name: str) -> float | None:
    written = cells.get(name, "")
    if not written:
        return None
    found = _NUMBER.fullmatch(written)
    if not found:
        raise ValueError(f"{name}: {written[:40]!r} is not a number, such as {'120' if name == 'units' else '412.50'}")
    return float(found[1].replace(",", "") + (found[2] or ""))
