"""Where symbolic links are refused, the stable paths are hard links or copies, and the facts' paths change together."""

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from core.store.changes.reshard import reshard
from core.store.generations.links import placed_files
from core.store.generations.links.placed_files import links_are_refused, read_placed
from core.store.generations.links.stable_links import current_generation, stable_paths
from core.store.generations.retention.kept import kept_paths
from core.store.generations.store import Store
from core.store.schema.tables import DIM_PAYER_BRIDGE
from tests.simulated.windows import MissingPrivilegeError, RefusedAccessError
from tests.store.steps import facts_of, load_made_file
from tests.stores import change, payers_shown


@pytest.fixture(autouse=True)
def _no_links(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse symbolic links as Windows does, and wait for nobody who has a path open."""

    def refuse(path: Path, *_arguments: object, **_options: object) -> None:
        raise MissingPrivilegeError(path)

    monkeypatch.setattr(Path, "symlink_to", refuse)
    monkeypatch.setattr(placed_files, "PLACING_SECONDS", 0.05)


@pytest.fixture
def refuse_hard_links(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_source: object, target: object) -> None:
        raise OSError(errno.EINVAL, "Incorrect function", target)

    monkeypatch.setattr(os, "link", refuse)


@pytest.fixture
def keep_open(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path | None], None]:
    """Return a function that opens a path, so that Windows neither replaces nor deletes it, or closes it again."""
    opened: list[Path] = []
    replace, unlink = Path.replace, Path.unlink

    def check(path: Any) -> None:
        if Path(path) in opened:
            raise RefusedAccessError("in use", path, 32)

    def replace_if_closed(path: Path, target: Any) -> Path:
        check(target)
        return replace(path, target)

    def unlink_if_closed(path: Path, *arguments: Any, **options: Any) -> None:
        check(path)
        unlink(path, *arguments, **options)

    monkeypatch.setattr(Path, "replace", replace_if_closed)
    monkeypatch.setattr(Path, "unlink", unlink_if_closed)

    def keep(path: Path | None) -> None:
        opened[:] = [path] if path else []

    return keep


def shown_facts(store: Store) -> list[str]:
    """Return the ids of all facts that someone finds who reads what is in gold/."""
    paths = sorted((store.root / "gold").rglob("*.parquet"))
    return sorted(uid for path in paths for uid in pl.read_parquet(path, hive_partitioning=False)["fact_uid"])


def assert_placed(store: Store) -> None:
    manifest = store.loaded()
    paths = stable_paths(manifest)
    found = [path for folder in ("gold", "silver") for path in (store.root / folder).rglob("*")]
    assert {path.relative_to(store.root).as_posix() for path in found if path.is_file()} == paths.keys()
    for path, target in paths.items():
        assert (store.root / path).read_bytes() == (store.root / target).read_bytes()
    placed = read_placed(store.root)
    assert placed
    assert placed.files == paths
    assert current_generation(store.root) == manifest.generation


def test_stable_paths_are_hard_links(store: Store) -> None:
    for name in ("a", "b", "b"):
        change(store, name)
        assert payers_shown(store) == [name]
        assert_placed(store)
    for path, target in stable_paths(store.loaded()).items():
        assert (store.root / path).samefile(store.root / target)
        assert not (store.root / path).is_symlink()


@pytest.mark.usefixtures("refuse_hard_links")
def test_they_are_copies_on_a_disk_without_hard_links(store: Store) -> None:
    for name in ("a", "b", "c"):
        change(store, name)
        assert payers_shown(store) == [name]
        assert_placed(store)
        assert (store.root / DIM_PAYER_BRIDGE.path).stat().st_nlink == 1


@pytest.mark.parametrize("layout", ["single", "partitioned"])
def test_every_layout_shows_every_fact_once(tmp_path: Path, layout: str) -> None:
    store = Store(tmp_path / "data", layout, grace=0)
    for number, other in enumerate(("monthly", "partitioned", "state_month", "single")):
        load_made_file(store, tmp_path, number)
        assert shown_facts(store) == sorted(facts_of(store))
        reshard(store, other)
        assert shown_facts(store) == sorted(facts_of(store))
        assert_placed(store)


@pytest.mark.parametrize(("layout", "which"), [("single", 0), ("monthly", 0), ("monthly", 1), ("partitioned", 1)])
def test_the_facts_stay_as_they_were_while_one_file_is_open(
    tmp_path: Path, layout: str, which: int, keep_open: Callable[[Path | None], None], caplog: pytest.LogCaptureFixture
) -> None:
    store = Store(tmp_path / "data", layout)
    load_made_file(store, tmp_path, 0)
    load_made_file(store, tmp_path, 1)
    before = shown_facts(store)
    keep_open(sorted((store.root / "gold").rglob("*.parquet"))[which])
    reshard(store, "state_month")
    assert shown_facts(store) == before
    assert "the next command that writes replaces it" in caplog.text
    load_made_file(store, tmp_path, 2)
    assert shown_facts(store) == before, "the facts' paths change together or not at all"
    keep_open(None)
    change(store, "a")
    assert shown_facts(store) == sorted(facts_of(store)) != before
    assert_placed(store)


def test_other_tables_move_on_while_one_is_open(store: Store, keep_open: Callable[[Path | None], None]) -> None:
    change(store, "a")
    keep_open(store.root / DIM_PAYER_BRIDGE.path)
    change(store, "b")
    assert payers_shown(store) == ["a"]
    assert current_generation(store.root) is None
    keep_open(None)
    change(store, "c")
    assert payers_shown(store) == ["c"]
    assert_placed(store)


def test_files_of_others_stay(store: Store) -> None:
    change(store, "a")
    mine = store.root / "gold" / "mine.parquet"
    mine.write_bytes(b"mine")
    (store.root / "silver" / "notes.txt").write_bytes(b"notes")
    change(store, "b")
    assert mine.read_bytes() == b"mine"
    assert (store.root / "silver" / "notes.txt").read_bytes() == b"notes"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"files": {}}'])
def test_a_damaged_record_is_made_anew(store: Store, text: str) -> None:
    change(store, "a")
    (store.root / "links" / "placed.json").write_text(text, encoding="utf-8")
    change(store, "b")
    assert_placed(store)


def test_paths_that_were_deleted_are_made_anew(store: Store) -> None:
    change(store, "a")
    (store.root / DIM_PAYER_BRIDGE.path).unlink()
    with store.write():
        pass
    assert_placed(store)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.EROFS])
def test_a_full_disk_is_not_taken_for_a_system_without_links(
    store: Store, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def fail(*_arguments: object, **_options: object) -> None:
        raise OSError(number, os.strerror(number))

    change(store, "a")
    (store.root / "links" / "placed.json").unlink()
    monkeypatch.setattr(Path, "symlink_to", fail)
    with pytest.raises(OSError, match=os.strerror(number)):
        links_are_refused(store.root)


def test_an_expired_file_that_is_open_goes_with_a_later_cleaning(
    tmp_path: Path, keep_open: Callable[[Path | None], None]
) -> None:
    store = Store(tmp_path / "data", grace=0)
    change(store, "a")
    opened = Path(store.paths(DIM_PAYER_BRIDGE.name)[0])
    keep_open(opened)
    change(store, "b")
    change(store, "c")
    assert opened.exists()
    assert [path.stem for path in kept_paths(store.root)] == ["000003"], "it is no longer listed"
    keep_open(None)
    change(store, "d")
    assert not opened.exists()
    assert [path.name for path in (store.root / "manifests").iterdir()] == ["000004.json"]


def test_a_file_of_a_failed_change_that_is_open_goes_with_a_later_cleaning(
    store: Store, keep_open: Callable[[Path | None], None]
) -> None:
    change(store, "a")
    with store.write() as transaction:
        made = transaction.new_file(DIM_PAYER_BRIDGE.name)
        made.write_bytes(b"half")
        keep_open(made)
    assert made.exists()
    change(store, "b")
    assert made.exists()
    keep_open(None)
    change(store, "c")
    assert not made.exists()
