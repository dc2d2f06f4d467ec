"""The files of the Medicare physician fee schedule: relative values, GPCIs, anesthesia factors and base units.

They are told apart by content. Numbers are kept whole: relative values in hundredths, indices in thousandths, factors
in ten-thousandths of a dollar, so that amounts can be computed exactly.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

from core.fields.billing_code import HCPCS_CODE_PATTERN, medicare_code_system, restore_leading_zeros
from core.fields.states import STATES
from core.reference import recognize
from core.reference.spreadsheets import Rows, Sheet
from core.runtime.errors import ReferenceFileError

PAYABLE = frozenset("ART")
"""Status codes under which the schedule pays: active, restricted, injections."""

ANESTHESIA_STATUS = "J"

STATUSES = {
    "A": "active",
    "B": "bundled into other services",
    "C": "priced by the contractor",
    "E": "excluded by regulation",
    "I": "not valid for Medicare",
    "J": "anesthesia",
    "M": "measurement only",
    "N": "not covered",
    "P": "bundled or excluded",
    "Q": "therapy information only",
    "R": "restricted coverage",
    "T": "injections",
    "X": "excluded by law from the schedule",
}
"""What the status codes mean. Source: CMS, the RVU files' documentation (RVU25A, "Status Code")."""

MODIFIERS = ("", "26", "TC", "53")
"""Rows the schedule has: the whole service, its reading, the scan, a discontinued one."""

MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1
    )
}  # fmt: skip
# By position: the header's names repeat.
_CODE, _MODIFIER, _STATUS, _WORK, _NONFACILITY_PE, _NONFACILITY_NA, _FACILITY_PE, _FACILITY_NA, _MP = (
    0, 1, 3, 5, 6, 7, 8, 9, 10,
)  # fmt: skip


@dataclass(frozen=True)
class RelativeValue:
    """One row of the relative value file. Values are in hundredths; a practice expense is None where NA."""

    code: str
    modifier: str
    status: str
    work: int
    nonfacility_pe: int | None
    facility_pe: int | None
    malpractice: int

    @property
    def code_type(self) -> str:
        """HCPCS for level II codes (a letter and four digits), CPT for all others."""
        return medicare_code_system(self.code)

    @property
    def payable(self) -> bool:
        """Whether the schedule pays for it by relative values."""
        return self.status in PAYABLE


@dataclass(frozen=True)
class RelativeValues:
    """A relative value file: the month its release begins, its factor in 10**-4 dollars, and all its rows."""

    release: str
    conversion_factor: int
    rows: tuple[RelativeValue, ...]


@dataclass(frozen=True)
class Locality:
    """One payment locality; the indices are in thousandths."""

    contractor: str
    state: str
    number: str
    name: str
    work: int
    pe: int
    malpractice: int


@dataclass(frozen=True)
class PhysicianFeeSchedule:
    """What one release is made of. `anesthesia` is a factor in cents by contractor and locality."""

    values: RelativeValues
    localities: tuple[Locality, ...]
    anesthesia: dict[tuple[str, str], int]
    base_units: dict[str, int]
    files: tuple[str, ...]
    notes: tuple[str, ...]


def read_fee_schedule(
    paths: Sequence[Path],
    *,
    year_month: str | None = None,
    gpci: Path | None = None,
    no_floor: bool = False,
    qpp: bool = False,
) -> PhysicianFeeSchedule:
    """Reads a relative value file and the GPCI file of its year, and where given the files for anesthesia.

    They may come in any order, and in zip files that hold other files too. Raises ReferenceFileError where one of
    the two is missing, or they are of different years.
    """
    found = recognize.gather_sheets(
        paths, (recognize.RELATIVE_VALUES, recognize.GPCI, recognize.ANESTHESIA, recognize.BASE_UNITS)
    )
    if gpci is not None:
        found[recognize.GPCI] = recognize.gather_sheets([gpci], (recognize.GPCI,))[recognize.GPCI]
    recognize.first_sheet(found, recognize.RELATIVE_VALUES)
    sheet, values = _chosen(
        [(sheet, read_relative_values(sheet, year_month)) for sheet in found[recognize.RELATIVE_VALUES]], qpp
    )
    if not found[recognize.GPCI]:
        raise ReferenceFileError(f"no GPCI file among the files; give that of {values.release[:4]} with --gpci")
    places = found[recognize.GPCI][0]
    localities, edition = read_localities(places, values.release[:4], no_floor=no_floor)
    used = [sheet, places]
    notes = [f"conversion factor {Decimal(values.conversion_factor).scaleb(-4)}", edition]
    factors: dict[tuple[str, str], int] = {}
    units: dict[str, int] = {}
    if found[recognize.ANESTHESIA] and found[recognize.BASE_UNITS]:
        used += [found[recognize.ANESTHESIA][0], found[recognize.BASE_UNITS][0]]
        factors, units = read_anesthesia_factors(used[2], values.release[:4]), read_base_units(used[3])
        for place in localities:
            if (place.contractor, place.number) not in factors:
                raise ReferenceFileError(
                    f"{used[2].name}: no anesthesia factor for contractor {place.contractor}, locality {place.number}, "
                    f"{place.name}; give the file of {values.release[:4]}"
                )
        notes.append("anesthesia is the base units times the locality's factor; Medicare adds units of time")
    elif found[recognize.ANESTHESIA] or found[recognize.BASE_UNITS]:
        notes.append("anesthesia is not priced: that takes the factors (ANES…) and CMS's file of base units, both")
    return PhysicianFeeSchedule(
        values, tuple(localities), factors, units, tuple(sheet.name for sheet in used), tuple(notes)
    )


def _chosen(read: list[tuple[Sheet, RelativeValues]], qpp: bool) -> tuple[Sheet, RelativeValues]:
    """The one file that was meant: CMS packs one table in several formats, and from 2026 with each of two factors."""
    if len({values.release for _, values in read}) > 1:
        raise ReferenceFileError(
            f"several releases ({', '.join(sheet.name for sheet, _ in read)}); load them one at a time"
        )
    factors = sorted({values.conversion_factor for _, values in read})
    if qpp and len(factors) == 1:
        raise ReferenceFileError(
            f"--qpp chooses between two conversion factors; {read[0][0].name} has one only, "
            f"{Decimal(factors[0]).scaleb(-4)}; give the QPP file, without --qpp or with the other file"
        )
    # The factor of qualifying participants is the higher one by law: 42 U.S.C. 1395w-4(d)(20).
    wanted = factors[-1] if qpp else factors[0]
    return next(one for one in read if one[1].conversion_factor == wanted)


def read_relative_values(sheet: Sheet, year_month: str | None = None) -> RelativeValues:
    """The relative values of a PPRRVU file. Raises ReferenceFileError where the file does not say what it must."""
    name, rows = sheet.name, sheet.rows
    header = recognize.find_header(rows, recognize.RELATIVE_VALUES) or 0
    if "FACTOR" not in rows[header]:
        raise ReferenceFileError(f"{name}: no conversion factor column; expected one headed CONV FACTOR")
    factor = rows[header].index("FACTOR")
    found: list[RelativeValue] = []
    factors: set[int] = set()
    for number, row in enumerate(rows[header + 1 :], header + 2):
        if len(row) <= factor or not re.fullmatch(HCPCS_CODE_PATTERN, restore_leading_zeros(row[_CODE])):
            continue  # footnotes, and the \x1a that ends some of the files
        try:
            found.append(_relative_value(row))
            factors.add(_scaled(row[factor], 4))
        except ValueError as error:
            raise ReferenceFileError(f"{name}: row {number}, code {row[_CODE]}: {error}") from None
    if len(factors) != 1:
        raise ReferenceFileError(f"{name}: {len(factors)} conversion factors; expected one for the whole file")
    keys = Counter((value.code, value.modifier) for value in found)
    twice, times = keys.most_common(1)[0]
    if times > 1:
        raise ReferenceFileError(f"{name}: code {' '.join(twice).strip()} stands there {times} times; expected once")
    release = year_month or _release(rows[:header], sheet.file)
    if release is None:
        raise ReferenceFileError(
            f"{name}: neither the title rows nor the file's name say which release this is (expected '2025 … Relative "
            "Value File October Release'); name its first month with --year-month"
        )
    return RelativeValues(release, factors.pop(), tuple(found))


def _relative_value(row: list[str]) -> RelativeValue:
    return RelativeValue(
        restore_leading_zeros(row[_CODE]),
        row[_MODIFIER],
        row[_STATUS],
        _scaled(row[_WORK], 2),
        None if row[_NONFACILITY_NA] == "NA" else _scaled(row[_NONFACILITY_PE], 2),
        None if row[_FACILITY_NA] == "NA" else _scaled(row[_FACILITY_PE], 2),
        _scaled(row[_MP], 2),
    )


def _release(titles: Rows, file: str) -> str | None:
    """The month a release begins: '2025 … October Release' in the titles, else PPRRVU25_OCT in the file's name."""
    for row in titles:
        said = re.search(r"(20\d\d).*Relative Value File\W+(\w{3})\w* Release", " ".join(row), re.IGNORECASE)
        if said and said[2].lower() in MONTHS:
            return f"{said[1]}-{MONTHS[said[2].lower()]:02}"
    named = re.search(r"PPRRVU(?:20)?(\d\d)_?([A-Z]{3})", file, re.IGNORECASE)
    if named and named[2].lower() in MONTHS:
        return f"20{named[1]}-{MONTHS[named[2].lower()]:02}"
    return None


def read_localities(sheet: Sheet, year: str, *, no_floor: bool) -> tuple[list[Locality], str]:
    """The localities of a GPCI file, and a sentence on its work GPCI: with the 1.0 floor unless `no_floor`.

    Raises ReferenceFileError where the file is for another year or does not have the columns.
    """
    name, rows = sheet.name, sheet.rows
    header = recognize.find_header(rows, recognize.GPCI) or 0
    titles = [recognize.normalize_title(cell) for cell in rows[header]]
    years = set(re.findall(r"20\d\d", " ".join(" ".join(row) for row in rows[: header + 1])))
    if year not in years:
        raise ReferenceFileError(
            f"{name}: this GPCI file is for {', '.join(sorted(years)) or 'no year it names'}; the relative values are "
            f"of {year}: give the GPCI file of that year"
        )
    work = {"WITHOUT" in title: n for n, title in enumerate(titles) if "GPCI" in title and re.search("PW|WORK", title)}
    columns = {
        "state": _column(titles, "STATE"),
        "number": _column(titles, "LOCALITY NUMBER"),
        "name": _column(titles, "LOCALITY NAME"),
        "pe": _column(titles, "PE GPCI"),
        "malpractice": _column(titles, "MP GPCI"),
    }
    if not work or None in columns.values():
        raise ReferenceFileError(
            f"{name}: expected the columns State, Locality Number, Locality Name, PW, PE and MP GPCI"
        )
    if no_floor and True not in work:
        raise ReferenceFileError(f"{name}: has no work GPCI without the 1.0 floor; leave out --no-floor")
    used = no_floor or False not in work
    columns["work"] = work[used]
    found = [
        _locality(name, row, {field: row[column] for field, column in columns.items() if column is not None})
        for row in rows[header + 1 :]
        if len(row) >= len(titles) and re.fullmatch(r"\d{4,5}", row[0])  # not the footnotes
    ]
    if not found:
        raise ReferenceFileError(f"{name}: no localities below the header")
    return found, f"work GPCI {'without' if used else 'with'} the 1.0 floor"


def _locality(name: str, row: list[str], cells: dict[str, str]) -> Locality:
    if cells["state"] not in STATES:
        raise ReferenceFileError(f"{name}: {cells['state']!r} is no state; expected two letters")
    try:
        return Locality(
            row[0].zfill(5),
            cells["state"],
            cells["number"].zfill(2),
            cells["name"].rstrip("*"),
            _scaled(cells["work"], 3),
            _scaled(cells["pe"], 3),
            _scaled(cells["malpractice"], 3),
        )
    except ValueError as error:
        raise ReferenceFileError(f"{name}: locality {row[0]} {cells['number']}: {error}") from None


def read_anesthesia_factors(sheet: Sheet, year: str) -> dict[tuple[str, str], int]:
    """The anesthesia factor of each contractor and locality, in cents. The file's name tells its year, if anything."""
    named = re.search(r"20\d\d", sheet.file)
    if named and named[0] != year:
        raise ReferenceFileError(
            f"{sheet.name}: these anesthesia factors are for {named[0]}, the relative values for {year}"
        )
    header = recognize.find_header(sheet.rows, recognize.ANESTHESIA) or 0
    try:
        factors = {
            (row[0].zfill(5), row[1].zfill(2)): _scaled(row[3].lstrip("$"), 2)
            for row in sheet.rows[header + 1 :]
            if len(row) > 3 and re.fullmatch(r"\d{4,5}", row[0])
        }
    except ValueError as error:
        raise ReferenceFileError(f"{sheet.name}: {error}; expected the factor in the fourth column") from None
    return factors


def read_base_units(sheet: Sheet) -> dict[str, int]:
    """The base units of each anesthesia code, from CMS's 'Anesthesia Base Units by CPT Code'."""
    header = recognize.find_header(sheet.rows, recognize.BASE_UNITS) or 0
    titles = [recognize.normalize_title(cell) for cell in sheet.rows[header]]
    units = _column(titles, "BASE UNIT") or 0
    code = next(n for n, title in enumerate(titles) if n != units and ("CODE" in title or "CPT" in title))
    found = {}
    for row in sheet.rows[header + 1 :]:
        if len(row) > max(code, units) and re.fullmatch(r"\d{3,5}", row[code]):
            if not re.fullmatch(r"\d{1,2}", row[units]):
                raise ReferenceFileError(f"{sheet.name}: code {row[code]}: {row[units]!r} is no number of base units")
            found[restore_leading_zeros(row[code])] = int(row[units])
    return found


def _column(titles: list[str], wanted: str) -> int | None:
    return next((n for n, title in enumerate(titles) if wanted in title), None)


def _scaled(text: str, decimals: int) -> int:
    """A decimal as a whole number of 10**-decimals. Raises ValueError where it is none, or has more decimals."""
    try:
        scaled = Decimal(text).scaleb(decimals)
    except InvalidOperation:
        raise ValueError(f"{text!r} is no number") from None
    if not scaled.is_finite() or scaled != scaled.to_integral_value():
        raise ValueError(f"{text!r} has more than {decimals} decimals")
    return int(scaled)
