"""A store of an older format is read as it is, and upgraded by the next write: all of it or nothing."""

import json
from dataclasses import replace
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest

from core.demo.payer_files import write_files
from core.load.load_file import load_file
from core.store.changes.corrections import undo
from core.store.changes.provider_order import without_copy
from core.store.generations.layout import layout_named
from core.store.generations.manifest import BY_GROUP, FORMAT, StoreError
from core.store.generations.store import Store
from core.store.generations.upgrade import Upgraded, upgrade_files
from core.store.schema.columns import Column, Table
from core.store.schema.tables import FACT_RATE, RATE_BY_GROUP, REMOVED_RATE, STORED_TABLES, TABLES
from core.tic.source import open_documents
from tests.store.old_stores import OLD_FORMAT, OLD_LAYOUTS, answers_of, old_answers, unpacked
from tests.store.steps import assert_sound, assert_tidy, facts_of
from tests.stores import open_snapshot

NEW = "billing_code_type_version"


@pytest.fixture(params=OLD_LAYOUTS)
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """Return a store of format 1, in each layout that there was."""
    return unpacked(tmp_path, request.param)


def listing(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def load_savannah(store: Store, directory: Path) -> None:
    """Load a file of another payer."""
    (path,) = [path for path in write_files(directory) if path.name.startswith("2025-08-01_savannah")]
    load_file(store, open_documents(path)[0], "GA")


def test_there_is_an_old_store_of_each_layout_of_that_time() -> None:
    assert OLD_LAYOUTS == ["monthly", "partitioned", "single", "state_month"]


def test_an_old_store_is_read_as_it_is(old: Store) -> None:
    before = listing(old.root)
    assert old.loaded().format == OLD_FORMAT
    db = open_snapshot(old)
    assert answers_of(db) == old_answers()
    assert db.rows(f"SELECT count(*), count({NEW}) FROM fact_rate") == [(old_answers()["facts"], 0)]
    assert db.rows(f"SELECT count(*) > 0, count({NEW}) FROM removed_rate") == [(True, 0)]
    assert_sound(old)
    assert listing(old.root) == before


def test_the_next_ingest_upgrades_and_keeps_every_row(old: Store, tmp_path: Path) -> None:
    load_savannah(old, tmp_path)
    assert old.loaded().format == FORMAT
    versions = open_snapshot(old).rows(
        f"SELECT reporting_entity_name LIKE '%Peach%', {NEW}, count(*) FROM fact_rate GROUP BY ALL ORDER BY ALL"
    )
    new = len(facts_of(old)) - old_answers()["facts"]
    assert new > 0
    assert versions == [(False, "2025", new), (True, None, old_answers()["facts"])]
    assert_sound(old)
    assert_tidy(old)


def test_upgrade_answers_the_same_and_gives_every_file_the_declared_columns(old: Store) -> None:
    widened = [table for table in STORED_TABLES if any(column.since > OLD_FORMAT for column in table.columns)]
    assert {FACT_RATE, REMOVED_RATE} <= set(widened)
    files = [file for table in widened for file in old.loaded().tables.get(table.name, ())]
    done = old.upgrade()
    assert done == Upgraded(OLD_FORMAT, FORMAT, len(files), sum(file.rows for file in files))
    assert old.loaded().format == FORMAT
    assert answers_of(open_snapshot(old)) == old_answers()
    for name, table in TABLES.items():
        for path in old.paths(name):
            assert pq.read_schema(path).remove_metadata().equals(table.arrow)
    assert len(facts_of(old)) == old_answers()["facts"]
    assert_sound(old)
    assert_tidy(old)
    layout = layout_named(old.loaded().layout)
    glob = f"{layout.path}/**/*.parquet" if layout.grows else layout.path.format(state="*", year_month="*")
    assert pl.read_parquet(old.root / glob, hive_partitioning=False)[NEW].null_count() == old_answers()["facts"]


def test_copies_by_provider_group_stay_in_use(old: Store) -> None:
    before = old.loaded().tables[BY_GROUP]
    old.upgrade()
    after = old.loaded().tables[BY_GROUP]
    assert without_copy(old.loaded()) == []
    assert {file.path for file in after} == {file.path for file in before}


def test_a_new_compared_column_is_added_to_the_copies_too(old: Store) -> None:
    def with_new_column(table: Table) -> Table:
        if table not in {FACT_RATE, REMOVED_RATE, RATE_BY_GROUP}:
            return table
        return replace(table, columns=(*table.columns, Column("made_up", "text", "Made up.", since=FORMAT + 1)))

    facts = open_snapshot(old).rows(f"SELECT * FROM {BY_GROUP} ORDER BY ALL")
    before = old.loaded().tables[BY_GROUP]
    with old.write() as transaction:
        upgrade_files(transaction, tables=map(with_new_column, STORED_TABLES))
        transaction.commit()
    after = old.loaded().tables[BY_GROUP]
    assert without_copy(old.loaded()) == []
    assert len(after) == len(before) > 0
    for path in old.paths(BY_GROUP):
        assert pq.read_schema(path).names == [*RATE_BY_GROUP.names, "made_up"]
        assert pl.read_parquet(path)["made_up"].null_count() == len(pl.read_parquet(path))
    assert open_snapshot(old).rows(f"SELECT * FROM {BY_GROUP} ORDER BY ALL") == facts
    assert open_snapshot(old).rows("SELECT made_up FROM read_parquet(?) LIMIT 1", [old.paths(BY_GROUP)]) == [(None,)]


def test_facts_removed_before_come_back_after(old: Store) -> None:
    undo(old, 1)
    back = open_snapshot(old).rows(f"SELECT count(*), count({NEW}) FROM fact_rate WHERE code = '99214'")
    assert back[0][0] > 0
    assert back[0][1] == 0
    assert_sound(old)


def test_a_second_upgrade_changes_nothing(old: Store) -> None:
    old.upgrade()
    before = listing(old.root)
    assert old.upgrade() is None
    assert listing(old.root) == before


def test_a_reader_of_the_old_generation_is_not_disturbed(tmp_path: Path) -> None:
    store = unpacked(tmp_path, "single", grace=3600)
    db = open_snapshot(store)
    store.upgrade()
    assert answers_of(db) == old_answers()


def test_an_upgrade_that_fails_leaves_the_store_as_it_was(tmp_path: Path) -> None:
    store = unpacked(tmp_path, "monthly")
    before = listing(store.root)

    def fail(_done: int, _all: int) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(StoreError, match="no space left on the disk"):
        store.upgrade(fail)
    new = {name for name in listing(store.root).keys() - before.keys() if not name.startswith("links/")}
    assert new <= {".lock"}, "but for the links, which are of the same generation"
    assert {name: (store.root / name).read_bytes() for name in before} == before
    assert store.upgrade() is not None


def test_a_file_with_other_rows_than_the_manifest_says_is_not_upgraded(tmp_path: Path) -> None:
    store = unpacked(tmp_path, "single")
    fields = json.loads(store.manifest_path.read_text())
    fields["tables"]["fact_rate"][0]["rows"] += 1
    store.manifest_path.write_text(json.dumps(fields))
    with pytest.raises(StoreError, match=r"fact_rate.* has 1,028 rows where the manifest says 1,029"):
        store.upgrade()
    assert store.loaded().format == OLD_FORMAT


def test_a_manifest_without_a_format_is_of_the_first(tmp_path: Path) -> None:
    store = unpacked(tmp_path, "single")
    fields = json.loads(store.manifest_path.read_text())
    del fields["format"]
    store.manifest_path.write_text(json.dumps(fields))
    assert store.loaded().format == OLD_FORMAT
