"""What the store has forgotten is as if it had never been loaded."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from core.load.load_file import load_file
from core.load.rate_filters import RateFilter
from core.runtime.errors import BeaconError
from core.store.changes.corrections import remove, undo
from core.store.changes.forget import forget
from core.store.changes.selection import Selection
from core.store.generations.layout import LAYOUTS
from core.store.generations.store import Store, StoreError
from core.store.schema.tables import TABLES
from core.tic.source import open_documents
from tests.built_once import BuiltOnce
from tests.store.steps import assert_sound, assert_tidy, content, facts_of, load_made_file, made_store
from tests.stores import listing

OF_A_FILE = [name for name, table in TABLES.items() if {"batch_id", "pg_uid"} & set(table.names)]
WHEN = ("started_at", "finished_at", "loaded_at", "first_seen_at", "last_seen_at")


def rows_of_files(store: Store) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of all tables that have a file or a provider group, in order, without when they were loaded."""
    manifest = store.loaded()
    found = {}
    for name in OF_A_FILE:
        paths = manifest.paths(store.root, name)
        rows = pl.concat(pl.read_parquet(path) for path in paths) if paths else pl.DataFrame()
        rows = rows.drop([column for column in WHEN if column in rows.columns])
        found[name] = sorted(rows.to_dicts(), key=str)
    return found


def batch_of(store: Store, directory: Path, number: int) -> str:
    return str(load_made_file(store, directory, number).record["batch_id"])


@pytest.mark.in_turns(1)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_forgotten_file_leaves_nothing_and_can_be_loaded_again(
    built_once: BuiltOnce, tmp_path: Path, layout: str
) -> None:
    without = rows_of_files(made_store(built_once, tmp_path / "without", (1, "GA"), (2, "GA"), layout=layout))
    store = made_store(built_once, tmp_path / "store", (0, "GA"), (1, "GA"), (0, "FL"), (2, "GA"), layout=layout)
    before, rates = rows_of_files(store), facts_of(store)
    batch = batch_of(store, tmp_path, 0)
    done = forget(store, batch)
    assert [record["state"] for record in done.records] == ["FL", "GA"]
    assert rows_of_files(store) == without
    assert done.rates == len(rates) - len(facts_of(store)) > 0
    assert batch not in store.loaded().rejects
    assert_tidy(store)
    assert_sound(store)
    with pytest.raises(BeaconError, match=f"batch {batch} is not in the store"):
        forget(store, batch)
    assert load_made_file(store, tmp_path, 0).rows_added > 0
    load_made_file(store, tmp_path, 0, "FL")
    assert rows_of_files(store) == before
    assert facts_of(store) == rates


def test_a_forgotten_file_can_be_loaded_for_another_month(tmp_path: Path) -> None:
    store = Store(tmp_path / "data")
    batch = batch_of(store, tmp_path, 0)
    document = open_documents(tmp_path / "0.json")[0]
    with pytest.raises(BeaconError, match="these rates are in the store already, as 2025-08 in GA"):
        load_file(store, document, "GA", year_month="2025-09")
    forget(store, batch)
    load_file(store, document, "GA", year_month="2025-09")
    assert {row["year_month"] for row in facts_of(store).values()} == {"2025-09"}
    assert_sound(store)


def test_a_file_that_gave_no_rate_is_forgotten(tmp_path: Path) -> None:
    store = Store(tmp_path / "data")
    load_made_file(store, tmp_path, 0)
    before = rows_of_files(store)
    (tmp_path / "2.json").write_bytes(content(2))
    record = load_file(store, open_documents(tmp_path / "2.json")[0], "GA", only=RateFilter(codes=("1",))).record
    assert forget(store, str(record["batch_id"])).rates == 0
    assert rows_of_files(store) == before


def test_what_a_correction_has_removed_is_put_back_first(tmp_path: Path) -> None:
    store = Store(tmp_path / "data")
    batch = batch_of(store, tmp_path, 0)
    other = batch_of(store, tmp_path, 2)
    remove(store, Selection(batch=batch, code=("70001",)), "wrong")
    before = listing(store.root)
    with pytest.raises(BeaconError, match=r"put them back first: correct_rates --undo 1$"):
        forget(store, batch)
    assert listing(store.root) == before
    forget(store, other)
    undo(store, 1)
    forget(store, batch)
    assert facts_of(store) == {}


def test_nothing_is_forgotten_of_an_empty_store(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="nothing is loaded yet"):
        forget(Store(tmp_path / "none"), "0" * 32)
