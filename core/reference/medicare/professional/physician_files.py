"""Read the files of the Medicare physician fee schedule: relative values and GPCIs, and what comes with them.

They are recognized by content. Numbers are kept whole (relative values in hundredths, indices in thousandths,
conversion factors in ten-thousandths of a dollar), so that amounts can be computed exactly.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from core.fields.codes.billing_code import HCPCS_CODE_PATTERN, medicare_code_system, restore_leading_zeros
from core.fields.places.states import STATES
from core.reference import recognize
from core.reference.benchmark_release import NATION
from core.reference.medicare.month_names import MONTH_NAME_PATTERN, release_month
from core.reference.medicare.professional.anesthesia_files import (
    read_anesthesia_factors,
    read_base_units,
    require_factors,
)
from core.reference.medicare.professional.imaging_caps import ImagingCaps, read_imaging_caps
from core.reference.medicare.scaled_numbers import scale_decimal
from core.reference.spreadsheets import Rows, Sheet
from core.runtime.errors import ReferenceFileError

PAYABLE = frozenset("ART")
"""Status codes under which the schedule pays: active, restricted, injections."""

ANESTHESIA_STATUS = "J"
"""The status of codes that are paid by base units and time, not by relative values."""

CONTRACTOR_STATUS = "C"
"""The status of codes that each contractor prices. CMS publishes no amount for them, but limits some of imaging."""

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
"""The rows a code may have: the whole service, its professional and technical components, a discontinued procedure."""

# Columns go by position: the header is spread over several rows and its names repeat ("PE RVU", "NA INDICATOR").
_CODE, _MODIFIER, _STATUS, _WORK, _NONFACILITY_PE, _NONFACILITY_NA, _FACILITY_PE, _FACILITY_NA, _MP = (
    0, 1, 3, 5, 6, 7, 8, 9, 10,
)  # fmt: skip


@dataclass(frozen=True)
class RelativeValue:
    """One row of the relative value file. Values are in hundredths.

    A practice expense that is flagged NA is the other setting's, as the file has it: CMS's own payment file has the
    same amount in both columns then. `cap_pe` and `cap_malpractice` are the values of the outpatient price that an
    imaging service's amount may not exceed (zero where it has no such limit).
    """

    code: str
    modifier: str
    status: str
    work: int
    nonfacility_pe: int
    facility_pe: int
    malpractice: int
    nonfacility_na: bool = False
    facility_na: bool = False
    cap_pe: int = 0
    cap_malpractice: int = 0

    @property
    def code_type(self) -> str:
        """CPT or HCPCS."""
        return medicare_code_system(self.code)

    @property
    def payable(self) -> bool:
        """Whether the schedule pays for the code by relative values."""
        return self.status in PAYABLE


@dataclass(frozen=True)
class RelativeValues:
    """A relative value file: the month its release begins, its conversion factor in 10**-4 dollars, and its rows."""

    release: str
    conversion_factor: int
    rows: tuple[RelativeValue, ...]


@dataclass(frozen=True)
class Locality:
    """One payment locality, with its geographic practice cost indices in thousandths."""

    contractor: str
    state: str
    number: str
    name: str
    work: int
    pe: int
    malpractice: int


NATIONAL_AMOUNTS = Locality(
    contractor="00000",
    state=NATION,
    number="00",
    name="NATIONAL",
    work=1_000,
    pe=1_000,
    malpractice=1_000,
)
"""The amounts before they are adjusted to a place, as if they were those of one more locality.

Many contracts name these. Nobody is paid them by Medicare, so that they are in no state and no state's mean.
"""


@dataclass(frozen=True)
class PhysicianFeeSchedule:
    """The parts of one release. `anesthesia` has each locality's factor in cents, by contractor and locality number.

    `caps` are the amounts of the OPPSCAP file, empty if it is not among the files.
    """

    values: RelativeValues
    localities: tuple[Locality, ...]
    anesthesia: dict[tuple[str, str], int]
    base_units: dict[str, int]
    files: tuple[str, ...]
    notes: tuple[str, ...]
    caps: ImagingCaps = field(default_factory=dict)


def read_fee_schedule(
    paths: Sequence[Path],
    *,
    year_month: str | None = None,
    gpci: Path | None = None,
    no_floor: bool = False,
    qpp: bool = False,
) -> PhysicianFeeSchedule:
    """Read a relative value file, the GPCI file of its year, and the files of imaging caps and anesthesia if given.

    They may come in any order, and in zip files that contain other files as well. Raise ReferenceFileError if one of
    the first two is missing or they are for different years.
    """
    sheets = recognize.gather_sheets(
        paths,
        (recognize.RELATIVE_VALUES, recognize.GPCI, recognize.OPPS_CAP, recognize.ANESTHESIA, recognize.BASE_UNITS),
    )
    if gpci is not None:
        sheets[recognize.GPCI] = recognize.gather_sheets([gpci], (recognize.GPCI,))[recognize.GPCI]
    recognize.first_sheet(sheets, recognize.RELATIVE_VALUES)
    values_sheet, values = _choose_values(
        [(sheet, read_relative_values(sheet, year_month)) for sheet in sheets[recognize.RELATIVE_VALUES]], qpp=qpp
    )
    year = values.release[:4]
    if not sheets[recognize.GPCI]:
        raise ReferenceFileError(f"no GPCI file among the files; give that of {year} with --gpci")
    gpci_sheet = sheets[recognize.GPCI][0]
    localities, edition = read_localities(gpci_sheet, year, no_floor=no_floor)
    used = [values_sheet, gpci_sheet]
    notes = [f"conversion factor {Decimal(values.conversion_factor).scaleb(-4)}", edition]
    caps: ImagingCaps = {}
    if sheets[recognize.OPPS_CAP]:
        used.append(sheets[recognize.OPPS_CAP][0])
        caps = read_imaging_caps(used[-1])
    factors: dict[tuple[str, str], int] = {}
    units: dict[str, int] = {}
    if sheets[recognize.ANESTHESIA] and sheets[recognize.BASE_UNITS]:
        factors_sheet, units_sheet = sheets[recognize.ANESTHESIA][0], sheets[recognize.BASE_UNITS][0]
        used += [factors_sheet, units_sheet]
        factors, units = read_anesthesia_factors(factors_sheet, year), read_base_units(units_sheet)
        require_factors(
            factors_sheet, factors, {(place.contractor, place.number): place.name for place in localities}, year
        )
        notes.append("anesthesia is the base units times the locality's factor; Medicare adds units of time")
    elif sheets[recognize.ANESTHESIA] or sheets[recognize.BASE_UNITS]:
        notes.append("anesthesia is not priced: that takes both the factors (ANES…) and CMS's file of base units")
    return PhysicianFeeSchedule(
        values=values,
        localities=tuple(localities),
        anesthesia=factors,
        base_units=units,
        caps=caps,
        files=tuple(sheet.name for sheet in used),
        notes=tuple(notes),
    )


def _choose_values(read: list[tuple[Sheet, RelativeValues]], *, qpp: bool) -> tuple[Sheet, RelativeValues]:
    """Return the one file that was meant.

    CMS packs one table in several formats, and since 2026 once with each of two conversion factors.
    """
    if len({values.release for _, values in read}) > 1:
        raise ReferenceFileError(
            f"several releases ({', '.join(sheet.name for sheet, _ in read)}); load them one at a time"
        )
    factors = sorted({values.conversion_factor for _, values in read})
    if qpp and len(factors) == 1:
        raise ReferenceFileError(
            f"--qpp chooses between two conversion factors; {read[0][0].name} has only one, "
            f"{Decimal(factors[0]).scaleb(-4)}; give the QPP file, either without --qpp or together with the other file"
        )
    # The factor of qualifying APM participants is the higher one by law: 42 U.S.C. 1395w-4(d)(20).
    wanted = factors[-1] if qpp else factors[0]
    return next((sheet, values) for sheet, values in read if values.conversion_factor == wanted)


def read_relative_values(sheet: Sheet, year_month: str | None = None) -> RelativeValues:
    """Return the relative values of a PPRRVU file. Raise ReferenceFileError if it is not as CMS publishes it."""
    name, rows = sheet.name, sheet.rows
    header = recognize.find_header(rows, recognize.RELATIVE_VALUES) or 0
    if "FACTOR" not in rows[header]:
        raise ReferenceFileError(f"{name}: no conversion factor column; expected one headed CONV FACTOR")
    factor = rows[header].index("FACTOR")
    # "Non-facility PE, facility PE, and MP used for OPPS payment amount": three titles of four rows each. The two
    # practice expenses have been equal in every file.
    outpatient = [n for n, title in enumerate(rows[header]) if title == "AMOUNT"]
    caps = (outpatient[0], outpatient[2]) if len(outpatient) == 3 else None
    found: list[RelativeValue] = []
    factors: set[int] = set()
    for number, row in enumerate(rows[header + 1 :], header + 2):
        if len(row) <= max(factor, *(caps or (0,))) or not re.fullmatch(
            HCPCS_CODE_PATTERN, restore_leading_zeros(row[_CODE])
        ):
            continue  # footnotes, and the end-of-file mark \x1a that ends some of the files
        try:
            found.append(_parse_relative_value(row, caps))
            factors.add(scale_decimal(row[factor], 4))
        except ValueError as error:
            raise ReferenceFileError(f"{name}: row {number}, code {row[_CODE]}: {error}") from None
    if len(factors) != 1:
        raise ReferenceFileError(f"{name}: {len(factors)} conversion factors; expected one for the whole file")
    keys = Counter((value.code, value.modifier) for value in found)
    twice, times = keys.most_common(1)[0]
    if times > 1:
        raise ReferenceFileError(f"{name}: code {' '.join(twice).strip()} is in it {times} times; expected once")
    release = year_month or _read_release(rows[:header], sheet.file)
    if release is None:
        raise ReferenceFileError(
            f"{name}: neither the title rows nor the file's name say which release this is (expected '2025 … Relative "
            "Value File October Release'); name its first month with --year-month"
        )
    return RelativeValues(release, factors.pop(), tuple(found))


def _parse_relative_value(row: list[str], caps: tuple[int, int] | None) -> RelativeValue:
    return RelativeValue(
        code=restore_leading_zeros(row[_CODE]),
        modifier=row[_MODIFIER],
        status=row[_STATUS],
        work=scale_decimal(row[_WORK], 2),
        nonfacility_pe=scale_decimal(row[_NONFACILITY_PE], 2),
        facility_pe=scale_decimal(row[_FACILITY_PE], 2),
        malpractice=scale_decimal(row[_MP], 2),
        nonfacility_na=row[_NONFACILITY_NA] == "NA",
        facility_na=row[_FACILITY_NA] == "NA",
        cap_pe=scale_decimal(row[caps[0]], 2) if caps else 0,
        cap_malpractice=scale_decimal(row[caps[1]], 2) if caps else 0,
    )


def _read_release(titles: Rows, file: str) -> str | None:
    """Return the month a release begins: `2025 … October Release` in a title, else PPRRVU25_OCT in the file's name."""
    title = rf"(20\d\d).*Relative Value File\W+({MONTH_NAME_PATTERN})\w* Release"
    for row in titles:
        if found := re.search(title, " ".join(row), re.IGNORECASE):
            return release_month(found[1], found[2])
    found = re.search(rf"PPRRVU(?:20)?(\d\d)_?({MONTH_NAME_PATTERN})", file, re.IGNORECASE)
    return release_month(f"20{found[1]}", found[2]) if found else None


def read_localities(sheet: Sheet, year: str, *, no_floor: bool) -> tuple[list[Locality], str]:
    """Return the localities of a GPCI file, and a note on the work GPCI used: with the 1.0 floor unless `no_floor`.

    Raise ReferenceFileError if the file is for another year or lacks a column.
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
    # Some editions have the work GPCI twice, with and without the 1.0 floor that Congress renews from time to time.
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
        _parse_locality(name, row, {field: row[column] for field, column in columns.items() if column is not None})
        for row in rows[header + 1 :]
        if len(row) >= len(titles) and re.fullmatch(r"\d{4,5}", row[0])  # not the footnotes
    ]
    if not found:
        raise ReferenceFileError(f"{name}: no localities below the header")
    return found, f"work GPCI {'without' if used else 'with'} the 1.0 floor"


def _parse_locality(name: str, row: list[str], cells: dict[str, str]) -> Locality:
    if cells["state"] not in STATES:
        raise ReferenceFileError(f"{name}: {cells['state']!r} is not a state; expected two letters")
    try:
        return Locality(
            contractor=row[0].zfill(5),
            state=cells["state"],
            number=cells["number"].zfill(2),
            name=cells["name"].rstrip("*"),  # marks of footnotes
            work=scale_decimal(cells["work"], 3),
            pe=scale_decimal(cells["pe"], 3),
            malpractice=scale_decimal(cells["malpractice"], 3),
        )
    except ValueError as error:
        raise ReferenceFileError(f"{name}: locality {row[0]} {cells['number']}: {error}") from None


def _column(titles: list[str], wanted: str) -> int | None:
    return next((n for n, title in enumerate(titles) if wanted in title), None)
