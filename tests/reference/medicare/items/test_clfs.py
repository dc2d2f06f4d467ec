"""The laboratory fee schedule against a reader of a few lines, in every layout, and against CMS's own file."""

import csv
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.demo.item_fees import lab_table, write_item_fees
from core.reference.benchmark_kinds import load_benchmark
from core.runtime.errors import ReferenceFileError
from core.store.generations.store import Store
from tests.reference.medicare.items.item_files import write_csv, write_lab_text, write_xlsx
from tests.stores import open_snapshot

Priced = dict[tuple[str, str], Decimal | None]


def amounts(store: Store, month: str) -> Priced:
    """Return every amount of a month by code and modifier."""
    rows = open_snapshot(store).rows(
        f"SELECT code, modifier, amount::DECIMAL(12, 3) FROM bench_clfs WHERE year_month = '{month}' AND state = 'US'"
    )
    found = {(code, modifier): amount for code, modifier, amount in rows}
    assert len(found) == len(rows)
    return found


def read_slowly(path: Path) -> Priced:
    """Read CMS's csv in the plainest way."""
    with path.open(encoding="cp1252", newline="") as file:
        rows = [row for row in csv.reader(file) if len(row) > 5 and row[0].isdigit()]
    return {(row[1], row[2]): Decimal(row[5]) or None for row in rows}


def test_a_quarter_is_loaded(store: Store, tmp_path: Path) -> None:
    loaded = load_benchmark(store, "clfs", write_item_fees(tmp_path)["clfs"])
    assert (loaded.release, loaded.state, loaded.states) == ("2025-01", "US", ("US",))
    assert (loaded.months[0], loaded.months[-1]) == ("2025-01", "2025-12")
    assert (loaded.rows_read, loaded.rows_priced) == (12, 11)
    assert loaded.left_out == {"not priced: L, set by the contractor": 1}
    rows = open_snapshot(store).rows(
        """SELECT code_type, code, modifier, amount, reason, indicator, effective_date, release FROM bench_clfs
           WHERE year_month = '2025-08' AND code IN ('0020M', '80053') ORDER BY ALL"""
    )
    assert rows == [
        ("CPT", "0020M", "", None, "not priced", "L", "2025-01-01", "2025-01"),
        ("CPT", "80053", "", 10.56, None, "N", "2025-01-01", "2025-01"),
        ("CPT", "80053", "QW", 10.56, None, "N", "2025-01-01", "2025-01"),
    ]
    (record,) = open_snapshot(store).rows("SELECT kind, state, release, rows_read, rows_priced FROM dim_benchmark")
    assert record == ("clfs", "US", "2025-01", 12, 11)


fees = st.dictionaries(
    st.tuples(st.sampled_from(["80053", "0001U", "G0480", "P2028"]), st.sampled_from(["-", "QW"])),
    st.tuples(st.sampled_from(["N", "L"]), st.decimals(0, 5000, places=2)),
    min_size=1,
)


@pytest.mark.in_turns(6, of="whole files of agencies")
@settings(max_examples=4)  # three stores each
@given(fees.filter(lambda rows: any(rate for _, rate in rows.values())))  # a table without amounts is refused
def test_every_layout_has_the_same_amounts(rows: dict[tuple[str, str], tuple[str, Decimal]]) -> None:
    text = "\n".join(f"{code} {mod} {sign} {rate:08.2f}" for (code, mod), (sign, rate) in rows.items())
    expected = {(code, mod.strip("-")): rate or None for (code, mod), (_, rate) in rows.items()}
    table = lab_table(text)
    with TemporaryDirectory() as name:
        directory = Path(name)
        layouts = [
            write_csv(directory / "CLFS 2025 Q1V1.csv", table),
            write_xlsx(directory / "CLFS 2025 Q1V1.xlsx", table, ("RATE", "EFF_DATE")),
            write_lab_text(directory / "CLFS 2025 Q1V1.txt", table),
        ]
        assert read_slowly(layouts[0]) == expected
        for path in layouts:
            store = Store(directory / path.suffix)
            loaded = load_benchmark(store, "clfs", [path])
            assert (loaded.release, loaded.rows_read) == ("2025-01", len(expected))
            assert loaded.rows_priced == sum(rate is not None for rate in expected.values())
            assert amounts(store, "2025-03") == expected


def test_the_workbook_of_2026_has_another_title_and_a_nameless_column(store: Store, tmp_path: Path) -> None:
    *head, titles, first, second = lab_table("80053 - N 10.56\n0020M - L 0.00", "20260401")
    titles[-1] = "EXTENDEDLONGDESC"
    table = [*head, [*titles, ""], [*first, "x"], [*second, "x"]]
    path = write_xlsx(tmp_path / "CLFS CY2026 Q2V1.xlsx", table, ("YEAR", "RATE", "EFF_DATE"))
    assert load_benchmark(store, "clfs", [path]).release == "2026-04"
    assert amounts(store, "2026-04") == {("80053", ""): Decimal("10.56"), ("0020M", ""): None}


def test_the_quarter_is_in_the_name_or_in_the_dates(store: Store, tmp_path: Path) -> None:
    january, july = lab_table("80053 - N 10.56"), lab_table("0500U - N 99.00", "20250701")
    path = write_csv(tmp_path / "labs.csv", [*january, july[-1]])
    assert load_benchmark(store, "clfs", [path]).release == "2025-07"
    path = write_csv(tmp_path / "25CLABQ3.csv", january)  # a quarter without new codes
    assert load_benchmark(store, "clfs", [path]).release == "2025-07"
    assert load_benchmark(store, "clfs", [path], year_month="2025-10").release == "2025-10"
    january[-1][3] = "soon"
    path = write_csv(tmp_path / "labs.csv", january)
    with pytest.raises(ReferenceFileError, match=r"labs\.csv: neither the file's name nor its dates .* --year-month"):
        load_benchmark(store, "clfs", [path])


def test_a_quarter_is_in_force_until_the_next_in_any_order(store: Store, tmp_path: Path) -> None:
    for quarter, rate in (("Q3", "12.00"), ("Q1", "10.00")):
        path = write_csv(tmp_path / f"CLFS 2025 {quarter}.csv", lab_table(f"80053 - N {rate}"))
        load_benchmark(store, "clfs", [path])
    rows = open_snapshot(store).rows("SELECT year_month, amount FROM bench_clfs ORDER BY 1")
    assert rows == [(f"2025-{month:02}", 10.0 if month < 7 else 12.0) for month in range(1, 13)]


def test_the_newest_issue_wins_and_is_said(store: Store, tmp_path: Path) -> None:
    first = write_csv(tmp_path / "CLFS 2025 Q1V1.csv", lab_table("80053 - N 10.00"))
    second = write_csv(tmp_path / "CLFS 2025 Q1V2.csv", lab_table("80053 - N 11.00"))
    loaded = load_benchmark(store, "clfs", [second, first])
    assert "CLFS 2025 Q1V1.csv is left out: CLFS 2025 Q1V2.csv is a newer issue of the same release" in loaded.notes
    with pytest.raises(ReferenceFileError, match=r"Q1V1\.csv: 2025-01 is loaded already from CLFS 2025 Q1V2\.csv"):
        load_benchmark(store, "clfs", [first])
    assert amounts(store, "2025-01") == {("80053", ""): Decimal(11)}
    assert load_benchmark(store, "clfs", [second]) == load_benchmark(store, "clfs", [second])


def test_repeated_rows_are_counted_and_contradictions_refused(store: Store, tmp_path: Path) -> None:
    table = lab_table("80053 - N 10.00\n80053 - N 10.00\n80053 QW N 11.00\n80061 - X 5.00")
    loaded = load_benchmark(store, "clfs", [write_csv(tmp_path / "Q1.csv", table)])
    assert (loaded.rows_read, loaded.rows_priced, loaded.left_out) == (4, 3, {"the same row again": 1})
    assert "indicator 'X', not in CMS's list: 1 rows priced" in loaded.notes
    for wrong, complaint in (
        ("80053 - N 10.00\n80053 - N 10.01", r"row 6: code 80053 is also in row 5, with another content"),
        ("80053 - N ten", r"row 5, code 80053: RATE: 'ten' is not a number"),
        ("80053 - N -1", r"row 5, code 80053: RATE: '-1' is not an amount"),
        ("8005X3 - N 1", r"Q1\.csv: no codes below the header"),
        ("W8005 - N 1", r"row 5: W8005 is not a HCPCS code"),
    ):
        with pytest.raises(ReferenceFileError, match=complaint):
            load_benchmark(store, "clfs", [write_csv(tmp_path / "Q1.csv", lab_table(wrong))])


def test_every_amount_of_cms_is_loaded(shared: Path, store: Store) -> None:
    csv_file, text_file = (shared / "clfs" / f"CLFS 2025 Q1V1.{suffix}" for suffix in ("csv", "txt"))
    expected = read_slowly(csv_file)
    loaded = load_benchmark(store, "clfs", [csv_file])
    assert (loaded.release, loaded.rows_read, loaded.rows_priced) == ("2025-01", 2087, 2042)
    assert loaded.left_out == {"not priced: L, set by the contractor": 45}
    assert amounts(store, "2025-02") == expected
    twin = Store(store.root / "text")
    assert load_benchmark(twin, "clfs", [text_file]).rows_priced == 2042
    assert amounts(twin, "2025-02") == expected
