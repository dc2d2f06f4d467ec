"""Outpatient and surgical-center prices against the files of CMS and a reference in decimal arithmetic."""

import csv
from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.reference.benchmark_kinds import load_benchmark
from core.reference.medicare.addenda import read_prices
from core.reference.medicare.wage_index import adjust_rates
from core.reference.recognize import ADDENDUM_B as ADDENDUM_B_KIND
from core.reference.spreadsheets import Sheet
from core.runtime.errors import ReferenceFileError
from core.store.generations.store import Store
from tests.stores import open_snapshot

ADDENDUM_B = """\
\tAddendum B.-- OPPS Payment by HCPCS Code for CY 2025\t\t\t\t\t
\t"A title that goes on
over two lines"\t\t\t\t\t
HCPCS Code\tShort Descriptor\t CI\t SI\t APC \tRelative Weight\tPayment Rate
70450\tx\t\tQ3\t5522\t1.1926\t$106.34
99283\tx\t\tJ2\t5023\t2.8811\t"$1,256.90"
J1885\tx\t\tK\t764\t\t$0.682
36415\tx\t\tQ4\t\t\t
93000\tx\t\tM\t\t.\t.
71046\xa0\tx\t\tN\t\t\t
G0001\tx\t\tZ9\t\t\t$5.00
"""
WAGES = """\
CBSA,CBSA Name,WI25
11,GEORGIA,0.7000
31,NEW JERSEY,0.0000
10500,"Albany, GA",0.9000
12260,"Augusta-Richmond County, GA-SC",0.8
45,TEXAS,0.84
50002,Lamar County,0.9083
"""
AA = """\
Addendum AA -- ASC Covered Surgical Procedures,,,,,,
HCPCS Code,,,Subject to Multiple Procedure Discounting,October 2025 Payment Indicator,October 2025  \
Payment Weight  ,October 2025 Payment Rate\x20
45378,,x,Y,A2,8.1,$444.65
66984,,x,Y,J8,30.5,"$1,674.30"
10060,,x,Y,P3,,$80.54
29881,,x,N,N1,,
Note: Payment indicators for ...,,,,,,
"""
BB = """\
Addendum BB -- ASC Covered Ancillary Services,,,,,,,
HCPCS Code,,,Drug and Device Pass-Through,October 2025 Payment Indicator,October 2025 Payment Weight,\
October 2025 Payment Rate,October 2025 IRA-22 Adjusted Copayment1
70450,,x,,Z3,,$94.13,
J1885,,x,,K2,,$0.682,
70460,,x,,D5,,$3.00,
"""


def cents(dollars: str | Decimal) -> Decimal:
    return Decimal(dollars).quantize(Decimal("0.01"), ROUND_HALF_UP)


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    found = {}
    for name, text in (("B.txt", ADDENDUM_B), ("wages.csv", WAGES), ("AA.csv", AA), ("BB.csv", BB)):
        found[name] = tmp_path / name
        found[name].write_text(text, encoding="latin-1")
    return found


def test_addendum_b_by_state(store: Store, files: dict[str, Path]) -> None:
    loaded = load_benchmark(store, "opps", [files["B.txt"]], wage_index=files["wages.csv"])
    assert (loaded.release, loaded.rows_read, loaded.rows_priced) == ("2025-01", 7, 3)
    assert loaded.left_out == {
        "not priced: M, not billable": 1,
        "not priced: Z9, not in CMS's list": 1,
        "packaged: N, packaged into other services": 1,
        "packaged: Q4, laboratory, packaged, else paid under its own schedule": 1,
    }
    assert loaded.states == ("GA", "SC", "TX")
    rows = open_snapshot(store).rows(
        """SELECT code_type, code, opps_si, opps_apc, opps_weight, opps_rate, opps_mar_stateavg
           FROM bench_opps WHERE state = 'GA' AND year_month = '2025-08' ORDER BY code"""
    )
    georgia = (Decimal("0.7") + Decimal("0.9") + Decimal("0.8")) / 3  # the rural area and two urban ones
    share = Decimal("0.6") * georgia + Decimal("0.4")
    assert rows == [
        ("CPT", "36415", "Q4", None, None, None, None),
        ("CPT", "70450", "Q3", "5522", 1.1926, 106.34, float(cents(Decimal("106.34") * share))),
        ("CPT", "71046", "N", None, None, None, None),
        ("CPT", "93000", "M", None, None, None, None),
        ("CPT", "99283", "J2", "5023", 2.8811, 1256.9, float(cents(Decimal("1256.90") * share))),
        ("HCPCS", "G0001", "Z9", None, None, 5.0, None),
        ("HCPCS", "J1885", "K", "0764", None, 0.682, 0.68),
    ]


def test_addenda_aa_and_bb_by_state(store: Store, files: dict[str, Path]) -> None:
    loaded = load_benchmark(store, "asc", [files["BB.csv"], files["wages.csv"], files["AA.csv"]])
    assert (loaded.release, loaded.months) == ("2025-10", ("2025-10", "2025-11", "2025-12"))
    assert (loaded.rows_read, loaded.rows_priced) == (7, 5)
    assert loaded.left_out == {"not priced: D5, discontinued": 1, "packaged: N1, packaged into other services": 1}
    rows = open_snapshot(store).rows(
        """SELECT code, asc_pi, asc_rate, asc_mar_stateavg, wage_index
           FROM bench_asc WHERE state = 'TX' AND year_month = '2025-10' ORDER BY code"""
    )
    share = Decimal("0.5") * Decimal("0.84") + Decimal("0.5")
    assert rows == [
        ("10060", "P3", 80.54, float(cents(Decimal("80.54") * share)), 0.84),
        ("29881", "N1", None, None, 0.84),
        ("45378", "A2", 444.65, float(cents(Decimal("444.65") * share)), 0.84),
        ("66984", "J8", 1674.3, float(cents(Decimal("1674.30") * share)), 0.84),
        ("70450", "Z3", 94.13, float(cents(Decimal("94.13") * share)), 0.84),
        ("70460", "D5", 3.0, None, 0.84),
        ("J1885", "K2", 0.682, 0.68, 0.84),
    ]
    alone = load_benchmark(store, "asc", [files["AA.csv"], files["wages.csv"]])
    assert "no Addendum BB: ancillary services are not loaded" in alone.notes


def test_loading_again_changes_nothing(store: Store, files: dict[str, Path]) -> None:
    first = load_benchmark(store, "opps", [files["B.txt"], files["wages.csv"]])
    before = open_snapshot(store).rows("FROM bench_opps")
    assert load_benchmark(store, "opps", [files["wages.csv"], files["B.txt"]]) == first
    assert open_snapshot(store).rows("FROM bench_opps") == before
    assert open_snapshot(store).rows("SELECT count(*), max(rows_read) FROM dim_benchmark") == [(1, 7)]


def test_a_quarter_takes_the_months_from_its_first(store: Store, files: dict[str, Path], tmp_path: Path) -> None:
    july = tmp_path / "2025_July_Addendum_B.txt"
    july.write_text(ADDENDUM_B.replace("$106.34", "$206.34"), encoding="latin-1")
    october = tmp_path / "october.txt"
    october.write_text(ADDENDUM_B.replace("for CY 2025", "for CY 2025, October 2025"), encoding="latin-1")
    for path in (october, files["B.txt"], july):
        load_benchmark(store, "opps", [path, files["wages.csv"]])
    rows = open_snapshot(store).rows(
        "SELECT year_month, release, opps_rate FROM bench_opps WHERE state = 'SC' AND code = '70450' ORDER BY 1"
    )
    releases = ["2025-01"] * 6 + ["2025-07"] * 3 + ["2025-10"] * 3
    assert [row[:2] for row in rows] == [(f"2025-{n:02}", release) for n, release in enumerate(releases, 1)]
    assert {row[2] for row in rows if row[1] == "2025-07"} == {206.34}


@given(st.integers(0, 10**9), st.fractions(0, 3, max_denominator=10**6), st.sampled_from([50, 60]))
def test_adjusting_rounds_once(rate: int, index: Fraction, labor: int) -> None:
    exact = Fraction(rate, 1000) * (Fraction(labor, 100) * index + 1 - Fraction(labor, 100))
    found = int(adjust_rates(np.array([rate], np.int64), index, labor)[0])
    assert abs(found - exact * 100) <= Fraction(1, 2)
    assert found - exact * 100 != Fraction(-1, 2), "half a cent goes up"


def test_what_is_wrong_with_a_file_is_told(store: Store, files: dict[str, Path], tmp_path: Path) -> None:
    def complaint(kind: str, *names: str, text: str = "", **options: Path) -> str:
        paths = [files[name] for name in names]
        if text:
            paths.append(tmp_path / "other.csv")
            paths[-1].write_text(text, encoding="latin-1")
        with pytest.raises(ReferenceFileError) as raised:
            load_benchmark(store, kind, paths, **options)
        assert store.manifest() is None
        return str(raised.value)

    gpci = tmp_path / "GPCI2025.csv"
    gpci.write_text("Contractor,State,Locality Number,Locality Name,2025 PW GPCI,2025 PE GPCI,2025 MP GPCI\n")
    files["gpci"] = gpci
    assert "GPCI2025.csv: this is a GPCI file (load_benchmark medicare_prof PPRRVU… --gpci FILE)" in complaint(
        "opps", "B.txt", "gpci"
    )
    assert "AA.csv: this is an ASC addendum (AA or BB) (load_benchmark asc)" in complaint("opps", "AA.csv")
    assert "no OPPS Addendum B among the files: wages.csv is a wage index file" in complaint("opps", "wages.csv")
    assert "give the CMS wage index file with --wage-index" in complaint("opps", "B.txt")
    assert "this is an ASC addendum" in complaint("opps", "B.txt", wage_index=files["AA.csv"])
    odd = ADDENDUM_B.replace("$106.34", "x")
    assert "other.csv: row 4, code 70450: 'x' is not a number" in complaint("opps", "wages.csv", text=odd)
    twice = ADDENDUM_B.replace("36415", "70450")
    assert (
        "other.csv: code 70450 is in it 2 times, with different content (Q3 $106.340; Q4 without a rate)"
        in complaint("opps", "wages.csv", text=twice)
    )
    unnamed = ADDENDUM_B.replace("CY 2025", "the year")
    assert "name its first month with --year-month" in complaint("opps", "wages.csv", text=unnamed)
    assert "70450: in both Addendum AA and Addendum BB, with different content" in complaint(
        "asc", "BB.csv", "wages.csv", text=AA.replace("10060", "70450")
    )
    january = BB.replace("October", "January")
    assert "different quarters: 2025-01, 2025-10" in complaint("asc", "AA.csv", "wages.csv", text=january)
    nothing = ADDENDUM_B.replace("$106.34", "").replace('"$1,256.90"', "").replace("$0.682", "").replace("$5.00", "")
    assert "none of 7 rows has an amount; expected the table of amounts" in complaint("opps", "wages.csv", text=nothing)
    assert "'x' is not a wage index" in complaint("opps", "B.txt", text=WAGES.replace("0.84", "x"))
    assert "no areas with a state" in complaint("opps", "B.txt", text="".join(WAGES.splitlines(True)[:1]))


def test_a_row_that_repeats_another_counts_once(store: Store, files: dict[str, Path]) -> None:
    row = "70450,,x,,Z3,,$94.13,\n"
    files["BB.csv"].write_text(BB + row + row, encoding="latin-1")
    files["AA.csv"].write_text(AA + "70450,,x,N,Z3,,$94.13\n", encoding="latin-1")
    loaded = load_benchmark(store, "asc", [files["AA.csv"], files["BB.csv"], files["wages.csv"]])
    assert (loaded.rows_read, loaded.rows_priced, loaded.left_out["the same row again"]) == (10, 5, 3)
    rows = open_snapshot(store).rows(
        "SELECT count(*) FROM bench_asc WHERE code = '70450' AND state = 'TX' AND year_month = '2025-10'"
    )
    assert rows == [(1,)]


def test_the_month_may_stand_before_the_letters_of_the_calendar_year(store: Store, files: dict[str, Path]) -> None:
    for name, text in (("AA.csv", AA), ("BB.csv", BB)):
        april = text.replace("October 2025", "April CY 2020").replace("Procedures,", "Procedures for CY 2020,")
        files[name].write_text(april, encoding="latin-1")
    loaded = load_benchmark(store, "asc", [files["AA.csv"], files["BB.csv"], files["wages.csv"]])
    assert (loaded.release, loaded.months[0]) == ("2020-04", "2020-04")


def test_a_blank_index_is_none_and_an_area_with_several_counts_with_their_mean(
    store: Store, files: dict[str, Path]
) -> None:
    wages = WAGES.replace("31,NEW JERSEY,0.0000", "31,NEW JERSEY,").replace(
        "45,TEXAS,0.84\n", '45,TEXAS,0.84\n45,TEXAS,0.94\n45,TEXAS,0.94\n10180,"Abilene, TX",0.7\n'
    )
    files["wages.csv"].write_text(wages)
    loaded = load_benchmark(store, "opps", [files["B.txt"], files["wages.csv"]])
    assert loaded.states == ("GA", "SC", "TX")
    assert "1 areas are listed with several indices, and count with their mean: TEXAS" in loaded.notes
    assert "2 areas without an index or a state left out of the means" in loaded.notes
    (row,) = open_snapshot(store).rows(
        "SELECT DISTINCT wage_index FROM bench_opps WHERE state = 'TX' AND year_month = '2025-01'"
    )
    assert row == (pytest.approx((0.89 + 0.7) / 2),)


def test_a_skin_substitute_has_one_price_everywhere(store: Store, files: dict[str, Path]) -> None:
    files["B.txt"].write_text(ADDENDUM_B + "Q4101\tx\t\tS1\t6000\t\t$127.14\n", encoding="latin-1")
    files["BB.csv"].write_text(BB + "Q4101,,x,,S2,,$127.14,\n", encoding="latin-1")
    load_benchmark(store, "opps", [files["B.txt"], files["wages.csv"]])
    load_benchmark(store, "asc", [files["BB.csv"], files["wages.csv"]])
    for table, column in (("bench_opps", "opps_mar_stateavg"), ("bench_asc", "asc_mar_stateavg")):
        rows = open_snapshot(store).rows(f"SELECT DISTINCT {column}, reason FROM {table} WHERE code = 'Q4101'")
        assert rows == [(127.14, None)]


def test_an_indicator_that_is_not_known_is_told_at_load(store: Store, files: dict[str, Path]) -> None:
    loaded = load_benchmark(store, "opps", [files["B.txt"], files["wages.csv"]])
    assert "indicators not in CMS's list, whose codes are not priced: Z9 (1 code)" in loaded.notes


FF = """"Addendum FF -- ASC Device Offset Percentages for CY 2025
(For Covered Surgical Procedures)",,,,,,
HCPCS Code,,Short Descriptor,October 2025 Payment Indicator,October 2025 Device Offset Percentage,\
October 2025 Device Offset Amount / Device Portion,
66984,,x,J8,59.73%,"$1,000.00",
45378,,x,A2,1%,$4.00,
29881,,x,N1,,,
"""


def test_the_device_part_of_a_device_intensive_procedure_is_not_adjusted(
    store: Store, files: dict[str, Path], tmp_path: Path
) -> None:
    parts = tmp_path / "FF.csv"
    parts.write_text(FF)
    loaded = load_benchmark(store, "asc", [parts, files["AA.csv"], files["BB.csv"], files["wages.csv"]])
    assert "the device part of 1 device-intensive procedures (J8) is not wage adjusted" in loaded.notes
    assert "FF.csv" in loaded.files
    rows = open_snapshot(store).rows(
        """SELECT code, asc_mar_stateavg FROM bench_asc
           WHERE state = 'TX' AND year_month = '2025-10' AND code IN ('45378', '66984') ORDER BY 1"""
    )
    share = Decimal("0.5") * Decimal("0.84") + Decimal("0.5")
    assert rows == [
        ("45378", float(cents(Decimal("444.65") * share))),
        ("66984", float(cents(Decimal("674.30") * share + 1000))),
    ]
    without = load_benchmark(store, "asc", [files["AA.csv"], files["BB.csv"], files["wages.csv"]])
    assert "no Addendum FF: the device part of device-intensive procedures (J8) is wage adjusted too" in without.notes
    for text, problem in (
        (FF.replace("$1,000.00", "x"), "row 3, code 66984: 'x' is not an amount"),
        (FF.replace("$1,000.00", "$2,000.00"), r"the device part \$2,000.00 is more than the rate \$1,674.30"),
        (FF.replace("October", "July"), "different quarters: 2025-07, 2025-10"),
        (FF.replace("Device Offset Amount", "Device Offset"), "no column of device offset amounts"),
    ):
        parts.write_text(text)
        with pytest.raises(ReferenceFileError, match=problem):
            load_benchmark(store, "asc", [parts, files["AA.csv"], files["BB.csv"], files["wages.csv"]])


def test_a_rate_is_rounded_to_cents_and_half_a_cent_is_paid_as_one(store: Store, files: dict[str, Path]) -> None:
    # Drugs (K) have three decimals and are not wage adjusted.
    rates = {"J0001": "$0.687", "J0002": "$0.005", "J0003": "$0.004", "J0004": "$0.684"}
    lines = [f"{code}\tx\t\tK\t764\t\t{rate}\n" for code, rate in rates.items()]
    files["B.txt"].write_text("".join([*ADDENDUM_B.splitlines(keepends=True)[:4], *lines]), encoding="latin-1")
    loaded = load_benchmark(store, "opps", [files["B.txt"], files["wages.csv"]])
    assert (loaded.rows_priced, loaded.left_out) == (3, {"no rate: K, drug": 1})
    amounts = open_snapshot(store).rows(
        "SELECT code, opps_mar_stateavg FROM bench_opps WHERE state = 'GA' AND year_month = '2025-01' ORDER BY code"
    )
    assert amounts == [("J0001", 0.69), ("J0002", 0.01), ("J0003", None), ("J0004", 0.68)]


def test_a_code_with_two_blanks_behind_it_is_read() -> None:
    header = ["HCPCS Code", "SI", "APC", "Relative Weight", "Payment Rate"]
    rows = [header, ["70450  ", "S", "5522", "1", "$5.00"], ["70460 see the note", "S", "5522", "1", "$5.00"]]
    prices = read_prices(Sheet(Path("b.csv"), "", "", rows), ADDENDUM_B_KIND, "SI")
    assert [price.code for price in prices] == ["70450"]


@pytest.mark.in_turns(6, of="whole files of agencies")
def test_txt_and_excel_of_cms_give_the_same_table(shared: Path, store: Store) -> None:
    directory = shared / "medicare"
    tables = []
    for suffix in ("txt", "xlsx"):
        path = directory / "opps" / f"2025 NFRM Addendum B.11122024.{suffix}"
        loaded = load_benchmark(store, "opps", [path], wage_index=directory / "wage_index_2026.csv")
        assert (loaded.release, loaded.rows_read, loaded.rows_priced) == ("2025-01", 18_682, 6_634)
        assert any("the wage index is of 2026, the rates of 2025" in note for note in loaded.notes)
        tables.append(open_snapshot(store).rows("FROM bench_opps WHERE state = 'GA' AND year_month = '2025-12'"))
    assert tables[0] == tables[1]


def test_every_rate_of_cms_is_adjusted(shared: Path, store: Store) -> None:
    directory = shared / "medicare"
    indices = defaultdict(list)
    with (directory / "wage_index_2026.csv").open(encoding="latin-1", newline="") as file:
        for row in list(csv.reader(file))[1:]:
            states = ["GA"] if row[1] == "GEORGIA" else row[1].rpartition(", ")[2].split("-") if "," in row[1] else []
            for state in states:
                indices[state].append(Decimal(row[2]))
    georgia = sum(indices["GA"], Decimal()) / len(indices["GA"])
    expected = {}
    for name in ("AA.csv", "BB.csv"):
        with (directory / "asc" / "2025-10" / name).open(encoding="latin-1", newline="") as file:
            for row in csv.reader(file):
                if len(row) > 6 and "$" in row[6] and row[4] not in {"D5", "N1"}:
                    rate = Decimal(row[6].strip(" $").replace(",", ""))
                    share = 1 if row[4] in {"K2", "H2"} else georgia / 2 + Decimal("0.5")
                    expected[row[0]] = cents(rate * share)
    paths = [directory / "asc" / "2025-10" / "AA.csv", directory / "asc" / "2025-10" / "BB.csv"]
    loaded = load_benchmark(store, "asc", paths, wage_index=directory / "wage_index_2026.csv")
    found = dict(
        open_snapshot(store).rows(
            """SELECT code, round(asc_mar_stateavg, 2)::DECIMAL(12, 2) FROM bench_asc
               WHERE state = 'GA' AND year_month = '2025-11' AND asc_mar_stateavg IS NOT NULL"""
        )
    )
    assert found == {code: amount for code, amount in expected.items() if amount}
    assert loaded.rows_priced == len(found)
