"""Tables are read from every format that agencies publish."""

import io
import zipfile
from pathlib import Path

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from core.reference.spreadsheets import (
    MAX_UNPACKED_BYTES,
    _cell,
    counting_altered_cells,
    note_altered_cells,
    read_sheets,
)
from core.runtime.errors import ReferenceFileError


def workbook() -> bytes:
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer)
    for name in ("Notes", "Fees"):
        sheet = book.add_worksheet(name)
        sheet.write_row(1, 1, [" 00100 ", 99213, 0.1 + 0.2, 89.169, True, ""])
    book.close()
    return buffer.getvalue()


def test_a_zip_file_yields_its_tables_csv_first(tmp_path: Path) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("deep.csv", "5,6\n")
    path = tmp_path / "all.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "1\t2\n3\t4\n")
        archive.writestr("folder/b.xlsx", workbook())
        archive.writestr("c.csv", '"one\nline",2\n')
        archive.writestr("d.pdf", b"%PDF")
        archive.writestr("e.zip", inner.getvalue())
    found = list(read_sheets(path))
    assert [sheet.name for sheet in found] == [
        "all.zip: c.csv",
        "all.zip: folder/b.xlsx, sheet Notes",
        "all.zip: folder/b.xlsx, sheet Fees",
        "all.zip: a.txt",
        "all.zip: e.zip/deep.csv",
    ]
    assert [sheet.file for sheet in found] == ["c.csv", "b.xlsx", "b.xlsx", "a.txt", "deep.csv"]
    assert found[0].rows == [["one line", "2"]]
    assert found[3].rows == [["1", "2"], ["3", "4"]]
    with counting_altered_cells():
        assert list(read_sheets(path)) == found
        assert note_altered_cells() == (), "line breaks are not counted"
    assert found[2].rows[-1] == ["", "00100", "99213", "0.3", "89.169", "TRUE"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_every_encoding_is_read(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes("Año,1\r\n,\r\n".encode(encoding))
    (sheet,) = read_sheets(path)
    assert sheet.rows == [["Año", "1"], ["", ""]]


@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        ("cp437", "Mayagüez Bayamón"),
        ("cp1252", "Mayagüez – Bayamón’s"),
        ("cp1252", "the hospital’s 1 million\xa0PFU"),
        ("cp437", "San Germán Año"),
        ("utf-16-le", "Abc"),
    ],
)
def test_the_encodings_of_cms_are_told_apart_without_a_mark(tmp_path: Path, encoding: str, name: str) -> None:
    path = tmp_path / "table.txt"
    path.write_bytes(f"CBSA\t{name}\t0.9\r\n".encode(encoding))
    (sheet,) = read_sheets(path)
    assert sheet.rows == [["CBSA", name, "0.9"]]


def test_a_line_feed_inside_a_cell_of_utf_16_is_a_space(tmp_path: Path) -> None:
    path = tmp_path / "table.txt"
    path.write_bytes('Contractor\t"2025 Work GPCI\n*through 3/31/2025"\tNational Anes CF\r\n'.encode("utf-16"))
    (sheet,) = read_sheets(path)
    assert sheet.rows == [["Contractor", "2025 Work GPCI *through 3/31/2025", "National Anes CF"]]


def test_another_format_of_a_table_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "all.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "1\t2\n")
        archive.writestr("a.csv", "1,2\n")
        archive.writestr("b.xlsx", b"PK damaged")
    found = read_sheets(path, is_twin=lambda member: member in {"a.txt", "b.xlsx"})
    assert [sheet.member for sheet in found] == ["a.csv"]


def test_commas_in_titles_do_not_make_a_tab_file_a_csv(tmp_path: Path) -> None:
    path = tmp_path / "B.txt"
    path.write_text("Rights, reserved, all, of, them\t\t\n1\t2\t3\n4\t5\t6\n")
    (sheet,) = read_sheets(path)
    assert sheet.rows == [["Rights, reserved, all, of, them", "", ""], ["1", "2", "3"], ["4", "5", "6"]]


def test_tildes_separate_fields_and_quotation_marks_are_text(tmp_path: Path) -> None:
    path = tmp_path / "PEN.txt"
    path.write_text(
        '2025~B4034~  ~000003.84     ~R~A "kit", by day\n2025~B4035~NU~000006.91     ~ ~6" tube, thin\n\x1a'
    )
    (sheet,) = read_sheets(path)
    assert sheet.rows == [
        ["2025", "B4034", "", "000003.84", "R", 'A "kit", by day'],
        ["2025", "B4035", "NU", "000006.91", "", '6" tube, thin'],
        [""],
    ]


def test_a_file_that_cannot_be_read_is_refused_with_the_reason(tmp_path: Path) -> None:
    path = tmp_path / "x"

    def complaint(content: bytes, max_bytes: int = MAX_UNPACKED_BYTES) -> str:
        path.write_bytes(content)
        with pytest.raises(ReferenceFileError) as raised:
            list(read_sheets(path, max_bytes=max_bytes))
        return str(raised.value)

    assert "the zip file is damaged or cut short" in complaint(b"PK\x03\x04")
    assert "this Excel file cannot be read" in complaint(b"\xd0\xcf\x11\xe0 and no more")
    assert "this Excel file cannot be read" in complaint(broken_workbook())
    empty = io.BytesIO()
    with zipfile.ZipFile(empty, "w") as archive:
        archive.writestr("a.pdf", b"")
    assert "no csv, txt or Excel file in this zip file" in complaint(empty.getvalue())
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", b"0" * 2000)
    assert "a.csv unpacks to 2,000 bytes; expected at most 1,000" in complaint(bomb.getvalue(), max_bytes=1000)


def broken_workbook() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("[Content_Types].xml", "<x/>")
    return buffer.getvalue()


@given(st.decimals(-(10**6), 10**6, places=4))
def test_a_number_is_written_as_its_csv_has_it(value: object) -> None:
    text = _cell(float(str(value)))
    assert float(text) == float(str(value))
    assert "E" not in text.upper()
    assert len(text) <= len(str(value))
