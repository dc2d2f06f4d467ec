"""The history of a store can be read, and each of its generations gone back to."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from core.store.changes.corrections import remove
from core.store.changes.reshard import reshard
from core.store.changes.selection import Selection
from core.store.generations.manifest import FORMAT
from core.store.generations.store import Store, StoreError
from core.store.schema.tables import FACT_RATE
from core.store.upkeep.history import list_generations
from core.store.upkeep.rollback import roll_back
from tests.built_once import BuiltOnce
from tests.store.damage import cut_off_end
from tests.store.old_stores import OLD_FORMAT, answers_of, old_answers, unpacked
from tests.store.steps import assert_sound, assert_tidy, facts_of, load_made_file, made_store
from tests.stores import change, listing, open_snapshot


@pytest.fixture
def filled(built_once: BuiltOnce, tmp_path: Path) -> Store:
    """Return a store of four generations: two loads, a removal, and another layout."""

    def build(directory: Path) -> None:
        root = made_store(built_once, directory, (0, "GA"), (1, "GA"), command="ingest_mrf").root
        remove(Store(root, command="correct_rates"), Selection(min_rate=3, max_rate=5), "wrong")
        reshard(Store(root, command="reshard"), "partitioned")

    built_once.copy("four-generations", build, tmp_path)
    return Store(tmp_path / "data", command="ingest_mrf")


def test_the_history_says_what_changed_and_who_did_it(filled: Store) -> None:
    rows = {one.generation: one.facts for one in list_generations(filled)}
    found = {one.generation: one for one in list_generations(filled)}
    assert list(found) == [4, 3, 2, 1]
    assert [one.command for one in found.values()] == ["reshard", "correct_rates", "ingest_mrf", "ingest_mrf"]
    assert [one.newest for one in found.values()] == [True, False, False, False]
    assert all(one.complete for one in found.values())
    assert found[1].changes == ()
    assert f"fact_rate {rows[2] - rows[1]:+,}" in found[2].changes
    assert "dim_batch +1" in found[2].changes
    removed = rows[2] - rows[3]
    assert removed > 0
    assert {f"fact_rate -{removed}", "corrections +1", f"removed_rate +{removed}"} <= {*found[3].changes}
    assert found[4].changes == ("layout single to partitioned", "fact_rate rewritten")
    assert found[4].rows["fact_rate"] == len(facts_of(filled))
    last = filled.loaded().tables[FACT_RATE.name]
    assert found[4].own_bytes == sum((filled.root / file.path).stat().st_size for file in last)
    assert list_generations(Store(filled.root.parent / "none")) == []


def test_going_back_makes_a_new_generation_of_the_old_content(filled: Store, tmp_path: Path) -> None:
    before = {one.generation: one for one in list_generations(filled)}
    facts = facts_of(filled)
    command = Store(filled.root, command="store rollback")
    new = roll_back(command, 2)
    assert new.generation == 5
    assert (new.layout, new.command) == ("single", "store rollback")
    assert open_snapshot(filled).rows("SELECT count(*) FROM fact_rate") == [(before[2].facts,)]
    assert len(pl.read_parquet(filled.root / "gold/fact_rate.parquet")) == before[2].facts, "the stable path, at once"
    assert not (filled.root / "gold/fact_rate").exists()
    assert open_snapshot(filled).rows("SELECT count(*) FROM corrections") == [(0,)]
    assert_tidy(filled)
    assert_sound(filled)
    assert [one.generation for one in list_generations(filled)] == [5, 4, 3, 2, 1], "the history is kept"
    load_made_file(filled, tmp_path, 2)
    roll_back(command, 4)
    assert facts_of(filled) == facts
    assert_tidy(filled)
    assert_sound(filled)


def test_what_is_gone_or_the_same_is_refused(filled: Store) -> None:
    before = listing(filled.root)
    with pytest.raises(StoreError, match=r"generation 9 is not kept here; expected one of: 1, 2, 3, 4$"):
        roll_back(filled, 9)
    with pytest.raises(StoreError, match="generation 4, the newest, has this content already"):
        roll_back(filled, 4)
    assert listing(filled.root) == before


@pytest.mark.parametrize("damage", [Path.unlink, cut_off_end])
def test_a_damaged_generation_is_refused_and_another_named(filled: Store, damage: Callable[[Path], None]) -> None:
    (file,) = filled.directory.manifest().tables["corrections"]  # type: ignore[union-attr]
    damage(filled.root / file.path)
    roll_back(filled, 2)
    before = listing(filled.root)
    with pytest.raises(StoreError) as refused:
        roll_back(filled, 4)
    assert f"{file.path} " in str(refused.value)
    assert "generation 4 cannot be used; the store is as it was; choose another one (1, 2, 3, 5)" in str(refused.value)
    assert listing(filled.root) == before
    assert [one.generation for one in list_generations(filled) if not one.complete] == [4, 3]


@pytest.mark.parametrize("text", [None, "", "{"])
def test_a_store_without_its_manifest_can_go_back(filled: Store, text: str | None) -> None:
    facts = facts_of(filled)
    filled.manifest_path.unlink()
    if text is not None:
        filled.manifest_path.write_text(text)
    assert roll_back(filled, 4).generation == 5
    assert facts_of(filled) == facts
    assert_tidy(filled)


def test_a_generation_of_an_older_format_is_upgraded_by_the_next_writer(tmp_path: Path) -> None:
    store = unpacked(tmp_path, "monthly", grace=3600)
    old = store.loaded().generation
    store.upgrade()
    change(store, "a")
    new = roll_back(store, old)
    assert new.format == OLD_FORMAT
    assert answers_of(open_snapshot(store)) == old_answers()
    store.upgrade()
    assert store.loaded().format == FORMAT
    assert answers_of(open_snapshot(store)) == old_answers()
    assert_tidy(store)
