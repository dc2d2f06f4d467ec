"""Anesthesia: base units and conversion factors, from each layout of CMS's files, together and apart."""

import csv
import io
from collections.abc import Callable
from pathlib import Path

import pytest
import xlsxwriter

from core.reference.benchmark_kinds import load_benchmark
from core.runtime.errors import ReferenceFileError
from core.store.generations.store import Store
from tests.stores import open_snapshot

UNITS = "CODE\t2022\n\tBASE\n\tUNIT\n00100\t5\n00102\t6\n01999\t0\n"
PLACES = (
    ("10212", "1", "ATLANTA", "20.32"),
    ("10212", "99", "REST OF GEORGIA", "19.57"),
    ("2102", "1", "ALASKA*", "27.86"),
    ("9202", "20", "PUERTO RICO", "20.00"),
    ("9202", "50", "VIRGIN ISLANDS", "20.05"),
)


@pytest.fixture
def units(tmp_path: Path) -> Path:
    path = tmp_path / "CY_2022_Anesthesia_Base_Units_110921.txt"
    path.write_text(UNITS)
    return path


def short_table(path: Path) -> Path:
    """Write the factors as the RVU zip file's csv has them."""
    rows = [[f"{p[0]} ", f"{p[1]} ", p[2], f"{p[3]} "] for p in PLACES]
    header = ["Contractor", "Locality", "Locality Name", "National Anes CF of 20.3178"]
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows, ["", "", "", ""]])
    return path


def long_rows() -> list[list[str]]:
    return [
        ["Locality-Adjusted Anesthesia Conversion Factors as a result of the CY 2025 Final Rule", *[""] * 6],
        ["Updated 12/23/2024", *[""] * 6],
        ["Contractor", "Locality", "Locality Name", "2025 Work GPCI\n*through 3/31/2025", "2025 PE GPCI",
         "2025 MP GPCI", "National Anes CF of 20.3178"],
        *([*p[:3], "1", "0.9", "1.1", p[3]] for p in PLACES),
    ]  # fmt: skip


def long_text(path: Path) -> Path:
    """Write the stand-alone table as text in UTF-16 with a line feed in a cell."""
    buffer = io.StringIO(newline="")
    csv.writer(buffer, delimiter="\t").writerows(long_rows())
    path.write_bytes(buffer.getvalue().encode("utf-16"))
    return path


def long_workbook(path: Path) -> Path:
    """Write the stand-alone table as a workbook, whose numbers lost their zeros, with its second sheet."""
    book = xlsxwriter.Workbook(path, {"strings_to_numbers": True})
    sheet = book.add_worksheet("Locality Adjusted CFs")
    for number, row in enumerate(long_rows()):
        sheet.write_row(number, 0, row)
    shares = book.add_worksheet("Anesthesia Shares")
    shares.write_row(0, 0, ["Work", "PE", "MP"])
    shares.write_row(1, 0, [0.769, 0.166, 0.065])
    book.close()
    return path


EXPECTED = [
    ("AK", "00100", 5, 27.86),
    ("GA", "00100", 5, pytest.approx((20.32 + 19.57) / 2)),
    ("PR", "00100", 5, 20.0),
    ("VI", "00100", 5, 20.05),
]


@pytest.mark.parametrize(
    ("write", "name"), [(short_table, "ANES2025.csv"), (long_text, "CF.txt"), (long_workbook, "CF.xlsx")]
)
def test_every_layout_of_the_factors_gives_the_same_table(
    store: Store, tmp_path: Path, units: Path, write: Callable[[Path], Path], name: str
) -> None:
    loaded = load_benchmark(store, "anesthesia", [units, write(tmp_path / name)])
    assert (loaded.release, loaded.months) == ("2025-01", tuple(f"2025-{n:02}" for n in range(1, 13)))
    assert (loaded.rows_read, loaded.rows_priced, loaded.left_out) == (3, 3, {})
    db = open_snapshot(store)
    rows = "SELECT state, code, base_units, amount FROM bench_anesthesia WHERE year_month = '2025-07'"
    assert db.rows(f"{rows} AND code = '00100' ORDER BY 1") == EXPECTED
    assert db.rows(f"{rows} AND state = 'AK' AND code = '01999'") == [("AK", "01999", None, 27.86)]
    assert db.rows("SELECT DISTINCT code_type, modifier, reason FROM bench_anesthesia") == [("CPT", "", None)]
    assert db.rows(
        "SELECT contractor, locality, locality_name, factor FROM bench_anesthesia_locality ORDER BY state, locality"
    ) == [
        ("02102", "01", "ALASKA", 27.86),
        ("10212", "01", "ATLANTA", 20.32),
        ("10212", "99", "REST OF GEORGIA", 19.57),
        ("09202", "20", "PUERTO RICO", 20.0),
        ("09202", "50", "VIRGIN ISLANDS", 20.05),
    ]


def test_the_base_units_may_be_loaded_before_the_factors(store: Store, tmp_path: Path, units: Path) -> None:
    factors = short_table(tmp_path / "ANES2025.csv")
    with pytest.raises(
        ReferenceFileError, match=r"ANES2025.csv: the factors need the codes of CMS's list of anesthesia"
    ):
        load_benchmark(store, "anesthesia", [factors])
    alone = load_benchmark(store, "anesthesia", [units])
    assert (alone.release, alone.rows_priced, alone.states) == ("2022-01", 3, ("US",))
    assert open_snapshot(store).rows(
        "SELECT DISTINCT state, code, base_units, amount, reason FROM bench_anesthesia ORDER BY code"
    ) == [("US", code, number, None, "not priced") for code, number in (("00100", 5), ("00102", 6), ("01999", None))]
    loaded = load_benchmark(store, "anesthesia", [factors])
    assert "base units from the list loaded before" in loaded.notes
    rows = "SELECT state, code, base_units, amount FROM bench_anesthesia WHERE year_month = '2025-07'"
    assert open_snapshot(store).rows(f"{rows} AND code = '00100' ORDER BY 1") == EXPECTED


def test_base_units_of_a_year_whose_factors_are_loaded_keep_the_factors(
    store: Store, tmp_path: Path, units: Path
) -> None:
    load_benchmark(store, "anesthesia", [units, short_table(tmp_path / "ANES2025.csv")])
    corrected = tmp_path / "units.csv"
    corrected.write_text("2025 Anesthesia Base Units by CPT Code\nCPT Code,Base Units\n100,7\n")
    load_benchmark(store, "anesthesia", [corrected])
    rows = open_snapshot(store).rows(
        "SELECT code, base_units, amount FROM bench_anesthesia WHERE year_month = '2025-02' AND state = 'AK'"
    )
    assert rows == [("00100", 7, 27.86)]


def test_what_is_wrong_with_a_file_is_told(store: Store, tmp_path: Path, units: Path) -> None:
    factors = short_table(tmp_path / "ANES2025.csv")
    good = factors.read_text()

    def complaint(text: str, base: str = UNITS) -> str:
        factors.write_text(text, encoding="utf-8")
        units.write_text(base, encoding="utf-8")
        with pytest.raises(ReferenceFileError) as raised:
            load_benchmark(store, "anesthesia", [units, factors])
        assert store.manifest() is None
        return str(raised.value)

    assert "row 2: 'x' is not an amount in dollars; expected the factor in column 4" in complaint(
        good.replace("20.32", "x")
    )
    assert "locality 01 of contractor 10212 has two factors" in complaint(good.replace("99 ", "1 "))
    assert "code 00102 has two numbers of base units" in complaint(good, UNITS + "00102\t9\n")
    assert "'x' is not a number of base units" in complaint(good, UNITS.replace("\t6", "\tx"))
    unnamed = tmp_path / "factors.csv"
    unnamed.write_text(good, encoding="utf-8")
    with pytest.raises(ReferenceFileError, match=r"factors.csv: neither titles nor file name say which year this is"):
        load_benchmark(store, "anesthesia", [unnamed])
    elsewhere = good.replace("10212 ,99 ", "99999 ,99 ")
    factors.write_text(elsewhere, encoding="utf-8")
    units.write_text(UNITS, encoding="utf-8")
    loaded = load_benchmark(store, "anesthesia", [units, factors])
    assert (
        "localities of contractors that this version does not know are left out: 99999 99 REST OF GEORGIA"
        in loaded.notes
    )


@pytest.mark.in_turns(6, of="whole files of agencies")
def test_every_factor_and_base_unit_of_cms(shared: Path, store: Store) -> None:
    directory = shared / "anesthesia"
    with (directory / "Anesthesia CY 2025 locality adjusted CF_floor extension 23DEC24_Sheet 1.txt").open(
        encoding="utf-16", newline=""
    ) as file:
        lines = [row for row in csv.reader(file, delimiter="\t") if row and row[0].strip().isdigit()]
    expected = {(row[0].strip(), row[1].strip()): float(row[6]) for row in lines}
    with (directory / "Section 508 compliant version of CY_2022_Anesthesia_Base_Units_110921.txt").open() as file:
        listed = [line.split() for line in file]
    base_units = {row[0]: int(row[1]) for row in listed if len(row) == 2 and row[0].isdigit()}
    assert (len(expected), len(base_units)) == (109, 276)
    workbooks = sorted(directory.glob("*.xlsx"))
    texts = sorted(directory.glob("*.txt"))
    rvu = [shared / "medicare" / "rvu" / "RVU25D.zip", workbooks[1]]
    for files in (workbooks, texts, rvu):
        loaded = load_benchmark(store, "anesthesia", files)
        assert (loaded.release, loaded.rows_priced, len(loaded.states)) == ("2025-01", 276, 53)
        db = open_snapshot(store)
        factors = db.rows("SELECT contractor, locality, factor FROM bench_anesthesia_locality")
        assert {row[:2]: row[2] for row in factors} == expected
        found = db.rows("SELECT DISTINCT code, coalesce(base_units, 0) FROM bench_anesthesia")
        assert dict(found) == base_units
        means = db.rows(
            """SELECT count(*) FROM (FROM bench_anesthesia WHERE year_month = '2025-10') b
               JOIN (SELECT state, avg(factor) AS mean FROM bench_anesthesia_locality GROUP BY state) USING (state)
               WHERE abs(amount - mean) < 1e-9"""
        )
        assert means == [(276 * 53,)]
