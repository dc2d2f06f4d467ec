"""ZIP codes into the store, and what follows for provider groups: in any order of loads, all or nothing."""

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from core.load.load_file import load_file
from core.reference.nppes.load_register import load_nppes
from core.reference.places.load_places import load_places
from core.runtime.errors import ReferenceFileError
from core.store.generations.store import Store
from core.tic.source import open_documents
from tests.fixture_types import Load
from tests.reference.places.place_samples import (
    ATLANTA,
    MACON,
    MANHATTAN,
    RURAL_GEORGIA,
    rates_file,
    register_of,
    write_csv,
    write_places,
    zip5,
)
from tests.stores import listing, table

FIRST, SECOND, THIRD = "1679576722", "1588667638", "1295738227"
GROUPS = ((FIRST, SECOND, THIRD), (THIRD,), (FIRST, THIRD))
ADDRESSES = {FIRST: ATLANTA + "1234", SECOND: ATLANTA, THIRD: RURAL_GEORGIA}
AREAS = {
    (FIRST, SECOND, THIRD): ("10212", "01", "12054", False),
    (THIRD,): ("10212", "99", "GA", True),
    # Two members in two localities: each has half of the members, which is not more than half.
}


def group_areas(store: Store) -> dict[tuple[str, ...], tuple[Any, ...]]:
    """Return the areas of each group that has some, by its NPIs."""
    pairs = table(store, "xref_group_npi").group_by("pg_uid").agg("npi")
    npis = {group: tuple(sorted(members, key=list(ADDRESSES).index)) for group, members in pairs.rows()}
    areas = table(store, "dim_group_area")
    return {
        npis[row["pg_uid"]]: (row["contractor"], row["locality"], row["wage_area"], row["dmepos_rural"])
        for row in areas.to_dicts()
    }


def test_each_zip_code_has_a_row(store: Store, tmp_path: Path) -> None:
    loaded = load_places(store, list(write_places(tmp_path).values()))
    columns = [
        "zip",
        "state",
        "contractor",
        "locality",
        "rural",
        "dmepos_rural",
        "county_fips",
        "wage_area",
        "zip_quarter",
    ]
    assert table(store, "dim_zip").select(columns).rows() == [
        (MANHATTAN, "NY", "13202", "01", "urban", False, "36061", "35614", "2026Q1"),
        (ATLANTA, "GA", "10212", "01", "urban", False, "13121", "12054", "2026Q1"),
        (MACON, "GA", "10212", "99", "urban", False, "13021", "31420", "2026Q1"),
        (RURAL_GEORGIA, "GA", "10212", "99", "rural", True, "13027", "GA", "2026Q1"),
    ]
    assert (loaded.zips, loaded.with_locality, loaded.by_plus_four, loaded.with_wage_area) == (4, 4, 0, 4)
    assert all(file.rows_read == file.kept + file.left_out.total() for file in loaded.files)


@pytest.mark.in_turns(2)
@pytest.mark.parametrize("order", list(itertools.permutations(("places", "register", "rates"))))
def test_groups_have_their_areas_in_any_order_of_loads(store: Store, tmp_path: Path, order: tuple[str, ...]) -> None:
    places = list(write_places(tmp_path).values())
    rates = tmp_path / "rates.json"
    rates.write_text(json.dumps(rates_file(*GROUPS)))
    register = register_of(tmp_path / "npidata.csv", ADDRESSES)
    for step in order:
        if step == "places":
            load_places(store, places)
        elif step == "register":
            load_nppes(store, [register], everything=True)
        else:
            load_file(store, open_documents(rates)[0], "GA")
    assert group_areas(store) == AREAS
    # Another state of the same file has the same groups.
    load_file(store, open_documents(rates)[0], "AL")
    assert group_areas(store) == AREAS


def test_what_is_not_given_again_stays_and_the_rest_is_replaced(store: Store, load: Load, tmp_path: Path) -> None:
    load(rates_file(*GROUPS))
    load_nppes(store, [register_of(tmp_path / "npidata.csv", ADDRESSES)])
    first = load_places(store, list(write_places(tmp_path).values()))
    assert (first.groups, first.groups_with_locality, first.groups_with_wage_area) == (3, 2, 2)
    # A later quarter: one ZIP code has moved, one is decided by its last four digits, one is gone.
    later = zip5(
        tmp_path / "ZIP5_APR2026.csv",
        ("GA", ATLANTA, "10212", "99", "", "0"),
        ("GA", RURAL_GEORGIA, "10212", "99", "R", "1"),
        ("NY", MANHATTAN, "13202", "01", "", "0"),
    )
    second = load_places(store, [later])
    rows = {row["zip"]: row for row in table(store, "dim_zip").to_dicts()}
    assert rows[ATLANTA]["locality"] == "99"
    assert rows[ATLANTA]["wage_area"] == "12054"
    assert rows[RURAL_GEORGIA]["locality_by_plus_four"]
    assert rows[MACON]["locality"] is None
    assert (second.zips, second.with_locality, second.by_plus_four, second.with_wage_area) == (4, 2, 1, 4)
    assert group_areas(store) == {
        (FIRST, SECOND, THIRD): ("10212", "99", "12054", False),
        (THIRD,): (None, None, "GA", True),
    }
    before = table(store, "dim_zip").to_dicts()
    load_places(store, [later])
    assert table(store, "dim_zip").to_dicts() == before


def test_lists_that_say_something_only_together_are_asked_for(store: Store, tmp_path: Path) -> None:
    places = write_places(tmp_path)
    with pytest.raises(ReferenceFileError, match="crosswalks of ZIP codes, but not"):
        load_places(store, [places["counties"]])
    with pytest.raises(ReferenceFileError, match="but no crosswalk of ZIP codes"):
        load_places(store, [places["zip5"], places["list1"]])


def test_a_wrong_file_among_them_leaves_the_store_as_it_was(store: Store, tmp_path: Path) -> None:
    places = write_places(tmp_path)
    load_places(store, [places["zip5"]])
    before = listing(store.root)
    wrong = write_csv(tmp_path / "wrong.csv", ("a", "b", "c"), ("1", "2", "3"))
    with pytest.raises(ReferenceFileError, match=r"wrong.csv: not a file of a known kind"):
        load_places(store, [places["list1"], places["counties"], wrong])
    assert listing(store.root) == before


def test_a_store_without_places_has_no_areas(store: Store, load: Load, tmp_path: Path) -> None:
    load(rates_file(*GROUPS))
    load_nppes(store, [register_of(tmp_path / "npidata.csv", ADDRESSES)])
    assert table(store, "dim_group_area").is_empty()
