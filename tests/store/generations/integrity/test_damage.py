"""Checksums and true sizes in the manifest, and damage that is told from every other failure."""

import re
import shutil
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xxhash

from core.python_api.rate_store import open_store
from core.store.changes.compact import compact
from core.store.changes.corrections import corrections, remove, undo
from core.store.changes.reshard import reshard
from core.store.changes.selection import Selection
from core.store.connection import QueryLimits
from core.store.generations.integrity.damage import DamagedFileError
from core.store.generations.layout import LAYOUTS
from core.store.generations.manifest import CHECKSUMS_SINCE, DataFile
from core.store.generations.store import Store, StoreError
from core.store.parquet.row_group_copier import RowGroupCopier
from core.store.reader import Reader
from core.store.schema.tables import DIM_BATCH, FACT_RATE
from tests.built_once import BuiltOnce
from tests.store.damage import cut_short, flip_bit
from tests.store.old_stores import unpacked
from tests.store.steps import load_made_file, made_store
from tests.stores import listing, open_snapshot


@pytest.fixture
def filled(built_once: BuiltOnce, tmp_path: Path) -> Store:
    return made_store(built_once, tmp_path, (0, "GA"), (1, "GA"))


def assert_true_sizes_and_checksums(store: Store) -> None:
    for file in store.loaded().files:
        content = (store.root / file.path).read_bytes()
        assert file.bytes == len(content), file.path
        assert file.checksum == xxhash.xxh3_128_hexdigest(content), file.path


def only_file(store: Store, table: str) -> DataFile:
    (file,) = store.loaded().tables[table]
    return file


@pytest.mark.in_turns(2)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_file_has_its_true_size_and_checksum(tmp_path: Path, layout: str) -> None:
    store = Store(tmp_path / "data", layout)
    for number in (0, 1, 2, 0):
        load_made_file(store, tmp_path, number)
        assert_true_sizes_and_checksums(store)
    remove(store, Selection(code=("70001",)), "wrong")
    assert_true_sizes_and_checksums(store)
    compact(store, every=True)
    reshard(store, "monthly" if layout == "single" else "single")
    undo(store, 1)
    assert_true_sizes_and_checksums(store)


def test_an_older_store_gets_them_with_the_next_write(tmp_path: Path) -> None:
    store = unpacked(tmp_path, "monthly")
    assert store.loaded().format < CHECKSUMS_SINCE
    assert not any(file.checksum for file in store.loaded().files)
    load_made_file(store, tmp_path, 0)
    assert_true_sizes_and_checksums(store)


def test_a_damaged_file_of_an_older_store_gets_no_checksum(tmp_path: Path) -> None:
    store = unpacked(tmp_path, "monthly")
    path = store.root / store.loaded().tables["dim_code"][0].path
    content = path.read_bytes()
    path.write_bytes(content[:-200] + bytes(196) + b"PAR1")
    before = store.manifest_path.read_bytes()
    with pytest.raises(DamagedFileError, match=r"table dim_code: files/dim_code\S+ is damaged \("):
        store.upgrade()
    assert store.manifest_path.read_bytes() == before


def test_pages_have_checksums_and_keep_them_when_they_are_copied(filled: Store, tmp_path: Path) -> None:
    path = filled.root / only_file(filled, FACT_RATE.name).path
    column = pq.read_metadata(path).row_group(0).column(FACT_RATE.names.index("negotiated_rate"))
    first = column.dictionary_page_offset or column.data_page_offset
    copied, damaged = tmp_path / "copied.parquet", tmp_path / "damaged.parquet"
    shutil.copyfile(path, damaged)
    flip_bit(damaged, 8 * (first + column.total_compressed_size - 2))
    for source in (path, damaged):
        with RowGroupCopier(copied) as copier:
            copier.add(source)
            copier.finish()
        with pq.ParquetFile(copied, page_checksum_verification=True) as file:
            if source == path:
                assert file.read().num_rows == only_file(filled, FACT_RATE.name).rows
            else:
                with pytest.raises((OSError, pa.ArrowException), match=r"(?i)crc"):
                    file.read()


@pytest.mark.parametrize("table", ["fact_rate", "dim_provider_group"])
def test_a_writer_does_not_carry_damage_into_a_new_file(filled: Store, tmp_path: Path, table: str) -> None:
    file = only_file(filled, table)
    text = (filled.root / file.path).read_bytes()
    flip_bit(filled.root / file.path, 4 * file.bytes)
    before = listing(filled.root)
    with pytest.raises(DamagedFileError, match=rf"table {table}: {re.escape(file.path)} ") as told:
        load_made_file(filled, tmp_path, 2)
    assert told.value.damage.table == table
    assert listing(filled.root) == before
    (filled.root / file.path).write_bytes(text)
    load_made_file(filled, tmp_path, 2)
    assert_true_sizes_and_checksums(filled)


def replace_by_copy(store: Store, table: str) -> None:
    """Put a copy of a table's file in its place, as a writer does that copies row groups as bytes."""
    with store.write() as transaction:
        (file,) = transaction.files(table)
        path = transaction.new_file(table)
        shutil.copyfile(transaction.path(file), path)
        transaction.put(table, path, file.rows)
        transaction.commit()


def test_a_file_is_compared_before_its_successor_is_published_even_if_no_row_was_decoded(filled: Store) -> None:
    file = only_file(filled, "fact_rate")
    flip_bit(filled.root / file.path, 4 * file.bytes)
    before = listing(filled.root)
    with pytest.raises(DamagedFileError, match="table fact_rate"):
        replace_by_copy(filled, "fact_rate")
    assert listing(filled.root) == before
    flip_bit(filled.root / file.path, 4 * file.bytes)
    replace_by_copy(filled, "fact_rate")


@pytest.mark.parametrize("table", ["fact_rate", "dim_batch", "corrections"])
@pytest.mark.parametrize("damage", ["missing", "cut short", "zeros at the end"])
def test_a_file_that_is_visibly_damaged_is_told_before_anything_is_done(
    filled: Store, tmp_path: Path, table: str, damage: str
) -> None:
    file = only_file(filled, table)
    path = filled.root / file.path
    if damage == "missing":
        path.unlink()
    elif damage == "cut short":
        cut_short(path, file.bytes // 2)
    else:
        path.write_bytes(path.read_bytes()[:-100] + bytes(100))
    before = listing(filled.root)
    for action in (
        lambda: load_made_file(filled, tmp_path, 2),
        lambda: reshard(filled, "monthly"),
        lambda: corrections(filled),
        lambda: Reader(filled, QueryLimits(seconds=60)).snapshot(),
        lambda: open_store(filled.root),
    ):
        with pytest.raises(DamagedFileError) as told:
            action()
        assert str(told.value).startswith(f"table {table}: {file.path} ")
        assert "room" not in str(told.value)
        assert "; restore it from a backup, or " in str(told.value)
    assert listing(filled.root) == before


def test_a_file_damaged_while_the_store_is_open_is_named_when_it_is_read(filled: Store) -> None:
    db, other = open_snapshot(filled), open_snapshot(filled)
    file = only_file(filled, FACT_RATE.name)
    (filled.root / file.path).unlink()
    with pytest.raises(DamagedFileError, match=f"table fact_rate: {re.escape(file.path)} is missing"):
        db.rows("SELECT count(DISTINCT code) FROM fact_rate")
    with pytest.raises(DamagedFileError):
        other.rows("SELECT min(code) FROM fact_rate")
    assert db.rows("SELECT 1") == [(1,)]


def test_an_error_of_the_query_is_not_taken_for_damage(filled: Store) -> None:
    db = open_snapshot(filled)
    file = only_file(filled, DIM_BATCH.name)
    flip_bit(filled.root / file.path, 4 * file.bytes)
    with pytest.raises(duckdb.BinderException):
        db.rows("SELECT no_such_column FROM fact_rate")


def test_a_generation_that_is_no_longer_kept_is_not_called_damaged(tmp_path: Path) -> None:
    store = Store(tmp_path / "data", grace=0)
    load_made_file(store, tmp_path, 0)
    db = open_snapshot(store)
    load_made_file(store, tmp_path, 1)
    with pytest.raises(StoreError, match="generation 1, which was being read, is no longer kept; ask again"):
        db.rows("SELECT min(code) FROM fact_rate")


def test_a_full_disk_is_still_a_full_disk(filled: Store) -> None:
    flip_bit(filled.root / only_file(filled, DIM_BATCH.name).path, 100)
    with pytest.raises(StoreError, match="no space left on the disk"), filled.write():
        raise OSError(28, "No space left on device")


def test_polars_and_duckdb_read_files_whose_pages_have_checksums(filled: Store) -> None:
    path = filled.root / only_file(filled, FACT_RATE.name).path
    assert pl.read_parquet(path).height == open_snapshot(filled).rows("SELECT count(*) FROM fact_rate")[0][0]
