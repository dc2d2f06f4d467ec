"""`store verify` finds every damaged file, names it, and says what to do.

BEACONPOINT_FLIPS is the number of single bits that are flipped in each table, one at a time, 3 where it is not set.
"""

import os
import random
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from core.store.changes.corrections import remove
from core.store.changes.provider_order import copy_by_group
from core.store.changes.selection import Selection
from core.store.generations.integrity.damage import files_by_table
from core.store.generations.manifest import BY_GROUP, DataFile
from core.store.generations.store import Store, StoreError
from core.store.upkeep.verify import verify
from tests.built_once import BuiltOnce
from tests.store.damage import cut_short, flip_bit
from tests.store.old_stores import unpacked
from tests.store.steps import made_store
from tests.stores import change

FLIPS = int(os.environ.get("BEACONPOINT_FLIPS", "3"))
CHANCE = random.SystemRandom()
"""Not the tests' seeded one, which would flip the same bits each time."""


@pytest.fixture
def filled(built_once: BuiltOnce, tmp_path: Path) -> Store:
    """Return a store with facts, their copies, rejects, and a correction."""

    def build(directory: Path) -> None:
        store = made_store(built_once, directory, (0, "GA"), (1, "GA"), layout="monthly")
        remove(store, Selection(code=("70001",)), "wrong")
        copy_by_group(store)

    built_once.copy("corrected", build, tmp_path)
    return Store(tmp_path / "data", "monthly")


def file_of(store: Store, table: str) -> DataFile:
    """Return a file of a table that has rows."""
    return next(file for name, file in files_by_table(store.loaded()) if name == table and file.rows)


def told(store: Store, *, deep: bool = False) -> list[str]:
    """Return what is told of each damaged file."""
    return [f"{damage}; {advice}" for damage, advice in verify(store, deep=deep).damages]


@pytest.mark.parametrize("deep", [False, True])
def test_a_sound_store_is_sound(filled: Store, deep: bool) -> None:
    seen: list[tuple[int, int]] = []
    found = verify(filled, deep=deep, progress=lambda done, total: seen.append((done, total)))
    assert found.damages == ()
    assert found.without_checksum == ()
    assert found.generations == 4
    paths = {file.path for _, file in files_by_table(filled.loaded())}
    assert found.files >= len(paths)
    assert seen[-1] == (found.bytes, found.bytes)


def test_every_flipped_bit_is_found_in_every_table(filled: Store) -> None:
    files: dict[str, list[DataFile]] = {}
    for table, file in files_by_table(filled.loaded()):
        files.setdefault(table, []).append(file)
    assert {"fact_rate", BY_GROUP, "removed_rate", "rejects", "dim_batch"} <= files.keys()
    for _ in range(FLIPS):
        flipped = {table: CHANCE.choice(members) for table, members in files.items()}
        bits = {file.path: CHANCE.randrange(8 * file.bytes) for file in flipped.values()}
        for path, bit in bits.items():
            flip_bit(filled.root / path, bit)
        found = verify(filled, deep=True).damages
        assert {damage.table: damage.path for damage, _ in found} == {t: file.path for t, file in flipped.items()}, bits
        assert len(found) == len(files)
        for path, bit in bits.items():
            flip_bit(filled.root / path, bit)
    assert told(filled, deep=True) == []


def test_a_missing_file_and_one_cut_short(filled: Store) -> None:
    facts, bridge = file_of(filled, "fact_rate"), file_of(filled, "dim_payer_bridge")
    (filled.root / facts.path).unlink()
    cut_short(filled.root / bridge.path, bridge.bytes - 100)
    assert sorted(line.split(";")[0] for line in told(filled)) == [
        f"table dim_payer_bridge: {bridge.path} has {bridge.bytes - 100:,} bytes where {bridge.bytes:,} were written",
        f"table fact_rate: {facts.path} is missing",
    ]


def test_the_generation_to_go_back_to_is_one_without_the_file(filled: Store) -> None:
    change(filled, "b")
    bridge = file_of(filled, "dim_payer_bridge")
    flip_bit(filled.root / bridge.path, 100)
    generation = filled.loaded().generation
    (line,) = told(filled)
    assert line == (
        f"table dim_payer_bridge: {bridge.path} has other bytes than were written; restore it from a backup, or go "
        f"back to generation {generation - 1}: manage.py store rollback {generation - 1}"
    )


def test_a_file_that_only_an_older_generation_needs(filled: Store) -> None:
    old = file_of(filled, "dim_payer_bridge")
    change(filled, "b")
    generation = filled.loaded().generation
    flip_bit(filled.root / old.path, 100)
    (line,) = told(filled)
    assert line == (
        f"table dim_payer_bridge: {old.path} has other bytes than were written; the newest generation does not need "
        f"it, but generation {generation - 1} cannot be gone back to without it"
    )


def test_damaged_manifests_are_found(filled: Store) -> None:
    first, newest = filled.root / "manifests" / "000001.json", filled.root / "manifests" / "000004.json"
    first.write_text("{")
    newest.write_bytes(newest.read_bytes().replace(b'"rows": 1,', b'"rows": 3,', 1))
    assert [line.split(";")[0] for line in told(filled)] == [
        "table manifests: manifests/000001.json is not a manifest of this program",
        "table manifests: manifest.json differs from manifests/000004.json",
    ]
    filled.manifest_path.unlink()
    with pytest.raises(StoreError, match="the store is not empty"):
        verify(filled)


def test_deep_finds_what_was_damaged_before_it_was_written(filled: Store) -> None:
    """A checksum vouches for the bytes that were written; only decoding them tells that they are no good."""
    with filled.write() as transaction:
        facts = transaction.files("fact_rate")[0]
        path = transaction.new_file("fact_rate", facts.shard)
        shutil.copyfile(filled.root / facts.path, path)
        column = pq.read_metadata(path).row_group(0).column(0)
        flip_bit(path, 8 * (column.data_page_offset + column.total_compressed_size - 2))
        transaction.replace("fact_rate", [facts], path, facts.rows, facts.shard)
        transaction.commit()
    assert told(filled) == []
    (line,) = told(filled, deep=True)
    assert "cannot be decoded" in line


def test_deep_counts_the_rows(filled: Store) -> None:
    with filled.write() as transaction:
        (file,) = transaction.files("dim_code")
        path = transaction.new_file("dim_code")
        shutil.copyfile(filled.root / file.path, path)
        transaction.put("dim_code", path, file.rows + 1)
        transaction.commit()
    assert told(filled) == []
    (line,) = told(filled, deep=True)
    assert f"has {file.rows:,} rows where the manifest says {file.rows + 1:,}" in line


def test_an_older_store_has_no_checksums_until_the_next_write(tmp_path: Path) -> None:
    store = unpacked(tmp_path, "single", grace=3600)
    before = verify(store, deep=True)
    assert before.damages == ()
    assert len(before.without_checksum) == before.files
    assert not before.newest_has_checksums
    cut_short(store.root / file_of(store, "dim_batch").path, 300)
    assert "does not end as a Parquet file does" in told(store)[0]


def test_an_upgrade_adds_the_checksums(tmp_path: Path) -> None:
    store = unpacked(tmp_path, "single", grace=3600)
    old = {file.path for file in store.loaded().files}
    store.upgrade()
    new = {file.path for file in store.loaded().files}
    found = verify(store, deep=True)
    assert found.damages == ()
    assert set(found.without_checksum) == old - new
    assert found.newest_has_checksums
    assert all(file.checksum for file in store.loaded().files)
    flip_bit(store.root / file_of(store, "dim_batch").path, 2000)
    assert "has other bytes than were written" in told(store)[0]
