"""One reading of a file for many states, against one run for each of them."""

import json
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.load.load_file import load_file, load_for_states
from core.load.load_sizes import LoadSizes
from core.load.outcome import LoadOutcome
from core.load.rate_filters import ALL_RATES, RateFilter, StateLoad, make_filter, route_to_states
from core.runtime.errors import PayerFileError
from core.store.changes.corrections import remove
from core.store.changes.selection import Selection
from core.store.generations.layout import LAYOUTS
from core.store.generations.store import Store
from core.store.parquet.writer import FileSizes
from core.store.schema.tables import DIM_CODE, DIM_POS_SET, FACT_RATE, TABLES, XREF_BUNDLED_CODE, XREF_POS
from core.tic.source import Source, open_documents
from tests import payer_files
from tests.load.expected import assert_adds_up
from tests.load.national_files import national
from tests.load.npi_states import place
from tests.rate_files import file_of, item_of
from tests.stores import listing, table

STATES = ("GA", "FL", "TX", "NY")
TINY = LoadSizes(
    chunk_bytes=400, giant_item_bytes=2000, run_prices=6, run_fact_rows=15, open_runs=2, min_partition_rows=4,
    max_partition_rows=9, groups_per_row=3,
)  # fmt: skip
"""Sizes with which a small file has many runs and partitions."""

OWN = {"started_at", "finished_at", "notes"}
"""Columns of dim_batch that may differ. Notes of oddities count what was read for any of the states."""


@dataclass(frozen=True)
class Case:
    """A file, where its providers practice, what was loaded of it before, and what is loaded now."""

    content: bytes
    places: dict[str, str]
    before: list[StateLoad]
    states: tuple[str, ...]
    only: RateFilter
    layout: str


filters = st.builds(
    make_filter,
    codes=st.lists(st.sampled_from(["99213", "g0439", "450"]), max_size=2),
    npis=st.lists(st.sampled_from(payer_files.NPIS), max_size=2),
)
cases = st.builds(
    Case,
    content=payer_files.contents(),
    places=st.dictionaries(st.sampled_from([f"npi{npi}" for npi in payer_files.NPIS]), st.sampled_from(STATES)),
    before=st.lists(
        st.builds(StateLoad, st.sampled_from(STATES), st.one_of(filters, st.just(make_filter(in_state="GA")))),
        max_size=2,
    ),
    states=st.permutations(STATES).flatmap(lambda some: st.integers(2, 4).map(lambda n: tuple(some[:n]))),
    only=st.one_of(st.just(ALL_RATES), filters),
    layout=st.sampled_from(LAYOUTS),
)


def rows_of(store: Store) -> dict[str, list[Any]]:
    """Return all rows of a store, without OWN."""
    found: dict[str, list[Any]] = {}
    for name in TABLES:
        rows = table(store, name)
        found[name] = sorted(rows.drop(OWN & set(rows.columns)).rows(), key=repr)
    manifest = store.loaded()
    for batch, file in manifest.rejects.items():
        found[f"rejects of {batch}"] = sorted(pl.read_parquet(store.root / file.path).rows(), key=repr)
    return found


def counts_of(outcome: LoadOutcome) -> tuple[Any, ...]:
    record = {name: value for name, value in outcome.record.items() if name not in OWN}
    if outcome.loaded_before:
        return outcome.loaded_before, outcome.rows_added, outcome.duplicates
    return outcome.loaded_before, outcome.rows_added, outcome.duplicates, outcome.members, record


def assert_in_order(store: Store) -> None:
    for path in store.paths(FACT_RATE.name):
        rows = pl.read_parquet(path).select(FACT_RATE.order).rows()
        assert rows == sorted(rows)


@settings(max_examples=3)
@given(cases)
def test_one_pass_gives_each_state_what_a_run_of_its_own_gives(case: Case) -> None:
    with TemporaryDirectory() as directory:
        path = Path(directory) / "rates.json"
        path.write_bytes(case.content)
        stores = [
            Store(Path(directory) / name, case.layout, sizes=FileSizes(row_group_rows=4)) for name in ("one", "many")
        ]
        for store in stores:
            place(store, npi1999999984="WY", **case.places)
            for load in case.before:
                load_file(store, source_of(path), load.state, only=load.only, processes=1)
        loads = route_to_states(case.states, case.only)
        each = [
            load_file(stores[0], source_of(path), one.state, only=one.only, processes=1, sizes=TINY) for one in loads
        ]
        together = load_for_states(stores[1], source_of(path), loads, processes=1, sizes=TINY)
        assert list(map(counts_of, together)) == list(map(counts_of, each))
        found, expected = rows_of(stores[1]), rows_of(stores[0])
        if case.before:
            # What is read for one of two filters may be described though neither keeps it: codes, never rates.
            for name in (DIM_CODE.name, XREF_BUNDLED_CODE.name, DIM_POS_SET.name, XREF_POS.name):
                assert set(map(repr, expected.pop(name))) <= set(map(repr, found.pop(name)))
        assert found == expected
        assert_in_order(stores[1])
        for outcome in together:
            assert_adds_up(outcome)
        before = stores[1].manifest()
        again = load_for_states(stores[1], source_of(path), loads, processes=1, sizes=TINY)
        assert all(outcome.loaded_before for outcome in again)
        assert stores[1].manifest() == before


def source_of(path: Path) -> Source:
    return open_documents(path)[0]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "national.json"
    found.write_text(json.dumps(national("99213", "99214")))
    return found


def test_a_group_in_two_states_goes_to_each(store: Store, tmp_path: Path) -> None:
    both = [{"npi": [1912951245, 1003027533], "tin": {"type": "ein", "value": "1"}}]
    path = tmp_path / "x.json"
    references = [{"provider_group_id": 1, "provider_groups": both}]
    path.write_text(json.dumps(file_of(item_of(5, references=[1]), provider_references=references)))
    place(store, npi1912951245="GA", npi1003027533="FL")
    outcomes = load_for_states(store, source_of(path), route_to_states(("GA", "FL", "TX"), ALL_RATES))
    assert [outcome.rows_added for outcome in outcomes] == [1, 1, 0]
    facts = table(store, "fact_rate")
    assert sorted(facts["state"]) == ["FL", "GA"]
    assert facts["fact_uid"].n_unique() == 2
    assert facts["pg_uid"].n_unique() == 1
    assert len(table(store, "dim_batch")) == 3, "that a state has no rates of the file is known as well"


def test_there_is_one_publication_and_one_reading(store: Store, path: Path) -> None:
    place(store, npi1912951245="GA", npi1003027533="FL", npi1234567893="TX")
    generation, read = store.loaded().generation, []
    load_for_states(
        store, source_of(path), route_to_states(("GA", "FL", "TX"), ALL_RATES), progress=lambda at, _of: read.append(at)
    )
    assert store.loaded().generation == generation + 1
    assert read == sorted(read), "the file is read from its beginning to its end, once"


def test_a_state_that_is_new_is_added_to_those_that_are_there(store: Store, path: Path) -> None:
    place(store, npi1912951245="GA", npi1003027533="FL")
    load_for_states(store, source_of(path), route_to_states(("GA", "TX"), ALL_RATES))
    outcomes = load_for_states(store, source_of(path), route_to_states(("GA", "FL", "TX"), ALL_RATES))
    assert [(outcome.loaded_before, outcome.rows_added) for outcome in outcomes] == [(True, 0), (False, 4), (True, 0)]


def test_facts_of_providers_who_have_moved_stay_in_every_state(store: Store, path: Path) -> None:
    loads = route_to_states(("GA", "FL"), ALL_RATES)
    place(store, npi1912951245="GA", npi1003027533="FL")
    load_for_states(store, source_of(path), loads)
    place(store, npi1912951245="FL", npi1003027533="GA")
    again = load_for_states(store, source_of(path), loads)
    assert [(o.rows_added, o.record["rows_added"], o.record["rows_filtered"]) for o in again] == [(4, 8, 4)] * 2
    assert sorted(table(store, "fact_rate")["state"]) == ["FL"] * 8 + ["GA"] * 8


def test_providers_who_have_moved_bring_no_more_rates_to_their_old_state(store: Store, path: Path) -> None:
    place(store, npi1912951245="GA", npi1003027533="FL")
    load_for_states(store, source_of(path), route_to_states(("GA", "FL"), make_filter(codes=["99213"])))
    place(store, npi1912951245="TX", npi1003027533="FL")
    outcomes = load_for_states(store, source_of(path), route_to_states(("GA", "FL", "TX"), ALL_RATES))
    assert [(o.rows_added, o.record["rows_added"]) for o in outcomes] == [(0, 2), (2, 4), (4, 4)]


def test_removed_facts_stay_away_in_every_state(store: Store, path: Path) -> None:
    loads = route_to_states(("GA", "FL"), ALL_RATES)
    place(store, npi1912951245="GA", npi1003027533="FL")
    load_for_states(store, source_of(path), loads)
    remove(store, Selection(state="GA"), "wrong")
    place(store, npi1912951245="GA", npi1003027533="FL", npi1234567893="GA")
    again = load_for_states(store, source_of(path), loads)
    assert [outcome.rows_added for outcome in again] == [4, 0]
    assert sorted(table(store, "fact_rate")["state"]) == ["FL"] * 4 + ["GA"] * 4


def test_a_failure_leaves_the_store_as_it_was(store: Store, path: Path) -> None:
    place(store, npi1912951245="GA", npi1003027533="FL")
    before = listing(store.root)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(PayerFileError):
        load_for_states(store, source_of(path), route_to_states(("GA", "FL"), ALL_RATES))
    assert listing(store.root) == before


def test_facts_of_a_state_between_those_of_two_others_are_not_merged_with_old_ones(
    store: Store, tmp_path: Path
) -> None:
    """New states come between, before, and after the old ones of the same month, in one file."""
    place(store, npi1912951245="GA", npi1003027533="AL", npi1234567893="TX")
    for number, states in enumerate((("GA",), ("AL", "TX"), ("AL", "GA", "TX"))):
        path = tmp_path / f"{number}.json"
        path.write_text(json.dumps(national(*(str(99000 + n) for n in range(40)), prices=[number + 1])))
        load_for_states(store, source_of(path), route_to_states(states, ALL_RATES), sizes=TINY)
    assert_in_order(store)
    assert table(store, "fact_rate").group_by("state").len().sort("state").rows() == [
        ("AL", 80),
        ("GA", 80),
        ("TX", 80),
    ]
