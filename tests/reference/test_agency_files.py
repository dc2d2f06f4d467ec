"""Agencies' real files are what they are, whichever kind of benchmark they are given to."""

from pathlib import Path

import pytest

from core.reference.benchmark_kinds import BENCHMARK_KINDS, load_benchmark
from core.reference.recognize import FILE_KINDS, kind_of_sheet
from core.reference.spreadsheets import read_sheets
from core.runtime.errors import ReferenceFileError
from core.store.generations.store import Store

KINDS = {
    "medicare/mpfs/ANES2025.csv": "anesthesia",
    "medicare/mpfs/GPCI2025.csv": "gpci",
    "medicare/mpfs/GPCI2026.csv": "gpci",
    "medicare/mpfs/PPRRVU2025_Oct.csv": "relative values",
    "medicare/mpfs/PPRRVU2026_Jul_nonQPP.csv": "relative values",
    "medicare/mpfs/PPRRVU25_JAN.csv": "relative values",
    "medicare/opps/2025 NFRM Addendum B.11122024.txt": "addendum b",
    "medicare/opps/2025 NFRM Addendum B.11122024.xlsx": "addendum b",
    "medicare/asc/2025-10/AA.csv": "asc addendum",
    "medicare/asc/2025-10/BB.csv": "asc addendum",
    "medicare/asc/asc_addenda_2020_april.xlsx": "asc addendum",
    "medicare/wage_index_2026.csv": "wage index",
    "mpfs_extra/OPPSCAP_Oct.csv": "opps cap",
    "geo/25LOCCO.csv": "locality counties",
    "geo/25LOCCO.xlsx": "locality counties",
    "anesthesia/Anesthesia CY 2025 locality adjusted CF_floor extension 23DEC24.xlsx": "anesthesia",
    "anesthesia/Anesthesia CY 2025 locality adjusted CF_floor extension 23DEC24_Sheet 1.txt": "anesthesia",
    "anesthesia/CY_2022_Anesthesia_Base_Units_110921.xlsx": "base units",
    "anesthesia/Section 508 compliant version of CY_2022_Anesthesia_Base_Units_110921.txt": "base units",
    "ipps/CMS-1833-F Tables 1A - 1E.txt": "standardized amounts",
    "ipps/drg_weights.txt": "drg weights",
    "ipps/wage_index_2025.txt": "wage index",
    "cases/medicare/20220101_BB.csv": "asc addendum",
    "cases/medicare/20250101_BB.csv": "asc addendum",
    "cases/medicare/wage_index_blank.txt": "wage index",
}


@pytest.mark.parametrize("name", KINDS)
def test_a_real_file_is_recognized_as_what_it_is(shared: Path, name: str) -> None:
    found = {kind_of_sheet(sheet) for sheet in read_sheets(shared / name)} - {None}
    assert found == {KINDS[name]}


@pytest.mark.parametrize(
    ("name", "taken_by"),
    [("mpfs_extra/OPPSCAP_Oct.csv", "medicare_prof"), ("geo/25LOCCO.csv", ""), ("ipps/drg_weights.txt", "ipps")],
)
def test_a_wrong_file_is_named_by_every_kind(shared: Path, store: Store, name: str, taken_by: str) -> None:
    for kind in set(BENCHMARK_KINDS) - {"wcfs", taken_by}:
        with pytest.raises(ReferenceFileError) as raised:
            load_benchmark(store, kind, [shared / name])
        assert f"{Path(name).name}: this is {FILE_KINDS[KINDS[name]].name} (" in str(raised.value)


def test_a_quarter_with_repeated_rows_loads(shared: Path, store: Store) -> None:
    for name, release, read, repeated in (
        ("20220101_BB.csv", "2022-01", 3, 1),
        ("20250101_BB.csv", "2025-01", 6, 1),
    ):
        loaded = load_benchmark(
            store,
            "asc",
            [shared / "cases" / "medicare" / name],
            wage_index=shared / "cases" / "medicare" / "wage_index_blank.txt",
        )
        assert (loaded.release, loaded.rows_read, loaded.left_out["the same row again"]) == (release, read, repeated)


@pytest.mark.in_turns(6, of="whole files of agencies")
def test_april_2020_is_april(shared: Path, store: Store) -> None:
    loaded = load_benchmark(
        store,
        "asc",
        [shared / "medicare" / "asc" / "asc_addenda_2020_april.xlsx"],
        wage_index=shared / "medicare" / "wage_index_2026.csv",
    )
    assert (loaded.release, loaded.months[0], loaded.months[-1]) == ("2020-04", "2020-04", "2020-12")


@pytest.mark.in_turns(6, of="whole files of agencies")
def test_a_blank_and_doubled_wage_index_are_told(shared: Path, store: Store) -> None:
    addendum = shared / "medicare" / "opps" / "2025 NFRM Addendum B.11122024.txt"
    blank = load_benchmark(store, "opps", [addendum], wage_index=shared / "cases" / "medicare" / "wage_index_blank.txt")
    assert blank.states == ("AL", "NJ", "NY")
    doubled = load_benchmark(store, "opps", [addendum], wage_index=shared / "ipps" / "wage_index_2025.txt")
    (note,) = [note for note in doubled.notes if "with several indices" in note]
    assert note.startswith("27 areas are listed with several indices, and count with their mean: ALABAMA; ARKANSAS; ")
    assert not any("approximate" in note for note in doubled.notes)
