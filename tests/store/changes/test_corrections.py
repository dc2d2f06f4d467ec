"""What a correction selects, removes, remembers and puts back."""

import json
from collections import Counter
from pathlib import Path

import duckdb
import polars as pl
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.load.load_file import load_file
from core.queries import coverage
from core.runtime.errors import BeaconError
from core.store.changes.append import append_facts
from core.store.changes.compact import compact
from core.store.changes.corrections import Correction, corrections, remove, removed_facts, undo
from core.store.changes.removal import preview_removal
from core.store.changes.reshard import reshard
from core.store.changes.selection import Selection
from core.store.changes.sorted_facts import FactFile
from core.store.generations.layout import LAYOUTS, StateMonth
from core.store.generations.store import Store, StoreError
from core.store.parquet.writer import FileSizes
from core.tic.source import open_documents
from tests.built_once import BuiltOnce
from tests.rate_files import file_of, item_of
from tests.store.changes.selections import chosen, fits
from tests.store.steps import UNLIKE_LAYOUTS, Row, assert_sound, assert_tidy, facts_of, load_made_file, made_store
from tests.stores import listing, open_snapshot

layouts = pytest.mark.parametrize("layout", LAYOUTS)


def batches_of(store: Store) -> dict[str, str]:
    """Return the batch of each provider group."""
    manifest = store.manifest()
    assert manifest is not None
    return dict(pl.read_parquet(manifest.paths(store.root, "dim_provider_group")).select("pg_uid", "batch_id").rows())


@pytest.fixture(scope="module", params=UNLIKE_LAYOUTS)
def filled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, Path]:
    """Return a store of several files, whose facts tests leave as they found them."""
    directory = tmp_path_factory.mktemp("corrections")
    # Files of two sorted runs, where the layout allows.
    store = Store(directory / "data", request.param, grace=0, sizes=FileSizes(max_rewritten_rows=4, max_runs=2))
    for number, state in ((0, "GA"), (1, "GA"), (2, "FL"), (2, "GA"), (3, "GA"), (6, "GA")):
        load_made_file(store, directory, number, state)
    return store, directory


@pytest.mark.in_turns(1)
@settings(max_examples=2)
@given(data=st.data(), groups=st.sampled_from([3, 7, 122_880]))
def test_what_is_removed_is_what_is_selected_and_undo_puts_it_back(
    filled: tuple[Store, Path], data: st.DataObject, groups: int
) -> None:
    store, directory = filled
    store = Store(store.root, sizes=FileSizes(row_group_rows=groups))
    before, batches = facts_of(store), batches_of(store)
    selection, uids = data.draw(chosen(list(before.values()), batches, directory))
    expected = {uid for uid, row in before.items() if fits(row, selection, batches, uids)}
    found = preview_removal(store, selection)
    assert found.rows == len(expected)
    assert dict(found.by["payer"]) == Counter(before[uid]["reporting_entity_name"] for uid in expected)
    assert dict(found.by["month"]) == Counter(f"{before[u]['state']} {before[u]['year_month']}" for u in expected)
    assert dict(found.by["code"]) == Counter(f"{before[uid]['code_type']} {before[uid]['code']}" for uid in expected)
    assert {example["fact_uid"] for example in found.examples} <= expected
    if not expected:
        with pytest.raises(BeaconError, match="no fact is selected; nothing was removed"):
            remove(store, selection, "a reason")
        return
    done = remove(store, selection, " a reason ")
    assert (done.rows, done.reason, done.undone_at) == (len(expected), "a reason", None)
    assert facts_of(store) == {uid: row for uid, row in before.items() if uid not in expected}
    assert removed_of(store, done) == {uid: row for uid, row in before.items() if uid in expected}
    assert_sound(store)
    assert_tidy(store)
    assert undo(store, done.correction_id).undone_at is not None
    assert facts_of(store) == before
    assert_tidy(store)


def removed_of(store: Store, correction: Correction) -> dict[str, Row]:
    """Return the facts at the stable path of a correction, by fact_uid, without the two leading columns."""
    path = store.root / "silver" / "corrections" / "removed" / f"{correction.correction_id}.parquet"
    rows = pq.ParquetFile(path).read().to_pylist()
    batches = batches_of(store)
    assert all(row.pop("correction_id") == correction.correction_id for row in rows)
    assert all(row.pop("batch_id") == batches[row["pg_uid"]] for row in rows)
    return {row["fact_uid"]: row for row in rows}


@pytest.mark.in_turns(2)
@layouts
def test_only_files_that_hold_a_removed_row_are_written(built_once: BuiltOnce, tmp_path: Path, layout: str) -> None:
    store = made_store(built_once, tmp_path, (0, "GA"), (1, "GA"), (2, "GA"), layout=layout)
    before = {name for name in listing(store.root) if name.startswith("files/fact_rate")}
    remove(store, Selection(payer="tna_s_d"), "not theirs")  # file 1, the only one of July
    after = {name for name in listing(store.root) if name.startswith("files/fact_rate")}
    assert len(after - before) == (1 if layout == "single" else 0), "July's only file has no row left"
    remove(store, Selection(year_month="2025-08", max_rate=0), "a zero is not a rate")
    manifest = store.manifest()
    assert manifest is not None
    names = [file.path.removeprefix("files/") for file in manifest.tables["fact_rate"]]
    assert len(names) == {"single": 1, "monthly": 1, "state_month": 1, "partitioned": 2}[layout]
    assert_tidy(store)


@pytest.mark.in_turns(2)
@layouts
def test_the_last_row_of_all(built_once: BuiltOnce, tmp_path: Path, layout: str) -> None:
    """A store that has lost every fact still answers, and has them all back after the undo."""
    store = made_store(built_once, tmp_path, (0, "GA"), layout=layout)
    before = facts_of(store)
    remove(store, Selection(state="GA"), "all of it")
    assert facts_of(store) == {}
    assert open_snapshot(store).rows("SELECT count(*) FROM fact_rate") == [(0,)]
    assert sorted(p.name for p in (store.root / "gold").iterdir()) == {
        "single": ["fact_rate.parquet"],
    }.get(layout, [])
    assert_tidy(store)
    assert_sound(store)
    reshard(store, "partitioned")
    assert preview_removal(store, Selection(state="GA")).rows == 0
    undo(store, 1)
    assert facts_of(store) == before
    load_made_file(store, tmp_path, 2)
    assert_sound(store)


@pytest.mark.in_turns(2)
@layouts
def test_a_file_loaded_again_does_not_bring_removed_rows_back(tmp_path: Path, layout: str) -> None:
    store = Store(tmp_path / "data", layout)
    record = load_made_file(store, tmp_path, 0).record
    load_made_file(store, tmp_path, 2)
    for selection in (Selection(code=("70000",)), Selection(batch=record["batch_id"])):
        remove(store, selection, "wrong")
        left = facts_of(store)
        again = load_made_file(store, tmp_path, 0)
        assert (again.loaded_before, again.rows_added) == (True, 0)
        assert facts_of(store) == left
    assert {row["reporting_entity_name"] for row in left.values()} == {"Payer Inc"}
    assert [one.rates for one in coverage.list_coverage(open_snapshot(store))] == [len(left)], "one slug for both names"
    with store.write() as transaction:
        gone = removed_facts(transaction, record["batch_id"], "GA")["fact_uid"]
        assert len(gone) == record["rows_added"]
        assert gone.is_sorted()
        assert len(removed_facts(transaction, record["batch_id"], "FL")["fact_uid"]) == 0
        assert len(removed_facts(transaction, "f" * 32, "GA")["fact_uid"]) == 0
    assert_sound(store)


def test_no_correction_means_no_removed_uids(built_once: BuiltOnce, tmp_path: Path) -> None:
    store = made_store(built_once, tmp_path, (0, "GA"))
    with store.write() as transaction:
        assert removed_facts(transaction, "f" * 32, "GA")["fact_uid"].to_list() == []


def test_a_month_without_rates_is_no_period(built_once: BuiltOnce, tmp_path: Path) -> None:
    store = made_store(built_once, tmp_path, (0, "GA"), (1, "GA"))
    remove(store, Selection(year_month="2025-08"), "a wrong month")
    assert [one.year_month for one in coverage.list_periods(open_snapshot(store))] == ["2025-07"]


def test_corrections_are_remembered(built_once: BuiltOnce, tmp_path: Path) -> None:
    store = made_store(built_once, tmp_path, (0, "GA"))
    assert corrections(store) == []
    first = remove(store, Selection(code=("70000",), state="GA"), "one")
    second = remove(store, Selection(max_rate=0.0), "two")
    undone = undo(store, 1)
    third = remove(store, Selection(code=("70000",)), "three")
    assert corrections(store) == [undone, second, third]
    assert [one.correction_id for one in corrections(store)] == [1, 2, 3]
    assert first.selection == '{"state": "GA", "code": ["70000"]}'
    assert (undone.created_at, undone.rows) == (first.created_at, first.rows)
    stable = store.root / "silver" / "corrections" / "corrections.parquet"
    assert duckdb.sql(f"SELECT reason FROM '{stable}' WHERE undone_at IS NULL").fetchall() == [("two",), ("three",)]


def test_a_preview_shows_the_values_with_the_most_facts_first(tmp_path: Path) -> None:
    store = Store(tmp_path / "data")
    items = [item_of(*range(1, 2 + n % 25), code=str(70000 + n)) for n in range(25)]
    path = tmp_path / "many.json"
    path.write_text(json.dumps(file_of(*items)))
    load_file(store, open_documents(path)[0], "GA")
    shown = preview_removal(store, Selection(state="GA")).by["code"]
    assert shown == [(f"CPT {70000 + n}", n + 1) for n in range(24, 4, -1)], "20 of 25, the most first"


def test_what_cannot_be_done_is_told_and_changes_nothing(built_once: BuiltOnce, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="nothing is loaded yet"):
        remove(Store(tmp_path / "none"), Selection(state="GA"), "why")
    store = made_store(built_once, tmp_path, (0, "GA"))
    remove(store, Selection(code=("70001",)), "one")
    undo(store, 1)
    before = listing(store.root)
    uids = tmp_path / "uids.txt"
    for text, message in (
        ("", "contains no fact_uid"),
        ("0" * 31, "line 1: '0{31}' is not a fact_uid; expected 32 hex digits"),
        ("é", "not a text file of fact_uids"),
    ):
        uids.write_text(text)
        with pytest.raises(BeaconError, match=message):
            remove(store, Selection(uids=uids), "why")
    for wanted, message in (
        ({"uids": tmp_path / "none.txt"}, "none.txt: cannot be read: No such file"),
        ({"payer": "nobody"}, "no payer 'nobody' in the store; its payers are: payer_inc"),
        ({"batch": "f" * 32}, "batch f{32} has no provider group in the store"),
        ({"code": ("1",)}, "no fact is selected; nothing was removed"),
    ):
        with pytest.raises(BeaconError, match=message):
            remove(store, Selection(**wanted), "why")
    with pytest.raises(BeaconError, match="a removal needs a reason"):
        remove(store, Selection(code=("70001",)), "  ")
    with pytest.raises(BeaconError, match="there is no correction 7; the corrections are: 1"):
        undo(store, 7)
    with pytest.raises(BeaconError, match=r"correction 1 was undone on \d{4}-"):
        undo(store, 1)
    with pytest.raises(BeaconError, match="nothing is selected: name at least one of batch, payer"):
        Selection()
    with pytest.raises(BeaconError, match="no rate is both at least 2 and at most 1"):
        Selection(min_rate=2, max_rate=1)
    assert listing(store.root) == before


@pytest.mark.in_turns(2)
@layouts
def test_an_undo_never_doubles_a_fact(built_once: BuiltOnce, tmp_path: Path, layout: str) -> None:
    """Facts that came back behind the correction's back: the undo is refused."""
    store = made_store(built_once, tmp_path, (0, "GA"), layout=layout)
    done = remove(store, Selection(code=("70001",)), "one")
    removed = store.root / "silver" / "corrections" / "removed" / "1.parquet"
    with store.write() as transaction:
        file = FactFile(str(removed))
        period = StateMonth("GA", "2025-08")
        append_facts(transaction, file.blocks_of(period))
        file.close()
        transaction.commit()
    before = listing(store.root)
    with pytest.raises(StoreError, match=f"{done.rows} of the removed facts are in the store again"):
        undo(store, 1)
    assert listing(store.root) == before
    with pytest.raises(AssertionError):
        assert_sound(store)  # dq_check says so too


def test_a_removal_survives_every_change_of_files(built_once: BuiltOnce, tmp_path: Path) -> None:
    store = made_store(built_once, tmp_path, (0, "GA"), (2, "GA"), (4, "GA"), layout="partitioned")
    before = facts_of(store)
    done = remove(store, Selection(min_rate=3, max_rate=9), "between")
    left = facts_of(store)
    assert len(left) == len(before) - done.rows
    compact(store, every=True)
    for layout in LAYOUTS:
        reshard(store, layout)
        assert facts_of(store) == left
        assert_sound(store)
    undo(store, done.correction_id)
    assert facts_of(store) == before
