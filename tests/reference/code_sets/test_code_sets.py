"""Official titles: read of the files as published, put before payers' words, never of CPT or CDT."""

import csv
import re
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from core.fields.codes.billing_code import code_system_by_shape
from core.reference.code_sets.code_set_files import read_code_set
from core.reference.code_sets.load_code_sets import load_codes
from core.runtime.errors import ReferenceFileError
from core.store.generations.store import Store
from tests.fixture_types import Load
from tests.stores import open_snapshot

HCPCS_HEADER = ["HCPC", "SEQNUM", "RECID", "LONG DESCRIPTION", "SHORT DESCRIPTION", "PRICE1"]
HCPCS_ROWS = [
    ["   A1", "0010", "7", "Dressing for one wound", "Dressing for one wound"],
    ["A0021", "0010", "3", "Ambulance service, outside state per mile,", "Outside state ambulance serv"],
    ["A0021", "0020", "4", "transport (medicaid only)", ""],
    ["J1885", "0010", "3", "Injection, ketorolac tromethamine, per 15 mg", "Ketorolac tromethamine inj"],
    ["99213", "0010", "3", "A level I title, which is copyrighted", "Level I"],
    ["0202T", "0010", "3", "Another one", "Level I"],
    ["0001A", "0010", "3", "Another one", "Level I"],
    ["D0120", "0010", "3", "A dental title, which is copyrighted", "Dental"],
    ["D0120", "0020", "4", "and goes on", ""],
    ["J1885", "0010", "3", "Again", "Again"],
    ["K0001", "0010", "3", "", ""],
    ["", "", "", "A footnote", ""],
]
HCPCS_LEFT_OUT = {"modifier": 1, "continuation": 1, "CPT": 3, "CDT": 2, "repeated": 1, "no_title": 1, "no_code": 1}
HCPCS_TITLES = [
    ("A0021", "Ambulance service, outside state per mile, transport (medicaid only)", "Outside state ambulance serv"),
    ("J1885", "Injection, ketorolac tromethamine, per 15 mg", "Ketorolac tromethamine inj"),
]


def workbook(path: Path, rows: list[list[Any]]) -> Path:
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("A")
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    return path


def fixed(path: Path) -> Path:
    lines = [
        f"{code:<5}{sequence:>05}{kind}{long:<80}{short:<28}{'':<201}"
        for code, sequence, kind, long, short in HCPCS_ROWS
        if code
    ]
    path.write_text("\r\n".join(lines) + "\r\n", encoding="latin-1")
    return path


def table(path: Path, header: str, *rows: str) -> Path:
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8-sig")
    return path


def test_hcpcs_of_a_workbook_a_text_and_their_zip_file(tmp_path: Path) -> None:
    notes = [["Note regarding coverage"], [], ["If specific"]]
    excel = workbook(tmp_path / "HCPC2025.xlsx", [*notes, HCPCS_HEADER, *HCPCS_ROWS])
    text = fixed(tmp_path / "HCPC2025.txt")
    packed = tmp_path / "hcpc.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("HCPC2025_recordlayout.txt", "Field name and where it stands\n")
        archive.write(text, text.name)
    found = read_code_set(excel)
    assert [(title.code, title.long, title.short) for title in found.titles] == HCPCS_TITLES
    assert {title.code_type for title in found.titles} == {"HCPCS"}
    assert (found.left_out, found.rows_read) == (Counter(HCPCS_LEFT_OUT), len(HCPCS_ROWS))
    of_text = read_code_set(text)
    assert of_text.titles == read_code_set(packed).titles == found.titles
    assert of_text.left_out == Counter(HCPCS_LEFT_OUT) - Counter(no_code=1)


def test_tables_of_a_code_and_its_title(tmp_path: Path) -> None:
    drg = table(
        tmp_path / "t5.txt",
        "MS-DRG\tMDC\tTYPE\tMS-DRG Title\tWeights",
        "001\tPRE\tSURG\tHEART TRANSPLANT\t25.1",
        "42\t01\tMED\tNERVOUS SYSTEM\t0.9",
        "042\t01\tMED\tAGAIN\t0.9",
        "MS-DRGs 998 and 999 are no groups\t\t\t\t",
        "043\t\t\t\t",
    )
    found = read_code_set(drg)
    assert [(title.code_type, title.code, title.short) for title in found.titles] == [
        ("MS-DRG", "001", "HEART TRANSPLANT"),
        ("MS-DRG", "042", "NERVOUS SYSTEM"),
    ]
    assert found.left_out == Counter(repeated=1, no_code=1, no_title=1)
    revenue = table(
        tmp_path / "rev.csv",
        "revenue_center_code,description",
        "110,Private room",
        "0119,Other",
        "0001,Total",
        "091X,Reserved",
    )
    assert [(title.code, title.long) for title in read_code_set(revenue).titles] == [
        ("0110", "Private room"),
        ("0119", "Private room: Other"),
        ("0001", "Total"),
    ]
    places = table(tmp_path / "pos.csv", "place_of_service_code,description", "11,Office")
    assert (read_code_set(places).titles, read_code_set(places).left_out) == ([], Counter(built_in=1))


def test_what_is_wrong_is_told(store: Store, tmp_path: Path) -> None:
    good = table(tmp_path / "drg.csv", "ms_drg,description", "001,HEART TRANSPLANT")
    other = table(tmp_path / "other.csv", "cpt,description", "99213,Copyrighted")
    with pytest.raises(ReferenceFileError, match=r"other\.csv: no code set .* CPT and CDT are copyrighted"):
        load_codes(store, [good, other])
    rows = [["99213", "0010", "3", "Copyrighted", "Level I"], ["D0120", "0010", "3", "Dental", "Dental"]]
    only = workbook(tmp_path / "cpt.xlsx", [HCPCS_HEADER, *rows])
    with pytest.raises(ReferenceFileError, match=r"no title that can be loaded \(1 CPT, 1 CDT\)"):
        load_codes(store, [only])
    assert store.manifest() is None


def item(code_type: str, code: str, words: str) -> dict[str, Any]:
    price = {"negotiated_type": "negotiated", "negotiated_rate": 10, "billing_class": "professional"}
    groups = [{"npi": ["1679576722"], "tin": {"type": "ein", "value": "123456789"}}]
    return {
        "negotiation_arrangement": "ffs",
        "name": words,
        "description": f"{words}, the payer's",
        "billing_code_type": code_type,
        "billing_code": code,
        "negotiated_rates": [{"provider_groups": groups, "negotiated_prices": [price]}],
    }


def file_of(*items: dict[str, Any]) -> dict[str, Any]:
    root = {"reporting_entity_name": "Example", "last_updated_on": "2025-08-01", "version": "1.0.0"}
    return {**root, "in_network": list(items)}


def words(store: Store) -> dict[tuple[str, str], tuple[str, str]]:
    rows = open_snapshot(store).rows("SELECT code_type, code, name, code_desc FROM dim_code")
    return {row[:2]: row[2:] for row in rows}


def test_official_titles_go_before_payers_words_whichever_is_first(store: Store, load: Load, tmp_path: Path) -> None:
    load(file_of(item("HCPCS", "A0021", "Ride"), item("CPT", "99213", "Visit"), item("MS-DRG", "1", "Heart")))
    drg = table(tmp_path / "drg.csv", "ms_drg,description", "001,HEART TRANSPLANT")
    loaded = load_codes(store, [fixed(tmp_path / "h.txt"), drg])
    assert (loaded.titles, loaded.codes, loaded.titled) == (3, 3, 2)
    ambulance = (HCPCS_TITLES[0][2], HCPCS_TITLES[0][1])
    heart = ("HEART TRANSPLANT", "HEART TRANSPLANT")
    visit = ("Visit", "Visit, the payer's")
    expected = {("HCPCS", "A0021"): ambulance, ("CPT", "99213"): visit, ("MS-DRG", "001"): heart}
    assert words(store) == expected
    # A later ingest neither takes them away nor lets a new code go without; level II codes labelled CPT are the same.
    later = [item("HCPCS", "A0021", "Ride"), item("CPT", "A0021", "Ride"), item("HCPCS", "J1885", "Shot")]
    load(file_of(*later, item("LOCAL", "J1885", "Own")), name="later.json")
    assert words(store) == {
        **expected,
        ("CPT", "A0021"): ambulance,
        ("HCPCS", "J1885"): (HCPCS_TITLES[1][2], HCPCS_TITLES[1][1]),
        ("LOCAL", "J1885"): ("Own", "Own, the payer's"),
    }
    # A newer edition's title replaces the older one's; loading again changes nothing.
    newer = table(tmp_path / "drg26.csv", "ms_drg,description", "001,HEART TRANSPLANT OR ASSIST")
    load_codes(store, [newer])
    assert words(store)["MS-DRG", "001"][0] == "HEART TRANSPLANT OR ASSIST"
    before = open_snapshot(store).rows("FROM dim_code"), open_snapshot(store).rows("FROM dim_code_official")
    load_codes(store, [newer])
    assert (open_snapshot(store).rows("FROM dim_code"), open_snapshot(store).rows("FROM dim_code_official")) == before


def test_real_code_sets(shared: Path, store: Store) -> None:
    codes = shared / "codes"
    names = ["HCPC2020_OCT_ANWEB.xlsx", "ms_drg.csv", "revenue_center_code.csv", "place_of_service.csv"]
    loaded = load_codes(store, [codes / name for name in names])
    assert [len(found.titles) for found in loaded.sets] == [6825, 767, 525, 0]
    assert [found.rows_read for found in loaded.sets] == [7197, 767, 526, 50]
    assert loaded.titles == 6825 + 767 + 525
    rows = open_snapshot(store).rows("SELECT code_type, code, code_desc, name FROM dim_code_official")
    found = {row[:2]: row[2:] for row in rows}
    assert not [code for (_, code) in found if re.fullmatch(r"[0-9]{5}|[0-9]{4}[A-Z]|D[0-9]{4}", code)]
    for line in CalamineWorkbook.from_path(codes / names[0]).get_sheet_by_index(0).to_python():
        code, _, kind, long, short = (str(cell).strip() for cell in line[:5])
        if kind.startswith("3") and len(code) == 5:
            assert found["HCPCS", code][1] == short
            assert found["HCPCS", code][0].startswith(" ".join(long.split()))
    with (codes / names[1]).open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            assert found["MS-DRG", row["ms_drg"]][1] == " ".join(row["description"].split())


@given(st.text("0159ABDVWZ", min_size=4, max_size=6))
def test_code_systems_by_shape(code: str) -> None:
    expected = None
    if len(code) == 5 and code[:4].isdigit():
        expected = "CPT"
    elif len(code) == 5 and code[1:].isdigit() and code[0] in "ABDV":
        expected = "CDT" if code[0] == "D" else "HCPCS"
    assert code_system_by_shape(code) == expected


def test_titles_that_are_too_long_are_shortened_and_counted(tmp_path: Path) -> None:
    rows = [
        HCPCS_HEADER,
        ["A0021", "0010", "3", "x" * 2_001, "Short"],
        ["J1885", "0010", "3", "Injection", "Ketorolac\x1b tromethamine"],
        ["K0001", "0010", "3", "Standard wheelchair", "Wheelchair"],
    ]
    path = tmp_path / "HCPC.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    found = read_code_set(path)
    assert [len(title.long) for title in found.titles] == [2_000, 9, 19]
    assert found.altered == 1
