"""Read lists of organizations: the user's own, the IRS's, CMS's and AHRQ's hospitals, and hospitals' price files."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from core.fields.places.states import parse_state
from core.fields.providers.payer_slug import make_payer_slug
from core.fields.providers.tin import parse_tin
from core.fields.texts.text import fit_text
from core.reference import recognize
from core.reference.read_counts import ReadCounts
from core.reference.spreadsheets import Sheet, read_sheets
from core.runtime.errors import ReferenceFileError
from core.store.schema.columns import MAX_NAME
from core.store.schema.tables import LISTED_ORGANIZATION

USER_FILE, IRS, HOSPITAL_LIST = "user file", "irs", "hospital list"
"""The values of `source` in the table listed_organization."""

ORGANIZATION_FILES = (
    recognize.OWN_ORGANIZATIONS,
    recognize.EXEMPT_ORGANIZATIONS,
    recognize.CARE_COMPARE,
    recognize.SYSTEM_HOSPITALS,
    recognize.HOSPITAL_PRICE_FILES,
)
"""The kinds of files that say who bills under a tax ID, or which system a hospital is part of."""

_NO_TIN, _NO_NAME, _NO_CCN, _REPEATED, _OLDER = (
    "no tax ID", "no name", "no certification number", "repeated", "older than another row",
)  # fmt: skip

# A price file is named with the hospital's EIN first (45 CFR 180.50(d)(5)): 581954432_…, 58-1954432_…; some put a date
# or a name before it. NPIs have ten digits and are not taken for one.
_EIN_IN_NAME = re.compile(r"(?<!\d)(\d{2}-?\d{7})(?!\d)")

Row = dict[str, Any]


@dataclass
class OrganizationFiles:
    """The contents of all files given, by the keys of the tables listed_organization and hospital."""

    files: list[ReadCounts] = field(default_factory=list)
    listed: dict[tuple[str, str, str, str], Row] = field(default_factory=dict)
    hospitals: dict[str, Row] = field(default_factory=dict)


def read_organization_files(paths: list[Path]) -> OrganizationFiles:
    """Read files of ORGANIZATION_FILES, recognized by content. Raise ReferenceFileError for any other file."""
    found = OrganizationFiles()
    for path in paths:
        seen: set[str] = set()
        for sheet in _sheets(path):
            kind = recognize.kind_of_sheet(sheet)
            if kind is not None:
                seen.add(kind)
            if kind in ORGANIZATION_FILES:
                file = ReadCounts(sheet.file, kind)
                found.files.append(file)
                _READERS[kind](_rows(sheet, kind), file, found)
        if not seen & set(ORGANIZATION_FILES):
            raise ReferenceFileError(f"{path.name}: {recognize.describe_unwanted(seen, ORGANIZATION_FILES)}")
    return found


def ein_of_price_file(address: str) -> str | None:
    """Return the EIN in the name of a hospital's price file, given by its address or its name; None for none."""
    parts = [part for part in unquote(urlsplit(address).path).split("/") if part]
    found = _EIN_IN_NAME.search(parts[-1]) if parts else None
    tin = parse_tin("ein", found.group(1)) if found else None
    return tin[1] if tin else None


def _sheets(path: Path) -> Iterator[Sheet]:
    """Yield the tables of a file. A JSON array, or a JSON object on each line, is a table with a header."""
    try:
        with path.open("rb") as file:
            first = file.read(1000).lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
        content = path.read_text(encoding="utf-8-sig") if first in {b"[", b"{"} else ""
    except OSError as error:
        raise ReferenceFileError(f"{path}: cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise ReferenceFileError(f"{path.name}: not UTF-8; expected JSON in UTF-8") from None
    if not content:
        yield from read_sheets(path)
        return
    try:
        objects = json.loads(content) if first == b"[" else [json.loads(line) for line in content.splitlines() if line]
    except ValueError as error:
        raise ReferenceFileError(f"{path.name}: not JSON: {error}; expected a list of objects, or one a line") from None
    if not all(isinstance(one, dict) for one in objects):
        raise ReferenceFileError(f"{path.name}: expected a list of JSON objects, or one object on each line")
    names = list(dict.fromkeys(name for one in objects for name in one))
    rows = [["" if one.get(name) is None else str(one[name]) for name in names] for one in objects]
    yield Sheet(path, "", "", [names, *rows])


def _rows(sheet: Sheet, kind: str) -> Iterator[dict[str, str]]:
    """Yield the rows below the header that are not blank, by the titles of their columns."""
    header = recognize.find_header(sheet.rows, kind)
    if header is None:
        raise ValueError(f"{sheet.name}: no header of {kind}")
    titles = [recognize.normalize_title(cell) for cell in sheet.rows[header]]
    for row in sheet.rows[header + 1 :]:
        if any(row):
            yield {title: cell.strip() for title, cell in zip(titles, row, strict=False)}


def _read_own(rows: Iterator[dict[str, str]], file: ReadCounts, found: OrganizationFiles) -> None:
    for row in rows:
        title = next(title for title in row if title in recognize.TAX_ID_TITLES)
        tin = parse_tin(row.get("TIN_TYPE") or row.get("TYPE") or _guess_type(row[title]), row[title])
        listed = {
            "name": row.get("NAME") or row.get("ORGANIZATION"),
            "organization_name": row.get("ORGANIZATION"),
            "system_name": row.get("SYSTEM"),
            **_place(row.get("CITY"), row.get("STATE"), row.get("ZIP")),
            "as_of": _day(row.get("AS_OF") or row.get("UPDATED") or row.get("DATE")),
        }
        if tin is None:
            file.left_out[_NO_TIN] += 1
        elif not listed["name"] and not listed["system_name"]:
            file.left_out[_NO_NAME] += 1
        else:
            _put_listed(found, file, (*tin, USER_FILE, ""), listed)


def _guess_type(number: str) -> str:
    """Return the type of a tax ID without one: ten digits are an NPI."""
    return "npi" if sum(map(str.isdigit, number)) == 10 else "ein"


def _read_exempt(rows: Iterator[dict[str, str]], file: ReadCounts, found: OrganizationFiles) -> None:
    for row in rows:
        tin = parse_tin("ein", row["EIN"])
        if tin is None:
            file.left_out[_NO_TIN] += 1
        elif not row["NAME"]:
            file.left_out[_NO_NAME] += 1
        else:
            place = _place(row.get("CITY"), row.get("STATE"), row.get("ZIP"))
            _put_listed(found, file, (*tin, IRS, ""), {"name": row["NAME"], **place, "as_of": None})


def _read_care_compare(rows: Iterator[dict[str, str]], file: ReadCounts, found: OrganizationFiles) -> None:
    for row in rows:
        place = _place(row.get("CITY/TOWN") or row.get("CITY"), row.get("STATE"), row.get("ZIP CODE"))
        _put_hospital(
            found, file, row["FACILITY ID"], {"name": row["FACILITY NAME"], "address": row.get("ADDRESS"), **place}
        )


def _read_system_hospitals(rows: Iterator[dict[str, str]], file: ReadCounts, found: OrganizationFiles) -> None:
    for row in rows:
        place = _place(row.get("HOSPITAL_CITY"), row.get("HOSPITAL_STATE"), row.get("HOSPITAL_ZIP"))
        in_system = bool(row["HEALTH_SYS_ID"] and row["HEALTH_SYS_NAME"])
        system = {
            "system_id": row["HEALTH_SYS_ID"],
            "system_name": row["HEALTH_SYS_NAME"],
            "system_city": row.get("HEALTH_SYS_CITY"),
            "system_state": parse_state(row.get("HEALTH_SYS_STATE") or ""),
            "system_file": file.name,
        }
        _put_hospital(
            found,
            file,
            row["CCN"],
            {
                "name": row["HOSPITAL_NAME"],
                "address": row.get("HOSPITAL_STREET"),
                **place,
                # A newer list in which the hospital has no system takes it out of the one of an older list.
                **(system if in_system else {**dict.fromkeys(system), "system_file": file.name}),
            },
        )


def _read_price_files(rows: Iterator[dict[str, str]], file: ReadCounts, found: OrganizationFiles) -> None:
    for row in rows:
        ein = next(
            (
                ein
                for title in ("FILE_URL", "MRF_URL", "SOURCE_FILENAME")
                if row.get(title) and (ein := ein_of_price_file(row[title]))
            ),
            None,
        )
        ccn, name = row.get("CCN", ""), row.get("HOSPITAL_NAME") or row.get("HOSPITAL") or row.get("LOCATION_NAME")
        if ein is None:
            file.left_out[_NO_TIN] += 1
        elif not name:
            file.left_out[_NO_NAME] += 1
        else:
            key = ("ein", ein, HOSPITAL_LIST, _ccn(ccn) or make_payer_slug(name))
            _put_listed(found, file, key, {"name": name, "system_name": row.get("SYSTEM"), "as_of": None})


_READERS = {
    recognize.OWN_ORGANIZATIONS: _read_own,
    recognize.EXEMPT_ORGANIZATIONS: _read_exempt,
    recognize.CARE_COMPARE: _read_care_compare,
    recognize.SYSTEM_HOSPITALS: _read_system_hospitals,
    recognize.HOSPITAL_PRICE_FILES: _read_price_files,
}


def _put_listed(
    found: OrganizationFiles, file: ReadCounts, key: tuple[str, str, str, str], row: dict[str, str | None]
) -> None:
    """Add what a row says of a tax ID. Of rows with one key, the one with the newest date stays, then the last."""
    before = found.listed.get(key)
    if before and (row.get("as_of") or "") < (before["as_of"] or ""):
        file.left_out[_OLDER] += 1
        return
    if before:
        # The row that is replaced is no longer kept, whichever file it came from.
        before["_file"].kept -= 1
        before["_file"].left_out[_REPEATED] += 1
    names = dict(zip(LISTED_ORGANIZATION.key, key, strict=True))
    found.listed[key] = {**names, **_fitted(row), "file": fit_text(file.name, MAX_NAME)[0], "_file": file}
    file.kept += 1


def _put_hospital(found: OrganizationFiles, file: ReadCounts, number: str, row: dict[str, str | None]) -> None:
    """Add what a row says of a hospital; a later list adds what the earlier did not say, and replaces what it did."""
    ccn = _ccn(number)
    if ccn is None:
        file.left_out[_NO_CCN] += 1
    elif not row["name"]:
        file.left_out[_NO_NAME] += 1
    elif found.hospitals.get(ccn, {}).get("_file") is file:
        file.left_out[_REPEATED] += 1
    else:
        found.hospitals[ccn] = {**found.hospitals.get(ccn, {}), **_fitted(row), "ccn": ccn, "_file": file}
        file.kept += 1


def _fitted(row: dict[str, str | None]) -> Row:
    return {name: fit_text(value, MAX_NAME)[0] if value else None for name, value in row.items()}


def _ccn(number: str) -> str | None:
    """Return a CMS certification number, which is text: 010001, and 01014F for a veterans' hospital."""
    text = number.strip().upper()
    # A spreadsheet that took the column for numbers has dropped the zero of the states 01 to 09.
    text = text.zfill(6) if text.isdigit() and len(text) == 5 else text
    return text if re.fullmatch(r"[0-9]{2}[0-9A-Z][0-9]{2}[0-9A-Z]", text) else None


def _place(city: str | None, state: str | None, zip_code: str | None) -> dict[str, str | None]:
    digits = re.match(r"\d{5}", (zip_code or "").strip())
    return {"city": (city or "").upper() or None, "state": parse_state(state or ""), "zip": digits and digits.group()}


def _day(text: str | None) -> str | None:
    """Return a date as YYYY-MM-DD: 2026-01-31, 2026-01, or 1/31/2026. None for anything else."""
    if not text:
        return None
    if found := re.fullmatch(r"(\d{4})-(\d\d)(?:-(\d\d))?", text[:10]):
        year, month, day = found.group(1), found.group(2), found.group(3) or "01"
    elif found := re.fullmatch(r"(\d{1,2})/(\d{1,2})/(\d{4})", text):
        month, day, year = found.groups()
    else:
        return None
    try:
        return date(int(year), int(month), int(day)).isoformat()
    except ValueError:
        return None
