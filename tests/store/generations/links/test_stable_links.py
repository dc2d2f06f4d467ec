"""All stable paths of a generation change with one rename, and a folder, when listed, shows one generation."""

import os
import sys
from pathlib import Path

import polars as pl
import pytest

from core.store.changes.reshard import reshard
from core.store.generations.layout import LAYOUTS
from core.store.generations.store import Store
from core.store.schema.tables import DIM_PAYER_BRIDGE
from tests.store.generations.links.links_of_old_versions import make_links_as_before
from tests.store.steps import assert_stable_paths, assert_tidy, facts_of, load_made_file
from tests.stores import change, payers_shown


def test_paths_change_with_one_rename(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each system call is looked at from outside: before it all paths are of one generation, after it of the next."""
    change(store, "a")
    seen: list[str] = []
    replace = Path.replace

    def look_around(path: Path, target: Path) -> Path:
        before = {(store.root / "links/current").readlink().name, *payers_shown(store)}
        done = replace(path, target)
        after = {(store.root / "links/current").readlink().name, *payers_shown(store)}
        if before != after:
            seen.append(f"{target.relative_to(store.root)}")
            assert (before, after) == ({"000001", "a"}, {"000002", "b"})
        return done

    monkeypatch.setattr(Path, "replace", look_around)
    change(store, "b")
    assert seen == ["links/current"]


def test_a_folder_that_is_being_listed_keeps_its_generation(tmp_path: Path) -> None:
    store = Store(tmp_path / "data", "monthly")
    for number in (0, 1):
        load_made_file(store, tmp_path, number)
    before = facts_of(store).keys()
    opened = (store.root / "gold").resolve()
    reshard(store, "state_month")
    load_made_file(store, tmp_path, 2)
    assert set(pl.read_parquet(opened / "fact_rate_*.parquet")["fact_uid"]) == before
    assert set(pl.read_parquet(store.root / "gold/fact_rate_*.parquet")["fact_uid"]) == facts_of(store).keys()


@pytest.mark.in_turns(2)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_folders_of_links_that_an_older_version_made_are_replaced(tmp_path: Path, layout: str) -> None:
    store = Store(tmp_path / "data", layout, grace=0)
    for number in (0, 1):
        load_made_file(store, tmp_path, number)
    make_links_as_before(store)
    gold = store.root / "gold"
    assert not gold.is_symlink()
    (gold / "notes.txt").write_text("mine")
    (gold / "more").mkdir()
    (gold / "more" / "mine.parquet").symlink_to("/dev/null")
    load_made_file(store, tmp_path, 2)
    assert gold.is_symlink()
    assert (gold / "notes.txt").read_text() == "mine"
    assert (gold / "more" / "mine.parquet").readlink() == Path("/dev/null")
    assert sorted(path.name for path in store.root.iterdir() if path.is_symlink()) == ["gold", "silver"]
    assert not list(store.root.glob(".*.next"))
    (gold / "notes.txt").unlink()
    (gold / "more" / "mine.parquet").unlink()
    load_made_file(store, tmp_path, 3)
    assert_tidy(store)


def test_a_folder_is_replaced_in_two_steps_where_the_system_cannot_do_it_in_one(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(store, "a")
    make_links_as_before(store)
    monkeypatch.setattr(sys, "platform", "darwin")
    change(store, "b")
    assert (store.root / "silver").is_symlink()
    assert payers_shown(store) == ["b"]
    assert_tidy(store)


def test_a_file_in_the_way_of_a_stable_path_is_kept_beside_it(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    change(store, "a")
    make_links_as_before(store)
    path = store.root / DIM_PAYER_BRIDGE.path
    path.unlink()
    path.write_text("mine")
    change(store, "b")
    assert payers_shown(store) == ["b"]
    kept = store.root / "silver.former-1" / path.name
    assert kept.read_text() == "mine"
    assert "are kept here" in caplog.text
    assert_tidy(store)


def test_what_else_lies_in_the_folders_is_carried_along(store: Store) -> None:
    change(store, "a")
    (store.root / "gold" / "notes.txt").write_text("mine")
    change(store, "b")
    (store.root / "gold" / "notes.txt").write_text("still mine")
    (store.root / "silver" / "new").mkdir()
    (store.root / "silver" / "new" / "file").write_text("new")
    for name in "cde":
        change(store, name)
    assert (store.root / "gold" / "notes.txt").read_text() == "still mine"
    assert (store.root / "silver" / "new" / "file").read_text() == "new"


def test_what_was_put_into_a_former_tree_is_not_deleted(tmp_path: Path) -> None:
    store = Store(tmp_path / "data", grace=0)
    change(store, "a")
    former = (store.root / "gold").resolve()
    change(store, "b")
    former.mkdir(parents=True, exist_ok=True)  # a program that resolved gold/ before the switch
    (former / "late.txt").write_text("late")
    change(store, "c")
    assert (former / "late.txt").read_text() == "late"


def test_a_file_that_cannot_be_linked_is_copied(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    change(store, "a")
    (store.root / "gold" / "notes.txt").write_text("mine")

    def refuse(*_arguments: object, **_options: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    change(store, "b")
    assert (store.root / "gold" / "notes.txt").read_text() == "mine"
    assert payers_shown(store) == ["b"]


@pytest.mark.parametrize("spoil", ["a link", "all links", "current", "gold", "a wrong link"])
def test_spoiled_links_are_put_right_by_the_next_writer(tmp_path: Path, spoil: str) -> None:
    store = Store(tmp_path / "data", "monthly", grace=0)
    for number in (0, 1):
        load_made_file(store, tmp_path, number)
    gold = store.root / "gold"
    if spoil == "a link":
        (gold / "fact_rate_2025-08.parquet").unlink()
    elif spoil == "a wrong link":
        (gold / "fact_rate_2025-08.parquet").unlink()
        (gold / "fact_rate_2025-08.parquet").symlink_to((gold / "fact_rate_2025-07.parquet").readlink())
    elif spoil == "all links":
        for path in list(gold.iterdir()):
            path.unlink()
    elif spoil == "current":
        (store.root / "links" / "current").unlink()
    else:
        gold.unlink()
    with store.write():
        assert_stable_paths(store)
