"""Agencies' files are recognized by their headers."""

import zipfile
from pathlib import Path

import pytest

from core.reference.recognize import (
    BASE_UNITS,
    FILE_KINDS,
    RELATIVE_VALUES,
    WAGE_INDEX,
    find_header,
    gather_sheets,
    header_titles,
    kind_of_sheet,
)
from core.reference.spreadsheets import Sheet
from core.runtime.errors import ReferenceFileError
from tests.reference.workers_comp.schedule_files import workbook

TITLE = ["a title"]
HEADERS = {
    "relative values": ["HCPCS", "MOD", "DESCRIPTION", "CODE", "PAYMENT", "RVU", "PE RVU"],
    "gpci": ["Contractor", "State", "Locality Number", "2025 PW GPCI"],
    "anesthesia": ["Contractor", "Locality", "Locality Name", "National Anes CF of 20.3178"],
    "base units": ["CPT Code", "Base Units"],
    "opps cap": ["HCPCS", "MOD", "PROCSTAT", "CARRIER", "LOCALITY", "FACILITY PRICE", "NON-FACILTY PRICE"],
    "locality counties": ["Medicare Adminstrative Contractor", "Locality Number", "State", "Counties"],
    "payment amounts": ["2025", "01112", "57", "50688", "", "0000077.78", "0000077.78", *[""] * 9],
    "device offsets": ["HCPCS Code", "", "July 2026 Payment Indicator", "July 2026 APC", "Device Offset Amount"],
    "drg weights": ["MS-DRG ", "FY 2026 Final Post-Acute DRG", "Weights - Before Cap", "Weights - 10% Cap Applied "],
    "standardized amounts": ["Labor-related", "Nonlabor-related", "Labor-related", "Nonlabor-related"],
    "addendum b": ["HCPCS Code", "SI", "APC"],
    "asc addendum": ["HCPCS Code", "October 2025\nPayment Indicator", "October 2025 Payment Rate"],
    "wage index": ["CBSA", "CBSA Name", "WI26"],
    "zip locality": ["STATE", "ZIP CODE", "CARRIER", "LOCALITY", "RURAL IND"],
    "dmepos rural zip": ["STATE", "DMEPOS RURAL ZIP CODE", "YEAR/QTR"],
    "county areas": ["CBSA Code", "Metropolitan Division Code", "CSA Code", "FIPS State Code", "FIPS County Code"],
    "zip cbsa": ["ZIP", "CBSA", "BUS_RATIO"],
    "zip points": ["GEOID", "ALAND", "AWATER", "INTPTLAT", "INTPTLONG"],
    "zip county": ["zip", "fips", "county", "state"],
    "lab fees": ["YEAR", "HCPCS", "MOD", "EFF_DATE", "INDICATOR", "RATE", "SHORTDESC"],
    "lab fees, text": ["2025", "80053", "QW", "20250101", "N", "00010.56", "A test"],
    "drug limits": ["HCPCS Code", "Short Description", "HCPCS Code Dosage", "Payment Limit", "Notes", ""],
    "drug crosswalk": ["_2026_CODE", "NDC2", "HCPCS dosage", "PKG SIZE", "BILLUNITS", "BILLUNITSPKG", ""],
    "equipment": ["HCPCS", "Mod", "Mod2", "JURIS", "CATG", "Ceiling", "Floor", "AL (NR)", "AL (R)", "Description"],
    "nutrition": ["HCPCS", "MOD", "MOD2", "AL(NR)", "AL(R)", "Desc"],
    "equipment, text": [
        "2025", "E0601", "RR", "", "D", "CR", "A", "00", "AL", "000094.93", "000000.00", "000000.00", "000050.58",
        "0", "0", "R", "A device",
    ],
    "nutrition, text": ["2025", "B4150", "", "", "000000.70", "AL", "000000.47", "R", "Food"],
    "mail order": ["HCPCS", "Mod", "Mod2", "Mod3", "CATG", "National Mail-Order", "Description"],
    "area fees": ["HCPCS", "Mod", "Mod2", "Mod3", "CATG", "Akron, OH", "Atlanta, GA", "Description"],
    "ambulance": ["CONTRACTOR/CARRIER", "LOCALITY", "HCPCS", "RVU", "GPCI", "URBAN BASE RATE / URBAN MILEAGE"],
    "workers' compensation": ["CPT Code", "Description", "NC Facility Rate"],
    "own organizations": ["tin", "name", "organization", "system"],
    "exempt organizations": ["EIN", "NAME", "ICO", "STREET", "SUBSECTION", "NTEE_CD"],
    "care compare": ["Facility ID", "Facility Name", "Address", "Hospital Type"],
    "system hospitals": ["compendium_hospital_id", "ccn", "hospital_name", "health_sys_id", "health_sys_name"],
    "systems": ["health_sys_id", "health_sys_name", "health_sys_city"],
    "hospital price files": ["ccn", "hospital_name", "file_url"],
    "area zips": ["CBA State", "CBA ZIP Code", "CBA Name Short", "CBA Name", "Year/Qtr"],
}  # fmt: skip


def test_every_kind_of_file_has_a_header_here() -> None:
    assert set(HEADERS) == set(FILE_KINDS)


@pytest.mark.parametrize("kind", HEADERS)
def test_a_header_is_recognized_as_its_kind_only(kind: str) -> None:
    assert kind_of_sheet(Sheet(Path("f.csv"), "", "", [TITLE, HEADERS[kind]])) == kind
    assert [other for other in HEADERS if find_header([HEADERS[kind]], other) is not None] == [kind]


def test_a_header_in_row_30_is_found_and_one_in_row_31_is_not() -> None:
    header = HEADERS[RELATIVE_VALUES]
    assert find_header([TITLE] * 29 + [header], RELATIVE_VALUES) == 29
    assert find_header([TITLE] * 30 + [header], RELATIVE_VALUES) is None


def test_the_title_of_the_base_units_is_not_their_header() -> None:
    rows = [["2025 Anesthesia Base Units by CPT Code"], HEADERS["base units"]]
    assert find_header(rows, "base units") == 1


def test_a_header_over_three_rows_is_one(tmp_path: Path) -> None:
    path = tmp_path / "units.txt"
    path.write_text("CODE\t2022\n\tBASE\n\tUNIT\n00100\t5\n")
    (sheet,) = gather_sheets([path], (BASE_UNITS,))[BASE_UNITS]
    assert find_header(sheet.rows, BASE_UNITS) == 2
    assert header_titles(sheet.rows, BASE_UNITS) == ["CODE", "2022 BASE UNIT"]
    with pytest.raises(ValueError, match="no header"):
        header_titles(sheet.rows, WAGE_INDEX)


def test_the_factors_of_anesthesia_are_no_gpci_file_although_they_have_gpcis() -> None:
    header = ["Contractor", "Locality", "Locality Name", "2025 Work GPCI", "National Anes CF of 20.3178"]
    assert kind_of_sheet(Sheet(Path("f.csv"), "", "", [header])) == "anesthesia"


def test_one_format_of_each_table_in_a_zip_file_is_enough(tmp_path: Path) -> None:
    path = tmp_path / "WI.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("wages.csv", "CBSA,CBSA Name,WI26\n")
        archive.writestr("wages.txt", "CBSA\tCBSA Name\tWI26\n")
        archive.writestr("readme.csv", "nothing\n")
        archive.writestr("readme.txt", "CBSA\tCBSA Name\tWI25\n")
    found = gather_sheets([path], (WAGE_INDEX,))[WAGE_INDEX]
    assert [sheet.member for sheet in found] == ["wages.csv", "readme.txt"]


def test_a_file_of_another_kind_is_named_as_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "wages.csv"
    path.write_text("CBSA,CBSA Name,WI26\n")
    with pytest.raises(ReferenceFileError, match=r"this is a wage index file .*; expected a relative value file"):
        gather_sheets([path], (RELATIVE_VALUES,))
    assert [sheet.file for sheet in gather_sheets([path], (RELATIVE_VALUES, WAGE_INDEX))[WAGE_INDEX]] == ["wages.csv"]


def test_the_base_units_of_a_state_s_workbook_are_not_cms_s(tmp_path: Path) -> None:
    path = workbook(
        tmp_path / "GA_2024.xlsx",
        Anesthesia=[["CODE", "MOD", "BASE UNIT"], ["00100", "", 5]],
        Surgery=[["CODE", "MOD", "PROF MAR", "OP MAR"], ["10121", "", 420, 2430]],
    )
    with pytest.raises(ReferenceFileError, match="this is a state's workers' compensation fee schedule"):
        gather_sheets([path], [BASE_UNITS, RELATIVE_VALUES])
