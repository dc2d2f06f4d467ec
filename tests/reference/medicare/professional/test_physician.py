"""The physician fee schedule in the store: every locality's amounts, a state's means, releases and anesthesia."""

import csv
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from core.demo.physician_fees import write_physician_fees
from core.reference.benchmark_kinds import load_benchmark
from core.reference.benchmark_release import LoadedBenchmark
from core.reference.medicare.professional.physician import AmountTable, StateAmounts
from core.reference.medicare.professional.physician_files import STATUSES, read_fee_schedule
from core.runtime.errors import ReferenceFileError
from core.store.generations.store import Store
from tests.reference.medicare.professional.physician_reference import by_formula, renamed
from tests.stores import copy_store, open_snapshot


@pytest.fixture(scope="module")
def nation(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, LoadedBenchmark]:
    """Return a store with PPRRVU of October 2025 and the GPCIs of 2025, and what was reported of their load."""
    store = Store(tmp_path_factory.mktemp("nation") / "data")
    mpfs = shared / "medicare" / "mpfs"
    return store, load_benchmark(store, "medicare_prof", [mpfs / "PPRRVU2025_Oct.csv", mpfs / "GPCI2025.csv"])


@pytest.mark.in_turns(6, of="whole files of agencies")
def test_every_amount_of_the_nation_equals_the_formula(shared: Path, nation: tuple[Store, LoadedBenchmark]) -> None:
    """PPRRVU of October 2025 and the GPCIs of 2025: each priced code in each locality, computed from the csv alone.

    What is limited to the outpatient price is taken from the OPPSCAP file, which the loader is not given here.
    """
    mpfs = shared / "medicare" / "mpfs"
    with (mpfs / "PPRRVU2025_Oct.csv").open(encoding="latin-1", newline="") as file:
        lines = [line for line in csv.reader(file) if len(line) == 31 and line[3] in {"A", "R", "T"}]
    with (mpfs / "GPCI2025.csv").open(encoding="latin-1", newline="") as file:
        places = [line for line in csv.reader(file) if line[0].isdigit()]
    expected: dict[tuple[str, str, str, str], tuple[int, int]] = {}
    for line in lines:
        # CMS's file has the other setting's value in a column that is marked NA.
        work, nonfacility, facility, mp = (int(Decimal(line[n]) * 100) for n in (5, 6, 8, 10))
        factor = int(Decimal(line[24]) * 10_000)
        for place in places:
            pw, pe, pm = (int(Decimal(cell) * 1000) for cell in place[4:7])
            # Whole numbers of 10**-9 dollars; 10**7 of them are a cent.
            amounts = [
                ((work * pw + own * pe + mp * pm) * factor * 2 + 10**7) // (2 * 10**7)
                for own in (nonfacility, facility)
            ]
            if any(amounts):
                expected[place[0], place[2], line[0], line[1]] = (amounts[0], amounts[1])
    listed = {(place[0], place[2]) for place in places}
    with (shared / "mpfs_extra" / "OPPSCAP_Oct.csv").open(encoding="latin-1", newline="") as file:
        caps = [line for line in csv.reader(file) if len(line) == 7 and tuple(line[3:5]) in listed]
    assert len(caps) == 140 * 109
    for code, modifier, _, contractor, locality, facility_price, price in caps:
        expected[contractor, locality, code, modifier] = (
            int(Decimal(price) * 100),
            int(Decimal(facility_price) * 100),
        )
    store, loaded = nation
    db = open_snapshot(store)
    rows = db.rows(
        """SELECT contractor, locality, code, modifier, coalesce(round(nonfacility_rate * 100)::INT, 0),
                  coalesce(round(facility_rate * 100)::INT, 0) FROM bench_medicare_prof_locality
           WHERE state <> 'US'"""
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


@pytest.mark.in_turns(6, of="whole files of agencies")
def test_the_whole_zip_file_of_cms_loads_and_its_caps_are_the_computed_ones(
    shared: Path, nation: tuple[Store, LoadedBenchmark], tmp_path: Path
) -> None:
    computed, plain = nation
    store = Store(copy_store(computed.root, tmp_path / "data"))
    loaded = load_benchmark(store, "medicare_prof", [shared / "medicare" / "rvu" / "RVU25D.zip"])
    amounts = "bench_medicare_prof_locality"
    states = "(FROM bench_medicare_prof WHERE year_month = '2025-12')"
    for table in (amounts, states):
        # Hashes of rows in place of a million rows: what differs in one of them differs in the sum.
        hashes = f"SELECT count(*), sum(hash(one)) FROM {table} one"
        assert open_snapshot(store).rows(hashes) == open_snapshot(computed).rows(hashes)
    assert loaded.files == tuple(
        f"RVU25D.zip: {name}" for name in ("PPRRVU2025_Oct.csv", "GPCI2025.csv", "OPPSCAP_Oct.csv")
    )
    assert loaded.rows_priced == plain.rows_priced
    for note in (
        "58 rows of imaging are limited to the hospital outpatient price, from the OPPSCAP file",
        "82 rows that the contractor prices have the limit as their amount, from the OPPSCAP file",
    ):
        assert note in loaded.notes


def test_the_national_amounts_are_relative_values_times_the_factor(
    shared: Path, nation: tuple[Store, LoadedBenchmark]
) -> None:
    """They are adjusted to no place, in no state's rows, and computed from the csv alone."""
    mpfs = shared / "medicare" / "mpfs"
    db = open_snapshot(nation[0])
    found = {
        row[:2]: row[2:]
        for row in db.rows(
            """SELECT code, modifier, nonfacility_rate, facility_rate FROM bench_medicare_prof_locality
               WHERE (state, contractor, locality, locality_name) = ('US', '00000', '00', 'NATIONAL')"""
        )
    }
    assert len(found) == nation[1].rows_priced
    below = 0
    for line in all_lines(mpfs / "PPRRVU2025_Oct.csv"):
        if line[3] in {"A", "R", "T"} and (line[0], line[1]) in found:
            for amount, practice in zip(found[line[0], line[1]], (6, 8), strict=True):
                units = sum(Decimal(line[n]) for n in (5, practice, 10))
                exact = (units * Decimal(line[24])).quantize(Decimal("0.01"), "ROUND_HALF_UP")
                assert amount is None or amount <= float(exact)
                below += amount is not None and amount < float(exact)
    assert below <= 2 * 70, "only imaging, which is limited to the hospital outpatient price"
    assert found["27447", ""] == (1257.63, 1257.63)
    assert db.rows("SELECT count(*) FROM bench_medicare_prof WHERE state = 'US'") == [(0,)]


PUBLISHED = """\
01112 57 50688 - 77.78   77.78
02102 01 50688 - 96.38   96.38
10212 01 50688 - 76.45   76.45
13202 02 50688 - 88.97   88.97
01112 05 76145 - 1339.81 1339.81
01112 54 76145 - 1037.27 1037.27
05302 02 76814 26 44.32  44.32
06102 16 76814 26 46.13  46.13
"""
"""Rows of CMS's own payment file of October 2025 (PFREV4): 50688 is marked NA outside facilities, 76145 in them."""


def test_cms_s_own_payment_file_has_the_same_amounts(nation: tuple[Store, LoadedBenchmark]) -> None:
    rows = open_snapshot(nation[0]).rows(
        """SELECT contractor, locality, code, modifier, nonfacility_rate, facility_rate, nonfacility_na, facility_na
           FROM bench_medicare_prof_locality WHERE code IN ('50688', '76145', '76814')"""
    )
    found = {row[:4]: row[4:] for row in rows}
    flags = {"50688": (True, False), "76145": (False, True), "76814": (False, False)}
    for line in PUBLISHED.splitlines():
        contractor, locality, code, modifier, *amounts = line.split()
        key = contractor, locality, code, modifier.strip("-")
        assert found[key] == (*map(float, amounts), *flags[code]), key


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


def test_a_code_marked_na_has_the_other_setting_s_amount_and_its_flag(store: Store, tmp_path: Path) -> None:
    load_benchmark(store, "medicare_prof", write_physician_fees(tmp_path))
    rows = open_snapshot(store).rows(
        """SELECT code, medicare_prof_rate = facility_rate, nonfacility_na, facility_na FROM bench_medicare_prof
           WHERE code IN ('27447', '70450', '99213') AND state = 'AL' AND year_month = '2025-01' ORDER BY 1"""
    )
    assert rows == [("27447", True, True, False), ("70450", True, False, True), ("99213", False, False, False)]


def test_keys_are_unique(demo_root: Path) -> None:
    db = open_snapshot(Store(demo_root))
    assert db.rows(
        "SELECT count(*) - count(DISTINCT (state, year_month, code_type, code)) FROM bench_medicare_prof"
    ) == [(0,)]


def test_a_status_that_is_not_in_cms_s_list_is_reported(store: Store, tmp_path: Path) -> None:
    rvu, gpci = write_physician_fees(tmp_path)
    text = rvu.read_text()
    row = text.splitlines()[3].split(",")
    row[0], row[3] = "99499", "Z"
    rvu.write_text(text + ",".join(row) + "\n")
    loaded = load_benchmark(store, "medicare_prof", [rvu, gpci])
    assert loaded.left_out == {"status Z, not in CMS's list": 1}
    assert "status 'Z', not in CMS's list: 1 rows not priced" in loaded.notes


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
