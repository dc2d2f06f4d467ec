"""A backup is one generation, complete, and a store of its own; a restore is all of it or nothing."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from core.store.changes.provider_order import copy_by_group
from core.store.changes.reshard import reshard
from core.store.generations.layout import LAYOUTS
from core.store.generations.manifest import BY_GROUP
from core.store.generations.retention.kept import kept_generations
from core.store.generations.retention.pins import pin, read_pins
from core.store.generations.store import Store, StoreError
from core.store.schema.tables import FACT_RATE
from core.store.upkeep import backup as backup_module
from core.store.upkeep.backup import back_up
from core.store.upkeep.copying import copy_file
from core.store.upkeep.restore import restore
from tests.built_once import BuiltOnce
from tests.store.old_stores import answers_of, old_answers, unpacked
from tests.store.steps import assert_sound, assert_stable_paths, assert_tidy, facts_of, load_made_file, made_store
from tests.stores import change, listing, open_snapshot


@pytest.fixture
def filled(built_once: BuiltOnce, tmp_path: Path) -> Store:
    made_store(built_once, tmp_path, (0, "GA"), (1, "GA"), layout="monthly")
    return Store(tmp_path / "data", "monthly", grace=0)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "backup"


def contents(store: Store) -> list[tuple[str, int]]:
    """Return each table with its number of rows."""
    manifest = store.loaded()
    return sorted((name, manifest.rows(name)) for name in manifest.tables)


def test_a_backup_is_a_store_that_can_be_opened(filled: Store, target: Path) -> None:
    copy_by_group(filled)
    done = back_up(filled, target)
    assert (done.generation, done.new_files, done.linked) == (3, done.files, 0)
    copy = Store(target)
    assert copy.loaded() == filled.loaded()
    assert facts_of(copy) == facts_of(filled)
    assert_tidy(copy)
    assert_sound(copy)
    assert not (filled.root / "pins").exists() or not read_pins(filled.root)


def test_a_later_backup_only_adds(filled: Store, target: Path, tmp_path: Path) -> None:
    back_up(filled, target)
    first = {name: data for name, data in listing(target).items() if name.startswith(("files", "manifests"))}
    assert back_up(filled, target).new_files == 0
    load_made_file(filled, tmp_path, 2)
    done = back_up(filled, target)
    assert 0 < done.new_files < done.files
    assert first.items() <= listing(target).items()
    assert [one.generation for one in kept_generations(target)] == [2, 3]
    assert_stable_paths(Store(target))
    assert facts_of(Store(target)) == facts_of(filled)


def test_a_backup_on_the_same_disk_may_be_links(filled: Store, target: Path) -> None:
    done = back_up(filled, target, link=True)
    assert done.linked == done.files
    for file in filled.loaded().files:
        assert (filled.root / file.path).samefile(target / file.path)


def test_what_a_killed_backup_has_left_is_not_trusted(filled: Store, target: Path) -> None:
    (file, *_) = filled.loaded().tables[FACT_RATE.name]
    path = target / file.path
    path.parent.mkdir(parents=True)
    other = bytearray((filled.root / file.path).read_bytes())
    other[len(other) // 2] ^= 1  # of the same size, as a file of another store may be
    path.write_bytes(other)
    path.with_name(f".{path.name}.next").write_bytes(b"half")
    done = back_up(filled, target)
    assert done.new_files == done.files
    assert facts_of(Store(target)) == facts_of(filled)
    assert not list(target.rglob(".*.next"))


def test_a_file_that_the_backup_lost_is_copied_again(filled: Store, target: Path) -> None:
    back_up(filled, target)
    (file, *_) = filled.loaded().tables[FACT_RATE.name]
    (target / file.path).unlink()
    assert back_up(filled, target).new_files == 1
    assert facts_of(Store(target)) == facts_of(filled)


def test_a_generation_stays_while_it_is_backed_up(
    filled: Store, target: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A load that deletes every older generation at once is published while the files are being copied."""
    facts, copy = facts_of(filled), copy_file
    copied: list[Path] = []

    def load_meanwhile(source: Path, path: Path, *, link: bool = False) -> bool:
        if not copied:
            load_made_file(filled, tmp_path, 2)
            reshard(filled, "single")
        copied.append(path)
        return copy(source, path, link=link)

    monkeypatch.setattr(backup_module, "copy_file", load_meanwhile)
    assert back_up(filled, target).generation == 2
    assert facts_of(Store(target)) == facts
    assert [one.generation for one in kept_generations(filled.root)] == [2, 4]
    change(filled, "a")
    assert [one.generation for one in kept_generations(filled.root)] == [5]


def test_a_generation_that_is_deleted_before_it_is_pinned_is_left_for_the_next(
    filled: Store, target: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    require = backup_module._require_same_history
    asked: list[int] = []

    def load_before(*arguments: object) -> None:
        if not asked:
            load_made_file(filled, tmp_path, 2)
        asked.append(1)
        require(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(backup_module, "_require_same_history", load_before)
    assert back_up(filled, target).generation == 3
    assert facts_of(Store(target)) == facts_of(filled)


def test_a_pin_ends_with_its_process(filled: Store) -> None:
    with pin(filled.root, 2):
        assert read_pins(filled.root) == {2}
        change(filled, "a")
        change(filled, "b")
        assert [one.generation for one in kept_generations(filled.root)] == [2, 4]
    (filled.root / "pins" / "000002-1.lock").touch()  # of a process that was killed
    assert read_pins(filled.root) == set()
    assert not list((filled.root / "pins").iterdir())


def test_a_backup_that_cannot_be_made_is_refused(filled: Store, target: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="nothing is loaded yet"):
        back_up(Store(tmp_path / "none"), target)
    for inside in (filled.root, filled.root / "backup", filled.root.parent):
        with pytest.raises(StoreError, match="a backup cannot be inside the store"):
            back_up(filled, inside)
    other = Store(tmp_path / "other", "monthly")
    for number in (2, 3):
        load_made_file(other, tmp_path, number)
    back_up(other, target)
    before = listing(target)
    with pytest.raises(StoreError, match="is a backup of another store than"):
        back_up(filled, target)
    assert listing(target) == before
    (file, *_) = filled.loaded().tables[FACT_RATE.name]
    (filled.root / file.path).unlink()
    with pytest.raises(StoreError, match=f"{file.path} is missing"):
        back_up(filled, tmp_path / "second")


@pytest.mark.in_turns(1)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_backup_is_restored_into_an_empty_store(tmp_path: Path, target: Path, layout: str) -> None:
    store = Store(tmp_path / "data", layout)
    for number in (0, 1):
        load_made_file(store, tmp_path, number)
    copy_by_group(store)
    back_up(store, target)
    facts, rows = facts_of(store), contents(store)
    shutil.rmtree(store.root)
    done = restore(store, target)
    assert (done.backed_up, done.generation, done.copied_files) == (3, 4, done.files)
    assert facts_of(store) == facts
    assert contents(store) == rows
    assert len(store.loaded().copies(store.loaded().tables[FACT_RATE.name])) == len(store.loaded().tables[BY_GROUP])
    assert store.loaded().tables[BY_GROUP]
    assert_tidy(store)
    assert_sound(store)
    load_made_file(store, tmp_path, 2)
    assert back_up(store, target).generation == 5, "it can be backed up there again"


DAMAGES: dict[str, Callable[[Store], object]] = {
    "no manifest": lambda store: store.manifest_path.unlink(),
    "a broken manifest": lambda store: store.manifest_path.write_text("{"),
    "a missing file": lambda store: (store.root / store.loaded().tables[FACT_RATE.name][0].path).unlink(),
    "a file cut short": lambda store: (store.root / store.loaded().tables[FACT_RATE.name][0].path).write_bytes(b"PAR1"),
    "no files": lambda store: shutil.rmtree(store.root / "files"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_store_is_restored(filled: Store, target: Path, damage: str) -> None:
    copy_by_group(filled)
    facts, rows = facts_of(filled), contents(filled)
    back_up(filled, target)
    DAMAGES[damage](filled)
    done = restore(filled, target)
    assert facts_of(filled) == facts
    assert contents(filled) == rows
    assert len(filled.loaded().copies(filled.loaded().tables[FACT_RATE.name])) == len(facts_files(filled))
    assert done.copied_files == {"no files": done.files, "no manifest": 0, "a broken manifest": 0}.get(damage, 1)
    assert_stable_paths(filled)
    assert_sound(filled)


def facts_files(store: Store) -> tuple[object, ...]:
    return store.loaded().tables[FACT_RATE.name]


def test_a_healthy_store_is_only_replaced_if_that_is_asked_for(filled: Store, target: Path, tmp_path: Path) -> None:
    store = Store(filled.root, grace=3600)
    back_up(store, target)
    facts = facts_of(store)
    load_made_file(store, tmp_path, 2)
    before = listing(store.root)
    with pytest.raises(StoreError, match=r"this store is healthy, and its newest generation is 3; .* add --force"):
        restore(store, target)
    assert listing(store.root) == before
    done = restore(store, target, force=True)
    assert (done.generation, done.copied_files) == (4, 0)
    assert facts_of(store) == facts
    assert before.keys() - {"manifest.json"} <= listing(store.root).keys(), "what was there can be gone back to"
    assert_tidy(store)


def test_an_older_generation_of_a_backup_is_restored(filled: Store, target: Path, tmp_path: Path) -> None:
    back_up(filled, target)
    facts = facts_of(filled)
    load_made_file(filled, tmp_path, 2)
    back_up(filled, target)
    empty = Store(tmp_path / "empty")
    assert restore(empty, target, generation=2).generation == 4
    assert facts_of(empty) == facts
    with pytest.raises(StoreError, match="generation 9 is not kept here; expected one of: 2, 3"):
        restore(empty, target, generation=9)


def test_a_damaged_or_missing_backup_is_refused(filled: Store, target: Path, tmp_path: Path) -> None:
    empty = Store(tmp_path / "empty")
    with pytest.raises(StoreError, match="there is no backup here"):
        restore(empty, target)
    back_up(filled, target)
    (file, *_) = filled.loaded().tables[FACT_RATE.name]
    (target / file.path).write_bytes(b"PAR1")
    with pytest.raises(StoreError, match=f"{file.path} .*; nothing has been restored"):
        restore(empty, target)
    assert not empty.root.exists()


def test_a_backup_of_an_older_format_is_restored(tmp_path: Path, target: Path) -> None:
    store = unpacked(tmp_path, "partitioned")
    back_up(store, target)
    restored = Store(tmp_path / "restored")
    restore(restored, target)
    assert answers_of(open_snapshot(restored)) == old_answers()
    restored.upgrade()
    assert answers_of(open_snapshot(restored)) == old_answers()
