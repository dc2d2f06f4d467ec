"""Inpatient base payments against the formula, from the tables of the rule."""

import csv
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from core.reference.benchmark_kinds import load_benchmark
from core.reference.benchmark_release import months_in_force
from core.reference.medicare.facilities.ipps import compute_payment
from core.reference.medicare.facilities.ipps_files import StandardizedAmounts
from core.runtime.errors import ReferenceFileError
from core.store.generations.store import Store
from tests.stores import open_snapshot

WEIGHTS = (
    '"TABLE 5.–LIST OF MEDICARE SEVERITY DIAGNOSIS-RELATED GROUPS, RELATIVE WEIGHTING FACTORS, \n'
    'AND MEAN LENGTH OF STAY–FY 2026 Final Rule"\t\t\t\t\t\r\n'
    "MS-DRG \tFY 2026 Final Post-Acute DRG\tMDC\tMS-DRG Title\tWeights - Before Cap\tWeights - 10% Cap Applied \r\n"
    "001\tNo\tPRE\tTITLE\t28.0239\t28.0239\r\n"
    '10\tNo\tPRE\t"TITLE, WITH A COMMA"\t3.0699\t7.1757\r\n'
    "998\tNo\t \tINVALID\t.\t.\r\n"
    "\t\t\t\t\t\r\n"
)
AMOUNTS = """\
FY 2026 FINAL RULE- Tables 1A-1E\t\t\t
"TABLE 1A.  NATIONAL ADJUSTED OPERATING STANDARDIZED AMOUNTS (IF WAGE INDEX GREATER THAN 1)"\t\t\t
Full update\t\tNot a user\t
Labor-related\tNonlabor-related\tLabor-related\tNonlabor-related
"$4,456.72 "\t"$2,295.89 "\t"$4,349.21 "\t"$2,240.51 "
\t\t\t
"TABLE 1B.  NATIONAL ADJUSTED OPERATING STANDARDIZED AMOUNTS (IF WAGE INDEX LESS THAN OR EQUAL TO 1)"\t\t\t
Labor-related\tNonlabor-related\tLabor-related\tNonlabor-related
"$4,186.62 "\t"$2,565.99 "\t"$4,085.63 "\t"$2,504.09 "
"TABLE 1C.  ADJUSTED OPERATING STANDARDIZED AMOUNTS FOR HOSPITALS IN PUERTO RICO"\t\t\t
National1\tNot Applicable\t"$4,186.62 "\t"$2,565.99 "
TABLE 1D. -  CAPITAL STANDARD FEDERAL PAYMENT RATE\t\t\t
National\t$524.15 \t\t
"TABLE 1E-  LTCH PPS STANDARD FEDERAL PAYMENT RATE\n\n"\t\t\t
Standard Federal Rate*\t\t"$50,824.51 "\t
"""
WAGES = """\
CBSA,CBSA Name,WI26
11,GEORGIA,0.7000
10500,"Albany, GA",0.9000
42034,"San Rafael, CA",1.8
"""


def base_payment(weight: str, index: float) -> float:
    """Return the payment by the rule, in floating point."""
    labor, rest = (4456.72, 2295.89) if index > 1 else (4186.62, 2565.99)
    return float(float(weight) * (labor * index + rest + 524.15 * index**0.6848))


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / name for name in ("Table 5.txt", "Tables 1A - 1E.txt", "wages.csv")]
    for path, text in zip(paths, (WEIGHTS, AMOUNTS, WAGES), strict=True):
        path.write_bytes(text.encode("cp1252"))
    return paths


def test_every_state_is_paid_by_weight_and_wage_index(store: Store, files: list[Path]) -> None:
    loaded = load_benchmark(store, "ipps", files)
    assert (loaded.release, loaded.months[0], loaded.months[-1], len(loaded.months)) == (
        "2025-10", "2025-10", "2026-09", 12,
    )  # fmt: skip
    assert (loaded.rows_read, loaded.rows_priced) == (3, 2)
    assert loaded.left_out == {"no weight: Medicare does not pay by it": 1}
    assert "base payment before hospital add-ons" in loaded.notes[0]
    assert not any("amounts are approximate" in note for note in loaded.notes)
    rows = open_snapshot(store).rows(
        """SELECT state, code_type, code, modifier, weight, amount, reason, wage_index FROM bench_ipps
           WHERE year_month = '2026-09' ORDER BY state, code"""
    )
    assert rows == [
        (
            state, "MS-DRG", code, "", float(weight) if weight else None,
            pytest.approx(round(base_payment(weight, index), 2)) if weight else None,
            None if weight else "not priced", pytest.approx(index),
        )
        for state, index in (("CA", 1.8), ("GA", 0.8))
        for code, weight in (("001", "28.0239"), ("010", "7.1757"), ("998", ""))
    ]  # fmt: skip


def test_a_row_says_what_it_takes_to_compute_it_for_another_wage_index(store: Store, files: list[Path]) -> None:
    load_benchmark(store, "ipps", files)
    (row,) = open_snapshot(store).rows(
        """SELECT weight * (labor_above_one * 1.2 + rest_above_one + capital_rate * 1.2 ** 0.6848),
                  weight * (labor_amount * 0.95 + rest_amount + capital_rate * 0.95 ** 0.6848)
           FROM bench_ipps WHERE year_month = '2026-01' AND state = 'GA' AND code = '001'"""
    )
    assert row == (pytest.approx(base_payment("28.0239", 1.2)), pytest.approx(base_payment("28.0239", 0.95)))


def test_an_index_of_one_takes_the_smaller_labor_share() -> None:
    amounts = StandardizedAmounts(4_456_72, 2_295_89, 4_000_00, 1_000_00, 500_00)
    assert compute_payment(amounts, Fraction(1)) == 5_500


def test_a_fiscal_year_is_in_force_from_october_to_september() -> None:
    months = months_in_force("2025-10", set(), 9)
    assert months == ("2025-10", "2025-11", "2025-12", *(f"2026-{n:02}" for n in range(1, 10)))
    assert months_in_force("2026-04", {"2025-10"}, 9) == tuple(f"2026-{n:02}" for n in range(4, 10))
    assert months_in_force("2025-10", {"2026-01"}, 9) == ("2025-10", "2025-11", "2025-12")
    assert months_in_force("2025-09", set(), 9) == ("2025-09",)


def test_an_older_table_with_one_column_of_weights_is_read(store: Store, files: list[Path]) -> None:
    text = WEIGHTS.replace("\tWeights - Before Cap", "").replace("Weights - 10% Cap Applied ", "Weights")
    text = text.replace("\t28.0239\t", "\t").replace("\t3.0699\t", "\t").replace("\t.\t.", "\t0.0000")
    files[0].write_bytes(text.encode("cp1252"))
    assert load_benchmark(store, "ipps", files).rows_priced == 2


def test_what_is_wrong_with_a_file_is_told(store: Store, files: list[Path]) -> None:
    texts = {path: path.read_bytes().decode("cp1252") for path in files}

    def complaint(path: Path, old: str, new: str) -> str:
        assert old in texts[path]
        path.write_bytes(texts[path].replace(old, new).encode("cp1252"))
        with pytest.raises(ReferenceFileError) as raised:
            load_benchmark(store, "ipps", files)
        path.write_bytes(texts[path].encode("cp1252"))
        assert store.manifest() is None
        return str(raised.value)

    weights, amounts, _ = files
    assert "MS-DRG 001: 'x' is not a weight" in complaint(weights, "\t28.0239\r", "\tx\r")
    assert "MS-DRG 001: '-1' is not a weight; expected zero or more" in complaint(weights, "\t28.0239\r", "\t-1\r")
    assert "MS-DRG 001 has two weights" in complaint(weights, "\n10\t", "\n1\t")
    assert "one headed '10% Cap Applied'" in complaint(weights, "10% Cap Applied", "After Cap")
    assert "tables of different fiscal years: Table 5.txt is of 2025, Tables 1A - 1E.txt is of 2026" in complaint(
        weights, "FY 2026", "FY 2025"
    )
    assert "no amounts of Table 1D; expected Tables 1A to 1E" in complaint(amounts, "$524.15", "none")
    assert "expected Table 1A for wage indices greater than 1" in complaint(amounts, "GREATER THAN 1", "HIGH")
    assert "divide different amounts, $6,752.61 and $6,852.61" in complaint(
        amounts, '$4,186.62 "\t"$2,565.99 "\t"$4,085', '$4,286.62 "\t"$2,565.99 "\t"$4,085'
    )
    with pytest.raises(
        ReferenceFileError, match=r"no inpatient standardized amounts \(Tables 1A to 1E\) among the files"
    ):
        load_benchmark(store, "ipps", [files[0], files[2]])
    for path in files[:2]:
        path.write_bytes(texts[path].replace("FY 2026", "").encode("cp1252"))
    with pytest.raises(ReferenceFileError, match="name its first month with --year-month, such as 2025-10"):
        load_benchmark(store, "ipps", files)
    assert load_benchmark(store, "ipps", files, year_month="2025-10").months[-1] == "2026-09"


@pytest.mark.in_turns(6, of="whole files of agencies")
def test_every_payment_of_cms_s_tables_is_to_the_cent(shared: Path, store: Store) -> None:
    with (shared / "ipps" / "drg_weights.txt").open(encoding="cp1252", newline="") as file:
        lines = [row for row in csv.reader(file, delimiter="\t") if row and row[0].isdigit()]
    weights = {row[0]: None if row[7] == "." else Decimal(row[7]) for row in lines}
    loaded = load_benchmark(
        store,
        "ipps",
        [shared / "ipps" / "drg_weights.txt", shared / "ipps" / "CMS-1833-F Tables 1A - 1E.txt"],
        wage_index=shared / "medicare" / "wage_index_2026.csv",
    )
    assert (loaded.rows_read, loaded.rows_priced, len(loaded.states)) == (772, 770, 54)
    rows = open_snapshot(store).rows(
        "SELECT state, code, amount, wage_index, weight FROM bench_ipps WHERE year_month = '2025-12'"
    )
    assert len(rows) == 772 * len(loaded.states)
    georgia = None
    for state, code, amount, index, weight in rows:
        expected = weights[code]
        assert weight == (None if expected is None else float(expected))
        if expected is None:
            assert amount is None
            continue
        w = Decimal(repr(index))
        labor, rest = ("4456.72", "2295.89") if w > 1 else ("4186.62", "2565.99")
        payment = Decimal(labor) * w + Decimal(rest) + Decimal("524.15") * w ** Decimal("0.6848")
        assert amount == float((expected * payment).quantize(Decimal("0.01"), ROUND_HALF_UP)), (state, code)
        if (state, code) == ("GA", "470"):
            georgia = amount
    assert georgia is not None
