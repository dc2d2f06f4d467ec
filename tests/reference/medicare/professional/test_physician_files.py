"""The files of the physician fee schedule are read as CMS publishes them, and refused with a reason otherwise."""

import csv
import random
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from core.demo.physician_fees import write_physician_fees
from core.reference.benchmark_kinds import load_benchmark
from core.reference.medicare.professional.physician_files import STATUSES, read_fee_schedule
from core.runtime.errors import ReferenceFileError
from core.store.generations.store import Store
from tests.reference.medicare.professional.physician_reference import renamed
from tests.stores import open_snapshot


@pytest.mark.parametrize(
    ("rvu", "gpci", "release", "rows"),
    [
        ("PPRRVU2025_Oct.csv", "GPCI2025.csv", "2025-10", 19_090),
        ("PPRRVU25_JAN.csv", "GPCI2025.csv", "2025-01", 18_865),
        ("PPRRVU2026_Jul_nonQPP.csv", "GPCI2026.csv", "2026-07", 19_356),
    ],
)
def test_the_files_of_cms_are_read_whole(shared: Path, rvu: str, gpci: str, release: str, rows: int) -> None:
    mpfs = shared / "medicare" / "mpfs"
    schedule = read_fee_schedule([mpfs / rvu, mpfs / gpci])
    values, localities = schedule.values, schedule.localities
    assert values.release == release
    assert len(values.rows) == rows
    with (mpfs / rvu).open(encoding="latin-1", newline="") as file:
        lines = [line for line in csv.reader(file) if len(line) > 10 and line[3] in STATUSES]
    assert len(lines) == rows
    for line, value in random.Random(1).sample(list(zip(lines, values.rows, strict=True)), 500):
        assert (value.code, value.modifier, value.status) == (line[0], line[1], line[3])
        assert value.work == round(float(line[5]) * 100)
        assert (value.nonfacility_pe, value.nonfacility_na) == (round(float(line[6]) * 100), line[7] == "NA")
        assert (value.facility_pe, value.facility_na) == (round(float(line[8]) * 100), line[9] == "NA")
        assert (value.cap_pe, value.cap_malpractice) == (round(float(line[-3]) * 100), round(float(line[-1]) * 100))
    with (mpfs / gpci).open(encoding="latin-1", newline="") as file:
        listed = [line for line in csv.reader(file) if line and line[0].strip().isdigit()]
    assert len(localities) == len(listed)


def test_a_file_that_does_not_fit_is_refused_with_the_reason(store: Store, tmp_path: Path) -> None:
    rvu, gpci = write_physician_fees(tmp_path)
    other = tmp_path / "other.csv"

    def complaint(*paths: Path, **options: Any) -> str:
        with pytest.raises(ReferenceFileError) as raised:
            load_benchmark(store, "medicare_prof", list(paths), **options)
        assert store.manifest() is None
        return str(raised.value)

    def changed(path: Path, old: str, new: str) -> Path:
        assert old in path.read_text(encoding="utf-8")
        other.write_text(path.read_text(encoding="utf-8").replace(old, new))
        return other

    assert complaint(gpci) == "no relative value file (PPRRVU…) among the files: GPCI2025_demo.csv is a GPCI file"
    assert "no GPCI file among the files; give that of 2025 with --gpci" in complaint(rvu)
    other.write_text("a,b\n1,2\n")
    assert "other.csv: not a file of a known kind; expected a relative value file" in complaint(other, gpci)
    assert "cannot be read: No such file" in complaint(tmp_path / "none.csv", gpci)
    assert "name its first month with --year-month" in complaint(changed(rvu, "January Release", "Release"), gpci)
    assert "other.csv: row 4, code 10121: 'x' is not a number" in complaint(changed(rvu, "2.74", "x"), gpci)
    assert "has more than 2 decimals" in complaint(changed(rvu, "2.74", "2.744"), gpci)
    assert "code 10121 is in it 2 times" in complaint(changed(rvu, "20610", "10121"), gpci)
    assert "this GPCI file is for 2026; the relative values are of 2025" in complaint(
        rvu, changed(gpci, "2025", "2026")
    )
    caps = tmp_path / "OPPSCAP_Oct.csv"
    caps.write_text(CAPS.replace("97.07", "x", 1))
    assert "OPPSCAP_Oct.csv: row 2, code 70450: 'x' is not an amount in dollars" in complaint(rvu, gpci, caps)
    caps.write_text(CAPS + CAPS.splitlines()[1].replace("97.07", "97.08"))
    assert "row 5: code 70450 has two amounts in locality 01 of contractor 10212" in complaint(rvu, gpci, caps)
    caps.write_text(CAPS.splitlines()[0])
    assert "no amounts below the header" in complaint(rvu, gpci, caps)
    assert "'ZZ' is not a state" in complaint(rvu, changed(gpci, ",AL,", ",ZZ,"))
    assert "2 conversion factors" in complaint(changed(rvu, "0.39,,,,,,,,,,,,,,32.3465", "0.39,,,,,,,,,,,,,,33"), gpci)
    assert "expected the columns" in complaint(rvu, changed(gpci, "2025 PE GPCI", "2025 PE"))
    assert "no localities below" in complaint(rvu, titles_only(gpci, other))
    april = renamed(tmp_path / "april", "April")[0]
    assert "several releases" in complaint(rvu, april, gpci)
    assert "has only one, 32.3465" in complaint(rvu, gpci, qpp=True)
    assert "leave out --no-floor" in complaint(rvu, gpci, no_floor=True)
    assert "this is a relative value file" in complaint(rvu, gpci=rvu)
    assert "--sheet is not an option of medicare_prof" in complaint(rvu, gpci, sheet="x")


CAPS = """\
HCPCS,MOD,PROCSTAT,CARRIER,LOCALITY,FACILITY PRICE,NON-FACILTY PRICE
70450,,A,10212,1,97.06,97.07
70450,TC,A,10212,01,50.00,60.00
0633T,TC,C,10212,01,125.72,125.72
"""


def titles_only(path: Path, to: Path) -> Path:
    to.write_text("".join(path.read_text(encoding="utf-8").splitlines(keepends=True)[:3]), encoding="utf-8")
    return to


def test_files_may_come_in_their_zip_file(store: Store, tmp_path: Path) -> None:
    rvu, gpci = write_physician_fees(tmp_path)
    packed = tmp_path / "RVU25A.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("RVU25A.pdf", b"%PDF")
        archive.writestr("ANES2025.csv", "Contractor,Locality\n")
        archive.write(rvu, "PPRRVU25_JAN.csv")
    assert load_benchmark(store, "medicare_prof", [packed, gpci]).rows_priced == 41
    with zipfile.ZipFile(packed, "a") as archive:
        archive.write(gpci, "GPCI2025.csv")
    assert load_benchmark(store, "medicare_prof", [packed]).files == (
        "RVU25A.zip: PPRRVU25_JAN.csv",
        "RVU25A.zip: GPCI2025.csv",
    )
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("RVU25A.pdf", b"%PDF")
    with pytest.raises(ReferenceFileError, match=r"RVU25A.zip: no csv, txt or Excel file in this zip file"):
        load_benchmark(store, "medicare_prof", [packed, gpci])
    packed.write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(ReferenceFileError, match="damaged or cut short"):
        load_benchmark(store, "medicare_prof", [packed, gpci])


def test_every_other_file_of_the_zip_file_is_used_or_passed_over(store: Store, tmp_path: Path) -> None:
    rvu, gpci = write_physician_fees(tmp_path)
    packed = tmp_path / "RVU25A.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("25LOCCO.csv", "Medicare Adminstrative Contractor,Locality Number,State,Area,Counties\n")
        archive.writestr("OPPSCAP_Oct.csv", CAPS)
        archive.writestr("OPPSCAP_Oct.xlsx", b"PK the same table again, never opened")
        archive.write(rvu, "PPRRVU25_JAN.csv")
        archive.writestr("PPRRVU25_JAN.txt", "never read")
        archive.write(gpci, "GPCI2025.csv")
    loaded = load_benchmark(store, "medicare_prof", [packed])
    assert loaded.files == tuple(
        f"RVU25A.zip: {name}" for name in ("PPRRVU25_JAN.csv", "GPCI2025.csv", "OPPSCAP_Oct.csv")
    )
    assert "2 rows of imaging are limited to the hospital outpatient price, from the OPPSCAP file" in loaded.notes
    rows = open_snapshot(store).rows(
        """SELECT locality, modifier, nonfacility_rate, facility_rate FROM bench_medicare_prof_locality
           WHERE code = '70450' AND state = 'GA' ORDER BY ALL"""
    )
    assert rows == [
        ("01", "", 97.07, 97.06),
        ("01", "26", 38.95, 38.95),
        ("01", "TC", 60.0, 50.0),
        ("99", "", 96.43, 96.43),
        ("99", "26", 37.8, 37.8),
        ("99", "TC", 58.63, 58.63),
    ]


def as_excel(path: Path) -> Path:
    """Return a csv file as the workbook Excel would make of it: what looks like a number is one."""
    book = xlsxwriter.Workbook(path.with_suffix(".xlsx"), {"strings_to_numbers": True})
    sheet = book.add_worksheet("data")
    with path.open(newline="", encoding="latin-1") as file:
        for number, row in enumerate(csv.reader(file)):
            sheet.write_row(number, 0, row)
    book.close()
    return path.with_suffix(".xlsx")


def as_txt(path: Path) -> Path:
    """Return a csv file as tab-separated text with Windows line ends."""
    with path.open(newline="", encoding="latin-1") as file, path.with_suffix(".txt").open("w", newline="") as to:
        csv.writer(to, delimiter="\t").writerows(csv.reader(file))
    return path.with_suffix(".txt")


@pytest.mark.parametrize("form", [as_excel, as_txt])
def test_every_format_yields_the_same_table(store: Store, tmp_path: Path, form: Callable[[Path], Path]) -> None:
    rvu, gpci = write_physician_fees(tmp_path)
    load_benchmark(store, "medicare_prof", [rvu, gpci])
    before = open_snapshot(store).rows("FROM bench_medicare_prof")
    assert load_benchmark(store, "medicare_prof", [form(rvu), form(gpci)]).rows_priced == 41
    assert open_snapshot(store).rows("FROM bench_medicare_prof") == before


def test_the_month_may_be_given(store: Store, tmp_path: Path) -> None:
    rvu, gpci = write_physician_fees(tmp_path)
    assert load_benchmark(store, "medicare_prof", [rvu, gpci], year_month="2025-11").months == ("2025-11", "2025-12")
    named = tmp_path / "PPRRVU25_JUL.csv"
    named.write_text(rvu.read_text().replace("January Release", "Release"))
    assert load_benchmark(store, "medicare_prof", [named, gpci]).release == "2025-07"


def test_the_lower_of_two_conversion_factors_is_used_unless_qpp_is_asked_for(store: Store, tmp_path: Path) -> None:
    rvu, gpci = write_physician_fees(tmp_path)
    qpp = tmp_path / "PPRRVU25_JAN_QPP.csv"
    qpp.write_text(rvu.read_text().replace("32.3465", "33.5675"))
    for paths in ([rvu, qpp, gpci], [qpp, rvu, gpci]):
        assert "conversion factor 32.3465" in load_benchmark(store, "medicare_prof", paths).notes
        assert "conversion factor 33.5675" in load_benchmark(store, "medicare_prof", paths, qpp=True).notes
    assert "conversion factor 33.5675" in load_benchmark(store, "medicare_prof", [qpp, gpci]).notes
    assert open_snapshot(store).rows("SELECT DISTINCT conversion_factor FROM bench_medicare_prof") == [(33.5675,)]


def test_the_work_gpci_is_used_with_the_floor_unless_asked_otherwise(store: Store, tmp_path: Path) -> None:
    rvu, gpci = write_physician_fees(tmp_path)
    both = tmp_path / "GPCI2025.csv"
    header = "2025 PW GPCI (with 1.0 Floor)"
    text = gpci.read_text().replace(header, f"2025 PW GPCI (without 1.0 Floor),{header}")
    both.write_text(text.replace(",1,", ",0.95,1,"))
    query = """SELECT medicare_prof_rate FROM bench_medicare_prof
               WHERE state = 'AL' AND code = '99213' AND year_month = '2025-01'"""
    for no_floor, work in ((None, 1000), (True, 950)):
        loaded = load_benchmark(store, "medicare_prof", [rvu, both], no_floor=no_floor)
        assert f"work GPCI {'without' if no_floor else 'with'} the 1.0 floor" in loaded.notes
        expected = (130 * work + 135 * 869 + 10 * 575) * 323_465
        assert open_snapshot(store).rows(query) == [((expected + 5_000_000) // 10_000_000 / 100,)]
