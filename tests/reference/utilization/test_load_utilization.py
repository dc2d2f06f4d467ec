"""Utilization into the store: the newest year of each clinician and code, and what follows for specialties."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.reference.utilization.code_ranges import split_codes
from core.reference.utilization.load_utilization import load_utilization
from core.runtime.errors import ReferenceFileError
from core.store.generations.store import Store
from tests.reference.utilization.utilization_files import (
    Use,
    newest_uses,
    specialty_shares,
    write_geography,
    write_uses,
)
from tests.stores import listing, table

NPIS = [f"10030114{n:02}" for n in range(6)]
TYPES = {npi: ("Cardiology", "Dermatology", "Wheelwright")[n % 3] for n, npi in enumerate(NPIS)}
SPECIALTIES = {npi: None if words == "Wheelwright" else words for npi, words in TYPES.items()}

uses = st.lists(
    st.tuples(
        st.sampled_from(NPIS), st.sampled_from(["17311", "93000", "99213", "J1100"]), st.sampled_from("FO"),
        st.integers(11, 50), st.integers(11, 99),
    )
)  # fmt: skip
loads = st.lists(st.tuples(st.sampled_from([2021, 2022, 2023]), uses), min_size=1, max_size=4)


def stored(store: Store) -> dict[tuple[str, str, str], tuple[int, float, int]]:
    rows = table(store, "utilization")
    assert rows.rows() == sorted(rows.rows(), key=lambda row: row[:3])
    return {(code, npi, place): (benes, services, year) for code, npi, place, services, benes, year in rows.rows()}


@settings(max_examples=5, deadline=None)
@given(loads, st.integers(1, 5), st.booleans())
def test_the_newest_year_of_a_clinician_and_code_stays_and_later_issues_replace(
    drawn: list[tuple[int, list[tuple[str, str, str, int, int]]]], range_rows: int, at_once: bool
) -> None:
    content: list[tuple[int, list[Use]]] = [
        (year, [(npi, TYPES[npi], code, place, n, services) for npi, code, place, n, services in rows])
        for year, rows in drawn
    ]
    with TemporaryDirectory() as directory:
        store = Store(Path(directory) / "data", grace=0)
        paths = [
            write_uses(Path(directory) / f"{number}_{year}.csv", rows)
            for number, (year, rows) in zip("abcd", content, strict=False)
        ]
        for step in [paths] if at_once else [[path] for path in paths]:
            before = stored(store) if store.manifest() else {}
            loaded = load_utilization(store, step, range_rows=range_rows)
            assert loaded.added + loaded.replaced == sum(read.counts.kept for read in loaded.files)
            assert loaded.rows == len(stored(store)) <= len(before) + loaded.added
        expected = newest_uses(content)
        assert stored(store) == expected
        everyone = {npi for _, rows in content for npi, *_ in rows}
        shares = specialty_shares(expected, {npi: SPECIALTIES[npi] for npi in everyone})
        found = table(store, "specialty_use").rows()
        assert {(code, name): (clinicians, share) for code, name, clinicians, share, _ in found} == shares
        services = {code: 0.0 for code, *_ in expected}
        for (code, *_), (_, count, _) in expected.items():
            services[code] += count
        use = {code: (clinicians, total) for code, clinicians, total, *_ in table(store, "code_use").rows()}
        assert use == {
            code: (len({npi for one, npi, _ in expected if one == code}), services[code]) for code in services
        }


def test_a_code_is_known_from_either_file_by_the_larger_number(store: Store, tmp_path: Path) -> None:
    load_utilization(
        store,
        [
            write_uses(tmp_path / "p_2021.csv", [(npi, "Cardiology", "93000", "O", 20, 30) for npi in NPIS]),
            write_geography(
                tmp_path / "g_2023.csv",
                [
                    ("National", "", "National", "93000", "O", 4, 80, 100),
                    ("National", "", "National", "64624", "F", 70, 90, 95.5),
                    ("National", "", "National", "64624", "O", 40, 60, 61),
                    ("State", "13", "Georgia", "64624", "O", 12, 30, 31),
                ],
            ),
        ],
    )
    assert table(store, "code_use").rows() == [("64624", 70, 156.5, 2023, 2023), ("93000", 6, 180.0, 2021, 2023)]
    assert table(store, "utilization_area").height == 4
    # A newer year of a code and state replaces it, an older one does not.
    rows = [("National", "", "National", "64624", "F", 7, 9, 9), ("State", "13", "Georgia", "64624", "O", 1, 1, 1)]
    load_utilization(store, [write_geography(tmp_path / "g_2024.csv", rows[:1])])
    load_utilization(store, [write_geography(tmp_path / "g_2022.csv", rows)])
    assert table(store, "utilization_area").filter(code="64624").rows() == [
        ("64624", "GA", "office", 12, 31.0, 30, 2023), ("64624", "US", "facility", 7, 9.0, 9, 2024),
    ]  # fmt: skip
    assert set(table(store, "utilization_file")["name"]) == {"p_2021.csv", "g_2022.csv", "g_2023.csv", "g_2024.csv"}


def test_a_file_that_fails_leaves_the_store_as_it_was(store: Store, tmp_path: Path) -> None:
    good = write_uses(tmp_path / "p_2021.csv", [(NPIS[0], "Cardiology", "93000", "O", 20, 30)])
    load_utilization(store, [good])
    before = listing(store.root)
    cut = write_uses(tmp_path / "q_2022.csv", [(NPIS[0], "Cardiology", "93000", "O", 20, 30)] * 2)
    cut.write_bytes(cut.read_bytes()[:-8])
    with pytest.raises(ReferenceFileError, match="cut short"):
        load_utilization(store, [good, cut])
    assert listing(store.root) == before


@given(st.lists(st.integers(1, 9)), st.integers(1, 12))
def test_ranges_cover_the_codes_once_and_are_small(counts: list[int], most: int) -> None:
    counted = [(f"{n:05}", count) for n, count in enumerate(counts)]
    ranges = list(split_codes(counted, most))
    covered = [code for one in ranges for code, _ in counted if one.first <= code <= one.last]
    assert covered == [code for code, _ in counted]
    for one in ranges:
        rows = sum(count for code, count in counted if one.first <= code <= one.last)
        assert rows <= most or one.first == one.last
