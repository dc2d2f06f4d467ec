"""Read CMS's files on anesthesia: the conversion factors of each locality, and the base units of each code.

Medicare pays for anesthesia (base units + units of time) x the locality's conversion factor: 42 CFR 414.46.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from core.fields.codes.billing_code import restore_leading_zeros
from core.reference import recognize
from core.reference.medicare.scaled_numbers import parse_money
from core.reference.spreadsheets import Sheet
from core.runtime.errors import ReferenceFileError

_CONTRACTOR, _LOCALITY, _NAME = 0, 1, 2


@dataclass(frozen=True)
class AnesthesiaFactor:
    """The conversion factor of one locality, in cents for a unit."""

    contractor: str
    locality: str
    name: str
    cents: int


def read_factors(sheet: Sheet) -> list[AnesthesiaFactor]:
    """Return the factor of each locality. Raise ReferenceFileError if the file is not as CMS publishes it."""
    header = recognize.find_header(sheet.rows, recognize.ANESTHESIA) or 0
    titles = recognize.header_titles(sheet.rows, recognize.ANESTHESIA)
    # The RVU file's table has the factor in the fourth column, the stand-alone one after three columns of GPCIs.
    column = next(n for n, title in enumerate(titles) if "ANES" in title)
    found: dict[tuple[str, str], AnesthesiaFactor] = {}
    for number, row in enumerate(sheet.rows[header + 1 :], header + 2):
        if len(row) <= column or not re.fullmatch(r"\d{4,5}", row[_CONTRACTOR]):
            continue  # notes
        key = row[_CONTRACTOR].zfill(5), row[_LOCALITY].zfill(2)
        try:
            cents = parse_money(row[column])
        except ValueError as error:
            raise ReferenceFileError(
                f"{sheet.name}: row {number}: {error}; expected the factor in column {column + 1}"
            ) from None
        factor = AnesthesiaFactor(*key, row[_NAME].rstrip("*"), cents)
        if found.setdefault(key, factor) != factor:
            raise ReferenceFileError(
                f"{sheet.name}: row {number}: locality {key[1]} of contractor {key[0]} has two factors; expected one"
            )
    return list(found.values())


def read_anesthesia_factors(sheet: Sheet, year: str) -> dict[tuple[str, str], int]:
    """Return the factors in cents, by contractor and locality. Raise ReferenceFileError if they are of another year."""
    named = named_year(sheet, recognize.ANESTHESIA)
    if named and named != year:
        raise ReferenceFileError(
            f"{sheet.name}: these anesthesia factors are for {named}, the relative values for {year}"
        )
    return {(factor.contractor, factor.locality): factor.cents for factor in read_factors(sheet)}


def require_factors(
    sheet: Sheet, factors: Mapping[tuple[str, str], int], localities: Mapping[tuple[str, str], str], year: str
) -> None:
    """Raise ReferenceFileError if a locality, by contractor and number to its name, has no factor."""
    for (contractor, number), name in localities.items():
        if (contractor, number) not in factors:
            raise ReferenceFileError(
                f"{sheet.name}: no anesthesia factor for contractor {contractor}, locality {number}, {name}; give the "
                f"file of {year}"
            )


def read_base_units(sheet: Sheet) -> dict[str, int]:
    """Return the base units of each anesthesia code, from CMS's 'Anesthesia Base Units by CPT Code'.

    Zero units (01999) are read too: they mean that the code is priced by report.
    """
    header = recognize.find_header(sheet.rows, recognize.BASE_UNITS) or 0
    titles = recognize.header_titles(sheet.rows, recognize.BASE_UNITS)
    units = next(n for n, title in enumerate(titles) if "BASE UNIT" in title)
    code = next(n for n, title in enumerate(titles) if n != units and ("CODE" in title or "CPT" in title))
    found: dict[str, int] = {}
    for row in sheet.rows[header + 1 :]:
        if len(row) <= max(code, units) or not re.fullmatch(r"\d{3,5}", row[code]):
            continue
        if not re.fullmatch(r"\d{1,2}", row[units]):
            raise ReferenceFileError(
                f"{sheet.name}: code {row[code]}: {row[units]!r} is not a number of base units; expected one or two "
                "digits"
            )
        name = restore_leading_zeros(row[code])
        if found.setdefault(name, int(row[units])) != int(row[units]):
            raise ReferenceFileError(f"{sheet.name}: code {name} has two numbers of base units; expected one")
    return found


def named_year(sheet: Sheet, kind: str) -> str | None:
    """Return the year that the file's name, a title above the table or a column's title says, or None."""
    header = recognize.find_header(sheet.rows, kind) or 0
    titles = [" ".join(row) for row in sheet.rows[:header]]
    for text in (sheet.file, *titles, " ".join(recognize.header_titles(sheet.rows, kind))):
        # 12/23/2024 is when a file was updated, not what it is for.
        if found := re.search(r"(?<![/\d])20\d\d(?!\d)", text):
            return found[0]
    return None
