"""The store's promises: all or nothing, one writer, readers never disturbed."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from pathlib import Path

import duckdb
import polars as pl
import pytest

from core.runtime.errors import BeaconError
from core.store.generations.manifest import Manifest
from core.store.generations.retention.rules import Retention
from core.store.generations.store import Store, StoreError, Transaction
from core.store.generations.store_directory import Settled, StoreDirectory
from core.store.parquet.writer import write_table
from core.store.schema.tables import DIM_PAYER_BRIDGE, TABLES
from tests.store.steps import assert_tidy
from tests.stores import change, listing, open_snapshot, put


def fail_midway(store: Store) -> None:
    with store.write() as transaction:
        put(transaction, "c")
        raise ZeroDivisionError


def names(store: Store) -> list[str]:
    return sorted(row[0] for row in open_snapshot(store).rows("SELECT payer_slug FROM dim_payer_bridge"))


def test_an_empty_store_is_none(store: Store) -> None:
    assert store.manifest() is None


def test_a_commit_makes_every_table_and_its_stable_path(store: Store) -> None:
    change(store, "a")
    manifest = store.manifest()
    assert manifest is not None
    assert manifest.generation == 1
    for name, table in TABLES.items():
        if table.sharded:
            continue
        assert (store.root / table.path).is_symlink()
        assert pl.read_parquet(store.root / table.path).columns == list(table.names), name
    assert names(store) == ["a"]
    assert not (store.root / "tmp").exists()


def test_without_a_commit_nothing_has_changed(store: Store) -> None:
    change(store, "a")
    before = listing(store.root)
    with store.write() as transaction:
        put(transaction, "b")
    with pytest.raises(ZeroDivisionError):
        fail_midway(store)
    assert listing(store.root) == before


def test_a_table_that_only_another_program_declares_is_kept_without_a_stable_path(store: Store) -> None:
    with store.write() as transaction:
        path = transaction.new_file("made_up")
        rows = write_table(path, DIM_PAYER_BRIDGE, [DIM_PAYER_BRIDGE.arrow.empty_table()])
        transaction.put("made_up", path, rows)
        transaction.commit()
    before = path.read_bytes()
    change(store, "a")
    assert store.paths("made_up") == [str(path)]
    assert path.read_bytes() == before
    assert names(store) == ["a"]
    assert_tidy(store)


def test_a_reader_keeps_its_generation(store: Store) -> None:
    change(store, "a")
    old = open_snapshot(store)
    change(store, "b")
    assert old.rows("SELECT payer_slug FROM dim_payer_bridge") == [("a",)]
    assert names(store) == ["b"]
    stable = store.root / DIM_PAYER_BRIDGE.path
    assert duckdb.sql(f"SELECT payer_slug FROM '{stable}'").fetchall() == [("b",)]


def test_readers_beside_a_writer_see_whole_generations(store: Store) -> None:
    """Four readers, each question asked of two tables' worth of rows that must agree, while a writer replaces them."""
    change(store, *["0"] * 2)
    stop = threading.Event()
    wrong: list[object] = []

    def read() -> None:
        while not stop.is_set():
            try:
                rows = open_snapshot(store).rows(
                    "SELECT count(*), count(DISTINCT payer_slug) FROM dim_payer_bridge UNION ALL "
                    "SELECT count(*), count(DISTINCT payer_slug) FROM dim_payer_bridge"
                )
                if rows[0] != rows[1] or rows[0][1] != 1 or rows[0][0] < 2:
                    wrong.append(rows)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is wrong
                wrong.append(error)

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    for number in range(1, 15):
        change(store, *[str(number)] * (number + 2))
    stop.set()
    for reader in readers:
        reader.join()
    assert wrong == []


def test_old_generations_go_after_the_grace_time(tmp_path: Path) -> None:
    store = Store(tmp_path / "data", grace=2)
    change(store, "a")
    change(store, "b")
    assert len(list((store.root / "files").glob("dim_payer_bridge.*"))) == 2
    time.sleep(2.2)
    change(store, "c")
    assert [p.name for p in sorted((store.root / "files").glob("dim_payer_bridge.*"))] == [
        "dim_payer_bridge.000002.parquet",
        "dim_payer_bridge.000003.parquet",
    ]
    assert [p.name for p in sorted((store.root / "manifests").iterdir())] == ["000002.json", "000003.json"]


def test_what_a_killed_writer_left_is_cleaned_up(store: Store) -> None:
    change(store, "a")
    before = listing(store.root)
    script = (
        "import os, signal, sys; from pathlib import Path; from core.store.generations.store import Store\n"
        "with Store(Path(sys.argv[1])).write() as t:\n"
        "    t.new_file('dim_payer_bridge').write_bytes(b'half'); (t.work / 'spool').write_bytes(b'x')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run([sys.executable, "-c", script, str(store.root)], check=False)
    assert killed.returncode == -9
    assert names(store) == ["a"]
    with store.write():
        assert listing(store.root) == before


def test_what_a_writer_killed_while_publishing_left_is_settled(store: Store) -> None:
    change(store, "a")
    change(store, "b")
    stable = store.root / DIM_PAYER_BRIDGE.path
    stable.unlink()  # it died before the links
    (store.root / "manifests" / "000003.json").write_text(json.dumps({"generation": 3}))  # or before manifest.json
    (store.root / "manifests" / "000003.json").write_bytes((store.root / "manifests" / "000002.json").read_bytes())
    for half in (store.root / ".manifest.json.next", store.root / "manifests" / ".000003.json.next"):
        half.write_text("{")
    change(store, "c")
    assert names(store) == ["c"]
    assert pl.read_parquet(stable)["payer_slug"].to_list() == ["c"]
    assert not list(store.root.rglob(".*.next"))


class Interrupted(StoreDirectory):
    """A place whose writer is interrupted right after the manifest was replaced."""

    def publish(self, manifest: Manifest, made: Iterable[Path]) -> None:
        super().publish(manifest, made)
        raise KeyboardInterrupt


def test_a_writer_stopped_right_after_publishing_keeps_what_it_published(store: Store) -> None:
    change(store, "a")
    store.directory = Interrupted(store.root, Retention(3600))
    with pytest.raises(KeyboardInterrupt):
        change(store, "b")
    assert names(Store(store.root)) == ["b"]
    change(Store(store.root), "c")
    assert names(store) == ["c"]


class Unlinkable(StoreDirectory):
    """A place where no link can be made."""

    def settle(self, newest: Manifest, retention: Retention | None = None) -> Settled:
        raise OSError(28, "No space left on device")


def test_links_that_cannot_be_made_are_left_to_the_next_writer(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    change(store, "a")
    store.directory = Unlinkable(store.root, Retention(3600))
    with store.directory.lock(0, None):
        transaction = Transaction(store.directory, store.loaded())
        store.directory.work.mkdir(parents=True)
        put(transaction, "b")
        transaction.commit()
        transaction.clean()
    assert "not up to date yet: No space left" in caplog.text
    assert names(store) == ["b"]
    stable = store.root / DIM_PAYER_BRIDGE.path
    assert pl.read_parquet(stable)["payer_slug"].to_list() == ["a"]
    with Store(store.root).write():
        assert pl.read_parquet(stable)["payer_slug"].to_list() == ["b"]


def test_the_second_writer_waits(store: Store) -> None:
    change(store, "a")
    told: list[str] = []
    with store.write() as transaction:
        second = threading.Thread(target=lambda: _write_second(store, told))
        second.start()
        while not told:
            time.sleep(0.01)
        put(transaction, "b")
        transaction.commit()
    second.join()
    assert told == ["waiting", "saw b"]
    assert names(store) == ["c"]


def _write_second(store: Store, told: list[str]) -> None:
    with store.write(waiting=lambda: told.append("waiting")) as transaction:
        told.append(f"saw {names(store)[0]}")
        put(transaction, "c")
        transaction.commit()


def test_the_second_writer_can_give_up(store: Store) -> None:
    change(store, "a")
    with store.write(), pytest.raises(StoreError, match="another command is writing"), store.write(wait=0):
        pass


def test_a_store_of_a_newer_version_is_refused(store: Store) -> None:
    change(store, "a")
    fields = json.loads(store.manifest_path.read_text())
    store.manifest_path.write_text(json.dumps({**fields, "format": 99}))
    with pytest.raises(StoreError, match="has format 99, and this version of the program reads formats up to"):
        store.manifest()


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"tables": 1}'])
def test_a_broken_manifest_is_told(store: Store, text: str) -> None:
    change(store, "a")
    store.manifest_path.write_text(text)
    with pytest.raises(StoreError, match="not a manifest"):
        store.manifest()


def test_a_directory_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(StoreError, match="cannot be written"), Store(blocked / "data").write():
        pass


def test_a_directory_without_the_right_to_write_is_told(tmp_path: Path) -> None:
    closed = tmp_path
    closed.chmod(0o500)
    if os.geteuid() == 0:
        closed = Path("/sys/kernel")  # where even the superuser may make nothing
    try:
        with pytest.raises(StoreError, match=r"cannot be written: .*BEACONPOINT_DATA_DIR"), Store(closed / "d").write():
            pass
    finally:
        tmp_path.chmod(0o700)


def test_an_unknown_layout_is_told(tmp_path: Path) -> None:
    with pytest.raises(BeaconError, match="expected one of: single"), Store(tmp_path, "cubic").write() as transaction:
        _ = transaction.layout
