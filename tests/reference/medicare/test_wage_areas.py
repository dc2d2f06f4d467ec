"""The wage index of each area, kept with the release that was adjusted by it."""

from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest

from core.reference.benchmark_kinds import load_benchmark
from core.reference.medicare.wage_index import read_wage_index
from core.reference.spreadsheets import read_sheets
from core.store.generations.store import Store
from tests.stores import table

ADDENDUM_B = """\
HCPCS Code,Short Descriptor,SI,APC,Relative Weight,Payment Rate
70450,x,Q3,5522,1.1926,$106.34
99283,x,J2,5023,2.8811,"$1,256.90"
J1885,x,K,764,,$0.682
71046,x,N,,,
"""
AA = """\
HCPCS Code,Subject to Multiple Procedure Discounting,October 2025 Payment Indicator,October 2025 Payment Weight,\
October 2025 Payment Rate
45378,Y,A2,8.1,$444.65
29881,N,N1,,
"""
BB = """\
HCPCS Code,Drug and Device Pass-Through,October 2025 Payment Indicator,October 2025 Payment Weight,\
October 2025 Payment Rate
70450,,Z3,,$94.13
J1885,,K2,,$0.682
"""
WAGES = """\
CBSA,CBSA Name,WI25
03,ARIZONA,0.8539
11,GEORGIA,0.7000
11,GEORGIA,0.7000
31,NEW JERSEY,0.0000
12054,"Atlanta-Sandy Springs-Roswell, GA",0.9990
12260,"Augusta-Richmond County, GA-SC",0.8
39900,"Reno, NV",1.0175
39900,"Reno, NV",0.8946
50002,Lamar County,0.9083
"""
AREAS = [
    ("12054", "Atlanta-Sandy Springs-Roswell, GA", ["GA"], 0.999),
    ("12260", "Augusta-Richmond County, GA-SC", ["GA", "SC"], 0.8),
    ("39900", "Reno, NV", ["NV"], None),  # two indices, and nothing says whose
    ("50002", "Lamar County", [], 0.9083),
    # The rest of a state: its code in the file is not its FIPS code (04 is Arizona's).
    ("AZ", "ARIZONA", ["AZ"], 0.8539),
    ("GA", "GEORGIA", ["GA"], 0.7),
    ("NJ", "NEW JERSEY", ["NJ"], None),
]


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    found = {}
    for name, text in (("2025 January B.csv", ADDENDUM_B), ("wages.csv", WAGES), ("AA.csv", AA), ("BB.csv", BB)):
        found[name] = tmp_path / name
        found[name].write_text(text, encoding="utf-8")
    return found


def test_each_area_has_the_index_that_the_file_has_for_it(files: dict[str, Path]) -> None:
    (sheet,) = read_sheets(files["wages.csv"])
    assert read_wage_index(sheet).areas.select("wage_area", "name", "states", "wage_index").rows() == AREAS


def test_each_kind_of_benchmark_keeps_the_areas_of_its_own_release(store: Store, files: dict[str, Path]) -> None:
    def loaded() -> list[tuple[str, str, str, float | None]]:
        return table(store, "bench_wage_index").select("release", "kind", "wage_area", "wage_index").rows()

    opps = [("2025-01", "opps", area, index) for area, _, _, index in AREAS]
    asc = [("2025-10", "asc", area, index) for area, _, _, index in AREAS]
    load_benchmark(store, "opps", [files["2025 January B.csv"]], wage_index=files["wages.csv"])
    assert loaded() == opps
    load_benchmark(store, "asc", [files["AA.csv"], files["BB.csv"]], wage_index=files["wages.csv"])
    assert loaded() == opps + asc
    # The same month and another kind: neither replaces the other. The same kind again replaces what it had.
    load_benchmark(store, "opps", [files["2025 January B.csv"]], wage_index=files["wages.csv"], year_month="2025-10")
    assert loaded() == opps + asc + [("2025-10", *row[1:]) for row in opps]
    files["wages.csv"].write_text(WAGES.replace("12054", "12060"), encoding="utf-8")
    load_benchmark(store, "opps", [files["2025 January B.csv"]], wage_index=files["wages.csv"])
    assert loaded()[0] == ("2025-01", "opps", "12060", 0.999)
    assert len(loaded()) == 3 * len(AREAS)


@pytest.mark.parametrize(
    ("kind", "share", "amount"), [("opps", "0.6", "opps_mar_stateavg"), ("asc", "0.5", "asc_mar_stateavg")]
)
def test_the_labor_part_of_a_rate_is_what_an_index_multiplies(
    store: Store, files: dict[str, Path], kind: str, share: str, amount: str
) -> None:
    paths = [files["2025 January B.csv"]] if kind == "opps" else [files["AA.csv"], files["BB.csv"]]
    load_benchmark(store, kind, paths, wage_index=files["wages.csv"])
    rows = [row for row in table(store, f"bench_{kind}").to_dicts() if row["state"] == "AZ"]
    adjusted = fixed = 0
    for row in rows:
        labor = row["labor_amount"]
        assert (labor is None) == (row[amount] is None)
        if labor is None:
            continue
        rate = Decimal(repr(row[f"{kind}_rate"]))
        assert Decimal(repr(labor)) in {rate * Decimal(share), 0}
        # Arizona has one area, so that its mean is the area's index.
        exact = rate + Decimal(repr(labor)) * (Decimal("0.8539") - 1)
        assert Decimal(repr(row[amount])) == exact.quantize(Decimal("0.01"), ROUND_HALF_UP)
        adjusted, fixed = adjusted + (labor > 0), fixed + (labor == 0)
    assert adjusted > 0
    assert fixed > 0
