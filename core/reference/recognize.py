"""Recognize agencies' files by content, so that a wrong file is refused with the name of what it is."""

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import partial
from itertools import zip_longest
from pathlib import Path, PurePosixPath

from core.fields.codes.billing_code import HCPCS_CODE_PATTERN
from core.reference.spreadsheets import HEADER_WITHIN_ROWS, Rows, Sheet, read_sheets
from core.runtime.errors import ReferenceFileError

STATE_AMOUNT_TITLE = r"([A-Z]{2}) ?\((NR|R)\)"
"""The title of a state's amounts for equipment: `AL (NR)` non-rural, `AL(R)` rural."""


@dataclass(frozen=True)
class FileKind:
    """A kind of file: what it is called, the command that takes it, and how its header is recognized."""

    name: str
    command: str
    is_header: Callable[[list[str]], bool]
    """Whether a row, normalized by `normalize_title`, is the header of such a file."""
    header_rows: int = 1
    """The most rows that its header may be spread over, a title's words below each other."""


def _has(*words: str) -> Callable[[list[str]], bool]:
    """Return a test for headers: each word is in some cell, and there are several cells (a title row has one)."""
    return lambda row: len(set(row)) > 2 and all(any(word in cell for cell in row) for word in words)


def _matches(row: list[str], cells: int, patterns: dict[int, str]) -> bool:
    """Return whether a row has this many cells and those at these positions match: a file without a header."""
    return len(row) == cells and all(re.fullmatch(pattern, row[at]) for at, pattern in patterns.items())


def _has_state_amounts(row: list[str]) -> bool:
    return row[:2] == ["HCPCS", "MOD"] and any(re.fullmatch(STATE_AMOUNT_TITLE, cell) for cell in row)


def _is_code_title(cell: str) -> bool:
    return "BASE UNIT" not in cell and ("CODE" in cell or "CPT" in cell)


RELATIVE_VALUES, GPCI, ANESTHESIA, BASE_UNITS = "relative values", "gpci", "anesthesia", "base units"
OPPS_CAP, LOCALITY_COUNTIES, PAYMENT_AMOUNTS = "opps cap", "locality counties", "payment amounts"
ADDENDUM_B, ASC_ADDENDUM, DEVICE_OFFSETS = "addendum b", "asc addendum", "device offsets"
WAGE_INDEX, DRG_WEIGHTS, STANDARDIZED_AMOUNTS = "wage index", "drg weights", "standardized amounts"
ZIP_LOCALITY, DMEPOS_RURAL_ZIP = "zip locality", "dmepos rural zip"
COUNTY_AREAS, ZIP_COUNTY, ZIP_CBSA, ZIP_POINTS = "county areas", "zip county", "zip cbsa", "zip points"
LAB_FEES, LAB_FEES_TEXT = "lab fees", "lab fees, text"
DRUG_LIMITS, DRUG_CROSSWALK = "drug limits", "drug crosswalk"
EQUIPMENT, EQUIPMENT_TEXT, NUTRITION, NUTRITION_TEXT = "equipment", "equipment, text", "nutrition", "nutrition, text"
MAIL_ORDER, AREA_FEES, AREA_ZIPS = "mail order", "area fees", "area zips"
COMPENSATION, AMBULANCE = "workers' compensation", "ambulance"
EXEMPT_ORGANIZATIONS, CARE_COMPARE, SYSTEM_HOSPITALS = "exempt organizations", "care compare", "system hospitals"
SYSTEMS, HOSPITAL_PRICE_FILES, OWN_ORGANIZATIONS = "systems", "hospital price files", "own organizations"

TAX_ID_TITLES = {"TIN", "EIN", "TAX ID", "TAX_ID", "TAX NUMBER", "TIN_VALUE"}
"""What a user's file of organizations may call its column of tax IDs."""

_COMPENSATION_AMOUNT = re.compile(r"^(PROF|OP|ASC|(NON)?FACILITY) MAR$|RBRVS RATE$|^NC (NON-)?FACILITY RATE$")
"""Georgia's amounts are maximum allowable reimbursements (MAR); the others are Arizona's and North Carolina's."""

FILE_KINDS = {
    RELATIVE_VALUES: FileKind(
        "a relative value file (PPRRVU…)", "load_benchmark medicare_prof",
        # DMEPOS and OPPSCAP files begin with the same two columns.
        lambda row: row[:2] == ["HCPCS", "MOD"] and any("RVU" in cell for cell in row),
    ),
    GPCI: FileKind(
        "a GPCI file", "load_benchmark medicare_prof PPRRVU… --gpci FILE",
        # The anesthesia factors and the ambulance fee schedule have columns of GPCIs too.
        lambda row: _has("GPCI", "LOCALITY")(row) and not (_has("ANES")(row) or "HCPCS" in row),
    ),
    OPPS_CAP: FileKind(
        "a file of imaging caps (OPPSCAP…)", "load_benchmark medicare_prof", _has("HCPCS", "PROCSTAT", "CARRIER")
    ),
    LOCALITY_COUNTIES: FileKind(
        "a list of the counties of each locality (LOCCO)", "not loaded: the GPCI file lists the localities",
        _has("MEDICARE ADMIN", "COUNTIES"),
    ),
    PAYMENT_AMOUNTS: FileKind(
        "a file of payment amounts (PFALL or PFREV)",
        "not loaded: medicare_prof computes them from the relative value file and the GPCI file",
        lambda row: _matches(row, 16, {0: r"20\d\d", 1: r"\d{5}", 2: r"\d\d", 3: HCPCS_CODE_PATTERN, 5: r"\d+\.\d\d"}),
    ),
    ANESTHESIA: FileKind("a file of anesthesia factors", "load_benchmark anesthesia", _has("ANES", "LOCALITY")),
    BASE_UNITS: FileKind(
        "a file of anesthesia base units",
        "load_benchmark anesthesia",
        # The title row is "Anesthesia Base Units by CPT Code" in one cell. The header has the two in separate cells,
        # and some years' has CODE and YEAR, BASE, UNIT below each other.
        lambda row: any("BASE UNIT" in cell for cell in row) and any(_is_code_title(cell) for cell in row),
        header_rows=3,
    ),
    ADDENDUM_B: FileKind(
        "an OPPS Addendum B", "load_benchmark opps", lambda row: "SI" in row and _has("HCPCS", "APC")(row)
    ),
    DEVICE_OFFSETS: FileKind(
        "an ASC Addendum FF (device offsets)", "load_benchmark asc AA… BB… FILE", _has("HCPCS", "DEVICE OFFSET")
    ),
    # The columns are named with the quarter: "October 2025 Payment Indicator".
    ASC_ADDENDUM: FileKind(
        "an ASC addendum (AA or BB)", "load_benchmark asc",
        lambda row: _has("HCPCS", "PAYMENT INDICATOR")(row) and not _has("DEVICE OFFSET")(row),
    ),
    DRG_WEIGHTS: FileKind(
        "a table of MS-DRG weights (Table 5)", "load_benchmark ipps",
        lambda row: row[:1] == ["MS-DRG"] and any(cell.startswith("WEIGHT") for cell in row),
    ),
    STANDARDIZED_AMOUNTS: FileKind(
        "the inpatient standardized amounts (Tables 1A to 1E)", "load_benchmark ipps Table5… FILE",
        lambda row: row[:2] in (["LABOR-RELATED", "NONLABOR-RELATED"], ["LABOR", "NONLABOR"]),
    ),
    WAGE_INDEX: FileKind(
        "a wage index file", "load_benchmark opps … --wage-index FILE, asc, and ipps",
        lambda row: "CBSA" in row and any("WAGE INDEX" in cell or cell.startswith("WI") for cell in row),
    ),
    ZIP_LOCALITY: FileKind(
        "CMS's ZIP code to carrier locality file (ZIP5…)", "load_places",
        lambda row: "ZIP CODE" in row and {"CARRIER", "LOCALITY"} <= set(row),
    ),
    DMEPOS_RURAL_ZIP: FileKind(
        "CMS's list of rural ZIP codes for DMEPOS", "load_places", lambda row: any("RURAL ZIP" in cell for cell in row)
    ),
    COUNTY_AREAS: FileKind(
        "the Census Bureau's list of metropolitan areas (list1_….xlsx)", "load_places",
        _has("CBSA CODE", "METROPOLITAN DIVISION CODE", "FIPS COUNTY CODE"),
    ),
    ZIP_POINTS: FileKind(
        "the Census Bureau's gazetteer of ZIP code areas (…_Gaz_zcta_national.txt)", "load_places",
        lambda row: "GEOID" in row and {"INTPTLAT", "INTPTLONG"} <= set(row),
    ),
    ZIP_CBSA: FileKind(
        "HUD's crosswalk of ZIP codes and metropolitan areas", "load_places",
        lambda row: "ZIP" in row and "CBSA" in row,
    ),
    ZIP_COUNTY: FileKind(
        "a crosswalk of ZIP codes and counties", "load_places",
        # HUD's download names both of its crosswalks' second column GEOID, see place_files.
        lambda row: "ZIP" in row and bool({"COUNTY", "COUNTY_FIPS", "FIPS", "GEOID"} & set(row)),
    ),
    LAB_FEES: FileKind(
        "a clinical laboratory fee schedule (CLFS)", "load_benchmark clfs",
        lambda row: {"HCPCS", "MOD", "EFF_DATE", "INDICATOR", "RATE"} <= set(row),
    ),
    LAB_FEES_TEXT: FileKind(
        "a clinical laboratory fee schedule (CLFS) as text", "load_benchmark clfs",
        lambda row: _matches(row, 7, {0: r"20\d\d", 1: HCPCS_CODE_PATTERN, 3: r"20\d{6}", 5: r"[\d.]+"}),
    ),
    DRUG_LIMITS: FileKind(
        "an ASP pricing file (Part B drugs)", "load_benchmark asp", _has("HCPCS CODE", "DOSAGE", "PAYMENT LIMIT")
    ),
    DRUG_CROSSWALK: FileKind(
        "an ASP crosswalk from NDC to HCPCS", "it has no prices: those are in the ASP pricing file",
        _has("NDC", "HCPCS DOSAGE", "BILLUNITS"),
    ),
    EQUIPMENT: FileKind(
        "a DMEPOS fee schedule (equipment)", "load_benchmark dmepos",
        lambda row: _has_state_amounts(row) and "JURIS" in row,
    ),
    NUTRITION: FileKind(
        "a PEN fee schedule (nutrition)", "load_benchmark dmepos",
        lambda row: _has_state_amounts(row) and "JURIS" not in row,
    ),
    EQUIPMENT_TEXT: FileKind(
        "a DMEPOS fee schedule (equipment) as text", "load_benchmark dmepos",
        lambda row: _matches(row, 17, {0: r"20\d\d", 1: HCPCS_CODE_PATTERN, 8: "[A-Z]{2}", 12: r"[\d.]+"}),
    ),
    NUTRITION_TEXT: FileKind(
        "a PEN fee schedule (nutrition) as text", "load_benchmark dmepos",
        lambda row: _matches(row, 9, {0: r"20\d\d", 1: HCPCS_CODE_PATTERN, 5: "[A-Z]{2}", 6: r"[\d.]+"}),
    ),
    MAIL_ORDER: FileKind(
        "a mail-order fee schedule of diabetic supplies", "load_benchmark dmepos DMEPOS… FILE",
        lambda row: row[:2] == ["HCPCS", "MOD"] and "NATIONAL MAIL-ORDER" in row,
    ),
    AREA_FEES: FileKind(
        "a fee schedule of the former competitive bidding areas", "load_benchmark dmepos DMEPOS… FILE",
        lambda row: row[:2] == ["HCPCS", "MOD"] and "MOD3" in row and "NATIONAL MAIL-ORDER" not in row,
    ),
    AREA_ZIPS: FileKind(
        "a list of the ZIP codes of the former competitive bidding areas", "load_benchmark dmepos DMEPOS… FILE",
        lambda row: {"CBA ZIP CODE", "CBA NAME SHORT"} <= set(row),
    ),
    AMBULANCE: FileKind(
        "an ambulance fee schedule (AFS)", "load_benchmark ambulance", _has("CONTRACTOR", "HCPCS", "URBAN BASE RATE")
    ),
    EXEMPT_ORGANIZATIONS: FileKind(
        "the IRS list of exempt organizations (BMF)", "load_organizations",
        lambda row: {"EIN", "NAME", "SUBSECTION", "NTEE_CD"} <= set(row),
    ),
    CARE_COMPARE: FileKind(
        "CMS's list of hospitals (Hospital General Information)", "load_organizations",
        lambda row: {"FACILITY ID", "FACILITY NAME", "HOSPITAL TYPE"} <= set(row),
    ),
    SYSTEM_HOSPITALS: FileKind(
        "AHRQ's list of the hospitals of health systems (chsp-hospital-linkage…)", "load_organizations",
        lambda row: {"CCN", "HOSPITAL_NAME", "HEALTH_SYS_ID", "HEALTH_SYS_NAME"} <= set(row),
    ),
    SYSTEMS: FileKind(
        "AHRQ's list of health systems",
        "not loaded: chsp-hospital-linkage… names the systems with their hospitals",
        lambda row: {"HEALTH_SYS_ID", "HEALTH_SYS_NAME"} <= set(row) and "CCN" not in row,
    ),
    HOSPITAL_PRICE_FILES: FileKind(
        "a list of hospitals' price files", "load_organizations",
        lambda row: bool({"FILE_URL", "MRF_URL", "HPT_TXT"} & set(row))
        and bool({"HOSPITAL_NAME", "HOSPITAL", "LOCATION_NAME"} & set(row)),
    ),
    OWN_ORGANIZATIONS: FileKind(
        "a list of organizations by tax ID", "load_organizations",
        lambda row: bool(TAX_ID_TITLES & set(row)) and bool({"NAME", "ORGANIZATION", "SYSTEM"} & set(row))
        and "SUBSECTION" not in row,
    ),
    COMPENSATION: FileKind(
        "a state's workers' compensation fee schedule", "load_benchmark wcfs",
        lambda row: any(_is_code_title(cell) for cell in row)
        and any(_COMPENSATION_AMOUNT.search(cell) for cell in row),
    ),
}  # fmt: skip


def find_header(rows: Rows, kind: str) -> int | None:
    """Return the index of the last row of the header of such a file, or None."""
    found = _find_header(rows, kind)
    return found[0] if found else None


def header_titles(rows: Rows, kind: str) -> list[str]:
    """Return the normalized titles of the columns of such a file. Raise ValueError if it has no such header."""
    found = _find_header(rows, kind)
    if found is None:
        raise ValueError(f"no header of {kind}")
    return found[1]


def _find_header(rows: Rows, kind: str) -> tuple[int, list[str]] | None:
    file_kind = FILE_KINDS[kind]
    for first in range(min(len(rows), HEADER_WITHIN_ROWS)):
        for last in range(first, min(first + file_kind.header_rows, len(rows))):
            columns = zip_longest(*rows[first : last + 1], fillvalue="")
            titles = [normalize_title(" ".join(cells)) for cells in columns]
            if file_kind.is_header(titles):
                return last, titles
    return None


def kind_of_sheet(sheet: Sheet) -> str | None:
    """Return which of FILE_KINDS a sheet is, or None."""
    return next((kind for kind in FILE_KINDS if find_header(sheet.rows, kind) is not None), None)


def normalize_title(cell: str) -> str:
    """Return a header's cell in capitals, on one line: agencies wrap titles inside cells."""
    return " ".join(cell.upper().split())


def gather_sheets(paths: Iterable[Path], wanted: Collection[str]) -> dict[str, list[Sheet]]:
    """Return the sheets of the files, by kind, that are `wanted`. A zip file may contain others as well.

    Raise ReferenceFileError for a file that contains nothing wanted, saying what it is.
    """
    found: dict[str, list[Sheet]] = {kind: [] for kind in wanted}
    for path in paths:
        seen: set[str] = set()
        # CMS packs one table in several formats. The first that is recognized is enough.
        twins: set[str] = set()
        for sheet in read_sheets(path, is_twin=partial(_is_twin, twins)):
            kind = kind_of_sheet(sheet)
            if kind is not None:
                seen.add(kind)
                twins.add(_stem(sheet.member))
            if kind in found:
                found[kind].append(sheet)
        # A state's workbook may have a sheet of base units of its own, which are not CMS's.
        if not seen & set(wanted) or COMPENSATION in seen - set(wanted):
            raise ReferenceFileError(f"{path.name}: {describe_unwanted(seen, wanted)}")
    return found


def _is_twin(stems: set[str], member: str) -> bool:
    return _stem(member) in stems


def _stem(member: str) -> str:
    return str(PurePosixPath(member).with_suffix("")) if member else ""


def first_sheet(found: dict[str, list[Sheet]], kind: str) -> Sheet:
    """Return the first sheet of a kind. Raise ReferenceFileError if there is none, saying what there is."""
    if not found[kind]:
        given = ", ".join(
            sorted({f"{sheet.file} is {FILE_KINDS[other].name}" for other, sheets in found.items() for sheet in sheets})
        )
        wanted = FILE_KINDS[kind].name.removeprefix("a ").removeprefix("an ").removeprefix("the ")
        raise ReferenceFileError(f"no {wanted} among the files: {given}")
    return found[kind][0]


def describe_unwanted(seen: set[str], wanted: Collection[str]) -> str:
    """Return what a file is that contains nothing `wanted`, and what was expected."""
    expected = " or ".join(FILE_KINDS[kind].name for kind in wanted)
    if not seen:
        return f"not a file of a known kind; expected {expected}, as the agency publishes it"
    kind = FILE_KINDS[COMPENSATION if COMPENSATION in seen else min(seen)]
    return f"this is {kind.name} ({kind.command}); expected {expected}"
