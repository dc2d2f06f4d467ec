"""The physician fee schedule against its formula in decimal arithmetic."""

import csv
import random
import zipfile
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import xlsxwriter
from hypothesis import example, given
from hypothesis import strategies as st

from core.demo.physician_fees import write_physician_fees
from core.reference.benchmark_kinds import load_benchmark
from core.reference.medicare.physician import AmountTable, StateAmounts
from core.reference.medicare.physician_amounts import cents, compute_cents
from core.reference.medicare.physician_files import STATUSES, Locality, RelativeValue, read_fee_schedule
from core.runtime.errors import ReferenceFileError
from core.store.generations.store import Store
from tests.stores import open_snapshot

relative_values = st.builds(
    RelativeValue,
    code=st.just("99213"),
    modifier=st.just(""),
    status=st.just("A"),
    work=st.integers(0, 20_000),
    nonfacility_pe=st.integers(0, 90_000) | st.none(),
    facility_pe=st.integers(0, 90_000) | st.none(),
    malpractice=st.integers(0, 5_000),
)
places = st.builds(
    Locality,
    contractor=st.just("10212"),
    state=st.just("GA"),
    number=st.just("01"),
    name=st.just("ATLANTA"),
    work=st.integers(900, 1_500),
    pe=st.integers(700, 1_500),
    malpractice=st.integers(200, 2_600),
)
factors = st.integers(300_000, 400_000)


def by_formula(value: RelativeValue, place: Locality, factor: int, *, facility: bool) -> Decimal | None:
    """The amount in dollars, by the formula as the regulation has it."""
    pe = value.facility_pe if facility else value.nonfacility_pe
    if pe is None:
        return None
    total = (
        Decimal(value.work) / 100 * (Decimal(place.work) / 1000)
        + Decimal(pe) / 100 * (Decimal(place.pe) / 1000)
        + Decimal(value.malpractice) / 100 * (Decimal(place.malpractice) / 1000)
    )
    dollars = (total * (Decimal(factor) / 10_000)).quantize(Decimal("0.01"), ROUND_HALF_UP)
    return dollars or None


HALF_A_CENT = (RelativeValue("1", "", "A", 100, 0, 0, 0), Locality("1", "GA", "01", "", 1000, 1000, 1000), 323_450)
"""1.00 x 1.000 x 32.3450 is 32.345 dollars."""


@given(st.lists(relative_values, max_size=4), st.lists(places, max_size=4), factors, st.booleans())
@example([HALF_A_CENT[0]], [HALF_A_CENT[1]], HALF_A_CENT[2], False)
def test_amounts_are_the_formula_s(
    values: list[RelativeValue], localities: list[Locality], factor: int, facility: bool
) -> None:
    table = compute_cents(values, localities, factor, facility=facility)
    for row, value in enumerate(values):
        for column, place in enumerate(localities):
            expected = by_formula(value, place, factor, facility=facility)
            found = cents(value, place, factor, facility=facility)
            assert found == (None if expected is None else int(expected * 100))
            assert table[row, column] == (found or 0)


def test_los_angeles_in_july_2026(shared: Path) -> None:
    mpfs = shared / "medicare" / "mpfs"
    schedule = read_fee_schedule([mpfs / "GPCI2026.csv", mpfs / "PPRRVU2026_Jul_nonQPP.csv"])
    values, localities = schedule.values, schedule.localities
    assert (values.release, values.conversion_factor) == ("2026-07", 334_009)
    (visit,) = (row for row in values.rows if row.code == "99213")
    (place,) = (one for one in localities if one.contractor == "01182" and one.number == "18")
    assert cents(visit, place, values.conversion_factor, facility=False) == 105_01


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
        assert value.nonfacility_pe == (None if line[7] == "NA" else round(float(line[6]) * 100))
        assert value.facility_pe == (None if line[9] == "NA" else round(float(line[8]) * 100))
    with (mpfs / gpci).open(encoding="latin-1", newline="") as file:
        listed = [line for line in csv.reader(file) if line and line[0].strip().isdigit()]
    assert len(localities) == len(listed)


def test_every_amount_of_the_nation_equals_the_formula_s(shared: Path, store: Store) -> None:
    """PPRRVU of October 2025 and the GPCIs of 2025: each priced code in each locality, computed from the csv alone."""
    mpfs = shared / "medicare" / "mpfs"
    with (mpfs / "PPRRVU2025_Oct.csv").open(encoding="latin-1", newline="") as file:
        lines = [line for line in csv.reader(file) if len(line) == 31 and line[3] in {"A", "R", "T"}]
    with (mpfs / "GPCI2025.csv").open(encoding="latin-1", newline="") as file:
        places = [line for line in csv.reader(file) if line[0].isdigit()]
    expected: dict[tuple[str, str, str, str], tuple[int, int]] = {}
    for line in lines:
        work, nonfacility, facility, mp = (int(Decimal(line[n]) * 100) for n in (5, 6, 8, 10))
        factor = int(Decimal(line[24]) * 10_000)
        for place in places:
            pw, pe, pm = (int(Decimal(cell) * 1000) for cell in place[4:7])
            # Whole numbers of 10**-9 dollars; 10**7 of them are a cent.
            amounts = [
                0 if na == "NA" else ((work * pw + own * pe + mp * pm) * factor * 2 + 10**7) // (2 * 10**7)
                for own, na in ((nonfacility, line[7]), (facility, line[9]))
            ]
            if any(amounts):
                expected[place[0], place[2], line[0], line[1]] = (amounts[0], amounts[1])
    loaded = load_benchmark(store, "medicare_prof", [mpfs / "PPRRVU2025_Oct.csv", mpfs / "GPCI2025.csv"])
    db = open_snapshot(store)
    rows = db.rows(
        """SELECT contractor, locality, code, modifier, coalesce(round(nonfacility_rate * 100)::INT, 0),
                  coalesce(round(facility_rate * 100)::INT, 0) FROM bench_medicare_prof_locality"""
    )
    assert len(rows) == len(expected) == 109 * loaded.rows_priced
    assert {row[:4]: row[4:] for row in rows} == expected
    # And a state's amounts are the means over its localities, in every month the release is in force.
    wrong = db.rows(
        """WITH means AS (
               SELECT state, code_type, code, avg(nonfacility_rate) AS mean, min(nonfacility_rate) AS low,
                      max(facility_rate) AS high, count(*) AS n
               FROM bench_medicare_prof_locality WHERE modifier = '' GROUP BY ALL)
           SELECT count(*) FROM bench_medicare_prof b LEFT JOIN means m USING (state, code_type, code)
           WHERE abs(coalesce(mean, 0) - coalesce(medicare_prof_rate, 0)) > 1e-9
              OR low IS DISTINCT FROM medicare_prof_rate_min OR high IS DISTINCT FROM facility_rate_max
              OR n <> localities"""
    )
    assert wrong == [(0,)]
    assert db.rows(
        "SELECT count(*), count(DISTINCT (state, year_month, code_type, code)) FROM bench_medicare_prof"
    ) == [(53 * 3 * len({line[0] for line in all_lines(mpfs / "PPRRVU2025_Oct.csv")}),) * 2]


def all_lines(path: Path) -> list[list[str]]:
    with path.open(encoding="latin-1", newline="") as file:
        return [line for line in csv.reader(file) if len(line) > 10 and line[3] in STATUSES]


def test_a_state_s_amount_is_the_mean_over_its_localities(tmp_path: Path) -> None:
    schedule = read_fee_schedule(write_physician_fees(tmp_path))
    values, localities = schedule.values, schedule.localities
    rows_of = StateAmounts(schedule, AmountTable.of(schedule))
    for state in ("GA", "FL"):
        frame = rows_of(state)
        mine = [place for place in localities if place.state == state]
        for value in values.rows:
            row = frame.filter(pl.col("code") == value.code).row(0, named=True)
            names = {"": ("medicare_prof_rate", "facility_rate")}
            suffix = value.modifier.lower()
            columns = names.get(suffix, (f"nonfacility_rate_{suffix}", f"facility_rate_{suffix}"))
            for column, facility in zip(columns, (False, True), strict=True):
                amounts = [by_formula(value, place, values.conversion_factor, facility=facility) for place in mine]
                known = [amount for amount in amounts if amount is not None]
                expected = float(sum(known) / len(known)) if known else None
                assert row[column] == (None if expected is None else pytest.approx(expected, abs=1e-9)), (value, column)
            assert row["localities"] == len(mine)
            assert row["code_type"] == ("HCPCS" if value.code == "G0439" else "CPT")
    georgia = rows_of("GA").filter(pl.col("code") == "99213").row(0, named=True)
    assert (georgia["medicare_prof_rate_min"], georgia["medicare_prof_rate_max"]) == (84.25, 89.24)
    assert georgia["medicare_prof_rate"] == pytest.approx((84.25 + 89.24) / 2)


def renamed(tmp_path: Path, month: str) -> list[Path]:
    """The demo's files as another release of the same year."""
    tmp_path.mkdir(exist_ok=True)
    paths = write_physician_fees(tmp_path)
    paths[0].write_text(paths[0].read_text().replace("January Release", f"{month} Release"))
    return paths


@pytest.mark.parametrize("order", [("January", "April", "October"), ("October", "January", "April")])
def test_a_release_is_in_force_until_the_next_one(store: Store, tmp_path: Path, order: tuple[str, ...]) -> None:
    for month in order:
        load_benchmark(store, "medicare_prof", renamed(tmp_path / month, month))
    rows = open_snapshot(store).rows(
        "SELECT year_month, release FROM bench_medicare_prof WHERE state = 'GA' AND code = '99213' ORDER BY 1"
    )
    releases = ["2025-01"] * 3 + ["2025-04"] * 6 + ["2025-10"] * 3
    assert rows == [(f"2025-{n:02}", release) for n, release in enumerate(releases, 1)]


def test_loading_a_release_again_changes_nothing(store: Store, tmp_path: Path) -> None:
    first = load_benchmark(store, "medicare_prof", write_physician_fees(tmp_path))
    before = open_snapshot(store).rows("FROM bench_medicare_prof")
    assert load_benchmark(store, "medicare_prof", write_physician_fees(tmp_path)) == first
    assert open_snapshot(store).rows("FROM bench_medicare_prof") == before
    assert (first.rows_read, first.rows_priced, first.left_out) == (41, 41, {})


def test_keys_are_unique(demo_root: Path) -> None:
    db = open_snapshot(Store(demo_root))
    assert db.rows(
        "SELECT count(*) - count(DISTINCT (state, year_month, code_type, code)) FROM bench_medicare_prof"
    ) == [(0,)]


def test_what_is_wrong_with_a_file_is_told(store: Store, tmp_path: Path) -> None:
    rvu, gpci = write_physician_fees(tmp_path)
    other = tmp_path / "other.csv"

    def complaint(*paths: Path, **options: Any) -> str:
        with pytest.raises(ReferenceFileError) as raised:
            load_benchmark(store, "medicare_prof", list(paths), **options)
        assert store.manifest() is None
        return str(raised.value)

    def changed(path: Path, old: str, new: str) -> Path:
        assert old in path.read_text()
        other.write_text(path.read_text().replace(old, new))
        return other

    assert complaint(gpci) == "no relative value file (PPRRVU…) among the files: GPCI2025_demo.csv is a GPCI file"
    assert "no GPCI file among the files; give that of 2025 with --gpci" in complaint(rvu)
    other.write_text("a,b\n1,2\n")
    assert "other.csv: not a file of a known kind; expected a relative value file" in complaint(other, gpci)
    assert "cannot be read: No such file" in complaint(tmp_path / "none.csv", gpci)
    assert "name its first month with --year-month" in complaint(changed(rvu, "January Release", "Release"), gpci)
    assert "other.csv: row 4, code 10121: 'x' is no number" in complaint(changed(rvu, "2.74", "x"), gpci)
    assert "has more than 2 decimals" in complaint(changed(rvu, "2.74", "2.744"), gpci)
    assert "code 10121 stands there 2 times" in complaint(changed(rvu, "20610", "10121"), gpci)
    assert "this GPCI file is for 2026; the relative values are of 2025" in complaint(
        rvu, changed(gpci, "2025", "2026")
    )
    assert "'ZZ' is no state" in complaint(rvu, changed(gpci, ",AL,", ",ZZ,"))
    assert "2 conversion factors" in complaint(changed(rvu, "0.39,,,,,,,,,,,,,,32.3465", "0.39,,,,,,,,,,,,,,33"), gpci)
    assert "expected the columns" in complaint(rvu, changed(gpci, "2025 PE GPCI", "2025 PE"))
    assert "no localities below" in complaint(rvu, titles_only(gpci, other))
    april = renamed(tmp_path / "april", "April")[0]
    assert "several releases" in complaint(rvu, april, gpci)
    assert "has one only, 32.3465" in complaint(rvu, gpci, qpp=True)
    assert "leave out --no-floor" in complaint(rvu, gpci, no_floor=True)
    assert "this is a relative value file" in complaint(rvu, gpci=rvu)
    assert "--sheet is not an option of medicare_prof" in complaint(rvu, gpci, sheet="x")


def titles_only(path: Path, to: Path) -> Path:
    to.write_text("".join(path.read_text().splitlines(keepends=True)[:3]))
    return to


def test_files_may_come_in_their_zip(store: Store, tmp_path: Path) -> None:
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


def as_excel(path: Path) -> Path:
    """A csv file as the workbook Excel would make of it: what looks like a number is one."""
    book = xlsxwriter.Workbook(path.with_suffix(".xlsx"), {"strings_to_numbers": True})
    sheet = book.add_worksheet("data")
    with path.open(newline="", encoding="latin-1") as file:
        for number, row in enumerate(csv.reader(file)):
            sheet.write_row(number, 0, row)
    book.close()
    return path.with_suffix(".xlsx")


def as_txt(path: Path) -> Path:
    """A csv file as tab-separated text with Windows line ends."""
    with path.open(newline="", encoding="latin-1") as file, path.with_suffix(".txt").open("w", newline="") as to:
        csv.writer(to, delimiter="\t").writerows(csv.reader(file))
    return path.with_suffix(".txt")


@pytest.mark.parametrize("form", [as_excel, as_txt])
def test_every_format_gives_the_same_table(store: Store, tmp_path: Path, form: Callable[[Path], Path]) -> None:
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


def test_of_two_factors_the_lower_unless_asked(store: Store, tmp_path: Path) -> None:
    rvu, gpci = write_physician_fees(tmp_path)
    qpp = tmp_path / "PPRRVU25_JAN_QPP.csv"
    qpp.write_text(rvu.read_text().replace("32.3465", "33.5675"))
    for paths in ([rvu, qpp, gpci], [qpp, rvu, gpci]):
        assert "conversion factor 32.3465" in load_benchmark(store, "medicare_prof", paths).notes
        assert "conversion factor 33.5675" in load_benchmark(store, "medicare_prof", paths, qpp=True).notes
    assert "conversion factor 33.5675" in load_benchmark(store, "medicare_prof", [qpp, gpci]).notes
    assert open_snapshot(store).rows("SELECT DISTINCT conversion_factor FROM bench_medicare_prof") == [(33.5675,)]


def test_the_work_floor(store: Store, tmp_path: Path) -> None:
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


def test_anesthesia_is_its_base_units_times_the_factor(store: Store, tmp_path: Path) -> None:
    rvu, gpci = write_physician_fees(tmp_path)
    text = rvu.read_text()
    row = text.splitlines()[3].split(",")
    row[0], row[3], row[5], row[6], row[8], row[10] = "00100", "J", "0.00", "0.00", "0.00", "0.00"
    rvu.write_text(text + ",".join(row) + "\n")
    places = [line.split(",") for line in gpci.read_text().splitlines()[3:]]
    factors = tmp_path / "ANES2025.csv"
    lines = [f"{p[0]} ,{p[2]} ,{p[3]},{19 + n}.31 " for n, p in enumerate(places)]
    factors.write_text("\n".join(["Contractor,Locality,Locality Name,National Anes CF of 20.3178", *lines, ",,,"]))
    units = tmp_path / "anesthesia.csv"
    units.write_text("2025 Anesthesia Base Units by CPT Code\nCPT Code,Base Units\n100,5\n00102,6\n")
    without = load_benchmark(store, "medicare_prof", [rvu, gpci, factors])
    assert without.left_out == {"status J, anesthesia": 1}
    assert any("anesthesia is not priced" in note for note in without.notes)
    assert load_benchmark(store, "medicare_prof", [units, rvu, factors, gpci]).rows_priced == 42
    db = open_snapshot(store)
    assert db.rows("SELECT nonfacility_rate FROM bench_medicare_prof_locality WHERE code = '00100' ORDER BY 1") == [
        (round(5 * (19.31 + n), 2),) for n in range(7)
    ]
    florida = db.rows(
        """SELECT medicare_prof_rate, medicare_prof_rate_max, status FROM bench_medicare_prof
           WHERE code = '00100' AND state = 'FL' AND year_month = '2025-03'"""
    )
    assert florida == [(pytest.approx(5 * (20.31 + 21.31 + 22.31) / 3), 5 * 22.31, "J")]
    factors.write_text("\n".join(["Contractor,Locality,Locality Name,National Anes CF of 20.3178", *lines[:3], ",,,"]))
    with pytest.raises(ReferenceFileError, match="no anesthesia factor for contractor 09102, locality 99"):
        load_benchmark(store, "medicare_prof", [units, rvu, factors, gpci])
    factors.rename(tmp_path / "ANES2024.csv")
    with pytest.raises(ReferenceFileError, match="are for 2024, the relative values for 2025"):
        load_benchmark(store, "medicare_prof", [units, rvu, tmp_path / "ANES2024.csv", gpci])


def test_amounts_are_whole_numbers_of_cents_within_64_bits() -> None:
    largest = RelativeValue("1", "", "A", 10**6, 10**6, 10**6, 10**6)
    place = Locality("1", "AK", "01", "", 3000, 3000, 3000)
    assert compute_cents([largest], [place], 10**6, facility=True)[0, 0] == 10**6 * 3000 * 3 * 10**6 // 10**7
    assert compute_cents([], [place], 10**6, facility=True).shape == (0, 1)
    assert compute_cents([largest], [], 10**6, facility=True).dtype == np.int64
