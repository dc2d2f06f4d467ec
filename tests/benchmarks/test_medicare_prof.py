"""The physician fee schedule against its formula in decimal arithmetic."""

import csv
import random
import zipfile
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.benchmarks.errors import BenchmarkError
from core.benchmarks.load import load_medicare_prof, state_amounts
from core.benchmarks.medicare_prof import Locality, RelativeValue, cents, cents_table, read_files
from core.demo.benchmark import write_benchmark
from core.store.store import Store
from tests.conftest import open_snapshot

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
    table = cents_table(values, localities, factor, facility=facility)
    for row, value in enumerate(values):
        for column, place in enumerate(localities):
            expected = by_formula(value, place, factor, facility=facility)
            found = cents(value, place, factor, facility=facility)
            assert found == (None if expected is None else int(expected * 100))
            assert table[row, column] == (found or 0)


def test_los_angeles_in_july_2026(shared: Path) -> None:
    mpfs = shared / "medicare" / "mpfs"
    values, localities = read_files([mpfs / "GPCI2026.csv", mpfs / "PPRRVU2026_Jul_nonQPP.csv"])
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
    values, localities = read_files([mpfs / rvu, mpfs / gpci])
    assert values.release == release
    assert (values.rows_read, len(values.rows) + values.not_payable) == (rows, rows)
    with (mpfs / rvu).open(encoding="latin-1", newline="") as file:
        lines = list(csv.reader(file))
    payable = [line for line in lines if len(line) > 10 and line[3] in {"A", "R", "T"} and line[0] != "HCPCS"]
    assert len(values.rows) == len(payable)
    for line, value in random.Random(1).sample(list(zip(payable, values.rows, strict=True)), 500):
        assert (value.code, value.modifier, value.work) == (line[0], line[1], round(float(line[5]) * 100))
        assert value.nonfacility_pe == (None if line[7] == "NA" else round(float(line[6]) * 100))
    with (mpfs / gpci).open(encoding="latin-1", newline="") as file:
        listed = [line for line in csv.reader(file) if line and line[0].strip().isdigit()]
    assert len(localities) == len(listed)


def test_a_state_s_amount_is_the_mean_over_its_localities(tmp_path: Path) -> None:
    values, localities = read_files(write_benchmark(tmp_path))
    frame = state_amounts(values, localities)
    for state in ("GA", "FL"):
        mine = [place for place in localities if place.state == state]
        for value in values.rows:
            row = frame.filter((pl.col("state") == state) & (pl.col("code") == value.code)).row(0, named=True)
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
    georgia = frame.filter((pl.col("state") == "GA") & (pl.col("code") == "99213")).row(0, named=True)
    assert (georgia["medicare_prof_rate_min"], georgia["medicare_prof_rate_max"]) == (84.25, 89.24)
    assert georgia["medicare_prof_rate"] == pytest.approx((84.25 + 89.24) / 2)


def renamed(tmp_path: Path, month: str) -> list[Path]:
    """The demo's files as another release of the same year."""
    tmp_path.mkdir(exist_ok=True)
    paths = write_benchmark(tmp_path)
    paths[0].write_text(paths[0].read_text().replace("January Release", f"{month} Release"))
    return paths


@pytest.mark.parametrize("order", [("January", "April", "October"), ("October", "January", "April")])
def test_a_release_is_in_force_until_the_next_one(store: Store, tmp_path: Path, order: tuple[str, ...]) -> None:
    for month in order:
        load_medicare_prof(store, renamed(tmp_path / month, month))
    rows = open_snapshot(store).rows(
        "SELECT year_month, release FROM bench_medicare_prof WHERE state = 'GA' AND code = '99213' ORDER BY 1"
    )
    releases = ["2025-01"] * 3 + ["2025-04"] * 6 + ["2025-10"] * 3
    assert rows == [(f"2025-{n:02}", release) for n, release in enumerate(releases, 1)]


def test_loading_a_release_again_changes_nothing(store: Store, tmp_path: Path) -> None:
    first = load_medicare_prof(store, write_benchmark(tmp_path))
    before = open_snapshot(store).rows("FROM bench_medicare_prof")
    assert load_medicare_prof(store, write_benchmark(tmp_path)) == first
    assert open_snapshot(store).rows("FROM bench_medicare_prof") == before
    assert (first.rows_read, first.priced, first.not_payable, first.localities) == (41, 41, 0, 7)


def test_keys_are_unique(demo_root: Path) -> None:
    db = open_snapshot(Store(demo_root))
    assert db.rows(
        "SELECT count(*) - count(DISTINCT (state, year_month, code_type, code)) FROM bench_medicare_prof"
    ) == [(0,)]


def test_what_is_wrong_with_a_file_is_told(store: Store, tmp_path: Path) -> None:
    rvu, gpci = write_benchmark(tmp_path)
    other = tmp_path / "other.csv"

    def complaint(*paths: Path) -> str:
        with pytest.raises(BenchmarkError) as raised:
            load_medicare_prof(store, list(paths))
        assert store.manifest() is None
        return str(raised.value)

    def changed(path: Path, old: str, new: str) -> Path:
        assert old in path.read_text()
        other.write_text(path.read_text().replace(old, new))
        return other

    assert "got 2 and 0" in complaint(rvu, rvu)
    assert "got 1 and 0" in complaint(rvu)
    other.write_text("a,b\n1,2\n")
    assert "other.csv: neither a relative value file" in complaint(other, gpci)
    assert "cannot be read: No such file" in complaint(tmp_path / "none.csv", gpci)
    assert "name no release" in complaint(changed(rvu, "January Release", "Release"), gpci)
    assert "other.csv: row 4, code 10121: 'x' is no number" in complaint(changed(rvu, "2.74", "x"), gpci)
    assert "has more than 2 decimals" in complaint(changed(rvu, "2.74", "2.744"), gpci)
    assert "not for 2025" in complaint(rvu, changed(gpci, "2025", "2026"))
    assert "'ZZ' is no state" in complaint(rvu, changed(gpci, ",AL,", ",ZZ,"))
    assert "2 conversion factors" in complaint(changed(rvu, "0.39,,,,,,,,,,,,,,32.3465", "0.39,,,,,,,,,,,,,,33"), gpci)
    assert "expected the columns" in complaint(rvu, changed(gpci, "2025 PE GPCI", "2025 PE"))


def test_files_may_come_in_their_zip(store: Store, tmp_path: Path) -> None:
    rvu, gpci = write_benchmark(tmp_path)
    packed = tmp_path / "RVU25A.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("RVU25A.pdf", b"%PDF")
        archive.writestr("ANES2025.csv", "Contractor,Locality\n")
        archive.write(rvu, "PPRRVU25_JAN.csv")
    assert load_medicare_prof(store, [packed, gpci]).priced == 41
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("RVU25A.pdf", b"%PDF")
    with pytest.raises(BenchmarkError, match="no csv of the expected kind in this zip file"):
        load_medicare_prof(store, [packed, gpci])
    packed.write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(BenchmarkError, match="damaged or cut short"):
        load_medicare_prof(store, [packed, gpci])


def test_amounts_are_whole_numbers_of_cents_within_64_bits() -> None:
    largest = RelativeValue("1", "", "A", 10**6, 10**6, 10**6, 10**6)
    place = Locality("1", "AK", "01", "", 3000, 3000, 3000)
    assert cents_table([largest], [place], 10**6, facility=True)[0, 0] == 10**6 * 3000 * 3 * 10**6 // 10**7
    assert cents_table([], [place], 10**6, facility=True).shape == (0, 1)
    assert cents_table([largest], [], 10**6, facility=True).dtype == np.int64
