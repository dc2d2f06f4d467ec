"""Fixed-width files are read as the rows of their csv twins."""

import csv
import zipfile
from pathlib import Path

import pytest

from core.reference.fixed_width import read_fixed_width
from core.reference.recognize import FILE_KINDS, find_header, kind_of_sheet
from core.reference.spreadsheets import Sheet, read_sheets

VALUES = """\
HDR CPT CODES AND DESCRIPTIONS ONLY ARE COPYRIGHT
HDR 2026 AMERICAN MEDICAL ASSOCIATION.
""" + "\n".join(
    f"{code:<5}{modifier:<2}{'Words':<50}A   {work}   {pe}{na:<2}   0.57    0.10   2.75  1.970XXX.00.00.0000000"
    f"             32.3465 090 99      {cap}   {cap}   0.01"
    for code, modifier, work, pe, na, cap in (
        ("99213", "", "1.30", "1.35", "", "0.00"),
        ("70450", "TC", "0.00", "2.04", "NA", "3.27"),
        ("G0105", "53", "1.63", "3.22", "", "0.00"),
    )
)
OPPS_CAP = "0633TTC C 01112  05   150.69    150.69\n70496   A 10212  99    97.07     97.07\n\x1a"
GPCI = """\
ADDENDUM E. FINAL CY 2025 GPCIs

MAC State Locality
10212           GA      01   ATLANTA*                         1.000       0.997       1.128
10212           GA      99   REST OF  GEORGIA                 1.000       0.883       1.125
09102           FL      03   FORT LAUDERDALE                  1.000       0.998       1.770
09102           FL      04   MIAMI                            1.000       1.027       2.500
*Work GPCI reflects a floor.
"""
FACTORS = """\
10212       01    ATLANTA                                                2032
02102       01    ALASKA                                                 2786
"""
COUNTIES = """\
COUNTIES INCLUDED IN 2025 LOCALITIES

    10112       00    ALABAMA            STATEWIDE             ALL COUNTIES

    01112       51                       NAPA                  NAPA
"""
FILES = {
    "relative values": (VALUES, ["70450", "TC", "Words", "A", "", "0.00", "2.04", "NA", "0.57", "", "0.10"]),
    "opps cap": (OPPS_CAP, ["70496", "", "A", "10212", "99", "97.07", "97.07"]),
    "gpci": (GPCI, ["10212", "GA", "99", "REST OF  GEORGIA", "1.000", "0.883", "1.125"]),
    "anesthesia": (FACTORS, ["02102", "01", "ALASKA", "27.86"]),
    "locality counties": (COUNTIES, ["01112", "51", "NAPA", "NAPA"]),
}
"""A file of each layout, and one of its rows as it must be read."""


@pytest.mark.parametrize("kind", FILES)
def test_a_fixed_width_file_is_its_kind_with_every_field(tmp_path: Path, kind: str) -> None:
    text, expected = FILES[kind]
    path = tmp_path / "twin.txt"
    path.write_text(text, encoding="cp1252", newline="\r\n")
    (sheet,) = read_sheets(path)
    assert kind_of_sheet(sheet) == kind
    header = find_header(sheet.rows, kind)
    assert header is not None
    assert expected in [row[: len(expected)] for row in sheet.rows[header + 1 :]]
    assert [row for row in sheet.rows[:header] if len(row) > 1] == []


def test_every_layout_has_a_file_here() -> None:
    assert set(FILES) <= set(FILE_KINDS)
    assert all(read_fixed_width(text) for text, _ in FILES.values())


def test_text_without_a_layout_is_left_to_others() -> None:
    assert read_fixed_width("a,b\n1,2\n") is None
    assert read_fixed_width("") is None
    assert read_fixed_width("CBSA\tCBSA Name\tWI25\n01\tALABAMA\t0.6471\n") is None


def test_the_fixed_width_files_of_cms_say_what_their_csv_twins_say(shared: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(shared / "medicare" / "rvu" / "RVU25D.zip") as archive:
        archive.extractall(tmp_path)
    for name, positions in (
        ("PPRRVU2025_Oct", (*range(11), 24, 28, 29, 30)),
        ("OPPSCAP_Oct", range(7)),
        ("GPCI2025", range(7)),
        ("ANES2025", range(4)),
    ):
        (twin,) = read_sheets(tmp_path / f"{name}.txt")
        kind = kind_of_sheet(twin)
        assert kind is not None
        found = twin.rows[(find_header(twin.rows, kind) or 0) + 1 :]
        with (tmp_path / f"{name}.csv").open(encoding="cp1252", newline="") as file:
            rows = [[row[n].strip() for n in positions] for row in csv.reader(file) if len(row) > max(positions)]
        assert _plain(found) == _plain([row for row in rows if row[-1].replace(".", "").isdigit()])


def _plain(rows: list[list[str]]) -> list[list[str | float]]:
    """Return the rows with short texts, as of fixed width, and numbers as such: 1.000 and 1 are one number."""
    return [[float(c) if c.replace(".", "").isdigit() else c.rstrip("*")[:40].strip() for c in row] for row in rows]


def test_a_sheet_of_one_cell_rows_has_no_kind() -> None:
    assert kind_of_sheet(Sheet(Path("x.txt"), "", "", [["no table"], ["at all"]])) is None
