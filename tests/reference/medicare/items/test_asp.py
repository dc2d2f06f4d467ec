"""The drugs' payment limits against a reader of a few lines, and against CMS's own files."""

import csv
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.demo.item_fees import drug_table, write_item_fees
from core.reference.benchmark_kinds import load_benchmark
from core.runtime.errors import ReferenceFileError
from core.store.generations.store import Store
from tests.reference.medicare.items.item_files import write_csv, write_xlsx
from tests.stores import open_snapshot

Limits = dict[str, tuple[Decimal | None, str]]


def limits(store: Store, month: str) -> Limits:
    """Return every limit and dosage of a month by code."""
    rows = open_snapshot(store).rows(
        f"SELECT code, amount::DECIMAL(12, 3), dosage FROM bench_asp WHERE year_month = '{month}' AND state = 'US'"
    )
    found = {code: (amount, dosage) for code, amount, dosage in rows}
    assert len(found) == len(rows)
    return found


def read_slowly(path: Path) -> Limits:
    """Read CMS's csv in the plainest way."""
    with path.open(encoding="cp1252", newline="") as file:
        rows = [row for row in csv.reader(file) if len(row) > 4 and len(row[0]) == 5]
    return {row[0]: (None if row[3] == "N/A" else Decimal(row[3]), row[2].strip()) for row in rows}


def test_a_quarter_is_loaded_by_dosage_unit(store: Store, tmp_path: Path) -> None:
    loaded = load_benchmark(store, "asp", write_item_fees(tmp_path)["asp"])
    assert (loaded.release, loaded.state, loaded.states) == ("2025-01", "US", ("US",))
    assert (loaded.rows_read, loaded.rows_priced) == (8, 7)
    assert loaded.left_out == {"not priced: no payment limit": 1}
    rows = open_snapshot(store).rows(
        """SELECT code_type, code, modifier, amount, reason, dosage, coinsurance_percent FROM bench_asp
           WHERE year_month = '2025-08' AND code IN ('90658', 'A9606', 'J0897', 'J1885') ORDER BY code"""
    )
    assert rows == [
        ("CPT", "90658", "", 21.858, None, "0.5 ML", 0.0),
        ("HCPCS", "A9606", "", None, "not priced", "1 microCurie", 20.0),
        ("HCPCS", "J0897", "", 27.656, None, "1 MG", 18.237),
        ("HCPCS", "J1885", "", 0.751, None, "15 MG", 20.0),
    ]


@pytest.mark.in_turns(6, of="whole files of agencies")
@settings(max_examples=4)  # two stores each
@given(
    st.dictionaries(
        st.sampled_from(["J1885", "J9271", "90658", "Q5103", "A9606"]),
        st.tuples(st.sampled_from(["1 MG", "0.5 ML"]), st.one_of(st.none(), st.decimals("0.001", 9999, places=3))),
        min_size=1,
    ).filter(lambda rows: any(limit for _, limit in rows.values()))  # a table without amounts is refused
)
def test_csv_and_workbook_have_the_same_limits(rows: dict[str, tuple[str, Decimal | None]]) -> None:
    text = "\n".join(
        f"{code} {dosage.replace(' ', '_')} {'N/A' if limit is None else limit} 20.000"
        for code, (dosage, limit) in rows.items()
    )
    expected = {code: (limit, dosage) for code, (dosage, limit) in rows.items()}
    table = drug_table(text)
    with TemporaryDirectory() as name:
        directory = Path(name)
        paths = [
            write_csv(directory / "a.csv", table),
            write_xlsx(directory / "a.xlsx", table, ("Payment Limit", "Co-insurance Percentage")),
        ]
        assert read_slowly(paths[0]) == expected
        for path in paths:
            store = Store(directory / path.suffix)
            priced = sum(limit is not None for _, limit in rows.values())
            assert load_benchmark(store, "asp", [path]).rows_priced == priced
            assert limits(store, "2025-01") == expected


def test_the_period_is_in_a_title_or_in_the_name(store: Store, tmp_path: Path) -> None:
    october = drug_table(period="October 1, 2025 through December 31, 2025")
    assert load_benchmark(store, "asp", [write_csv(tmp_path / "x.csv", october)]).release == "2025-10"
    silent = drug_table(period="soon")
    path = write_csv(tmp_path / "Apr 2025 ASP Pricing File.csv", silent)
    assert load_benchmark(store, "asp", [path]).release == "2025-04"
    with pytest.raises(ReferenceFileError, match=r"neither titles nor file name say which quarter"):
        load_benchmark(store, "asp", [write_csv(tmp_path / "x.csv", silent)])


def test_a_correction_takes_the_place_of_the_file_it_corrects(store: Store, tmp_path: Path) -> None:
    first = write_csv(tmp_path / "Jan 2025 ASP Pricing File 121824.csv", drug_table("J1885 15_MG 0.700 20"))
    second = write_csv(tmp_path / "Jan 2025 ASP Pricing File updated 030725.csv", drug_table("J1885 15_MG 0.751 20"))
    load_benchmark(store, "asp", [first])
    load_benchmark(store, "asp", [second])
    assert limits(store, "2025-01") == {"J1885": (Decimal("0.751"), "15 MG")}
    with pytest.raises(ReferenceFileError, match=r"121824\.csv: 2025-01 is loaded already from .*030725\.csv"):
        load_benchmark(store, "asp", [first])
    loaded = load_benchmark(store, "asp", [first, second])
    assert loaded.files == (second.name,)
    assert f"{first.name} is left out: {second.name} is a newer issue of the same release" in loaded.notes


def test_a_wrong_file_is_called_what_it_is(store: Store, tmp_path: Path) -> None:
    crosswalk = [["January 2026 ASP NDC - HCPCS Crosswalk"], [], ["_2026_CODE", "NDC2", "HCPCS dosage ", "BILLUNITS"]]
    with pytest.raises(ReferenceFileError, match=r"an ASP crosswalk .*no prices.*; expected an ASP pricing file"):
        load_benchmark(store, "asp", [write_csv(tmp_path / "x.csv", [*crosswalk, ["90371", "1", "1 ML", "1"]])])
    labs = write_item_fees(tmp_path)["clfs"]
    with pytest.raises(ReferenceFileError, match=r"a clinical laboratory fee schedule .*load_benchmark clfs"):
        load_benchmark(store, "asp", labs)


@pytest.mark.parametrize(
    ("name", "release", "rows"),
    [
        ("section 508 version of Jan 2025 ASP Pricing File updated 030725.csv", "2025-01", 877),
        ("section 508 version of Oct 2025 ASP Pricing File 091725.csv", "2025-10", 1012),
    ],
)
def test_every_limit_of_cms_is_loaded(shared: Path, store: Store, name: str, release: str, rows: int) -> None:
    loaded = load_benchmark(store, "asp", [shared / "asp" / name])
    assert (loaded.release, loaded.rows_read, loaded.rows_priced) == (release, rows, rows - 1)  # A9606 is N/A
    assert limits(store, release) == read_slowly(shared / "asp" / name)


def test_the_old_workbook_of_cms_has_the_same_limits(shared: Path, store: Store) -> None:
    name = "Jan 2025 ASP Pricing File updated 030725"
    load_benchmark(store, "asp", [shared / "asp" / f"{name}.xls"])
    assert limits(store, "2025-01") == read_slowly(shared / "asp" / f"section 508 version of {name}.csv")
