"""A store without its manifest is not an empty store, and a writer removes only what a writer has made."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from core.python_api.rate_store import open_store
from core.store.connection import QueryLimits
from core.store.generations.manifest import Manifest
from core.store.generations.retention.kept import kept_generations
from core.store.generations.retention.rules import Retention
from core.store.generations.store import Store, StoreError
from core.store.generations.store_directory import StoreDirectory
from core.store.reader import Reader
from tests.store.damage import cut_off_end
from tests.store.steps import assert_tidy
from tests.stores import change, listing, open_snapshot, put

LOSSES: dict[str, Callable[[Path], object]] = {
    "missing": Path.unlink,
    "empty": lambda path: path.write_bytes(b""),
    "truncated": cut_off_end,
    "zeros": lambda path: path.write_bytes(bytes(path.stat().st_size)),
    "other JSON": lambda path: path.write_text('{"generation": 2}'),
}


def names(store: Store) -> list[str]:
    return [name for (name,) in open_snapshot(store).rows("SELECT payer_slug FROM dim_payer_bridge ORDER BY 1")]


@pytest.fixture
def filled(tmp_path: Path) -> Store:
    """Return a store of three generations: a, b, and c."""
    store = Store(tmp_path / "data")
    for name in "abc":
        change(store, name)
    return store


def fail_midway(store: Store, name: str) -> None:
    """Begin a change that fails."""

    def write() -> None:
        with store.write() as transaction:
            put(transaction, name)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write()


def fail_to_write(store: Store) -> str:
    """Return why the store refuses a writer."""
    with pytest.raises(StoreError) as refused, store.write():
        pytest.fail("the writer was let in")
    return str(refused.value)


@pytest.mark.parametrize("loss", LOSSES)
def test_a_store_without_its_manifest_is_refused_and_left_as_it_is(filled: Store, loss: str) -> None:
    text = filled.manifest_path.read_bytes()
    LOSSES[loss](filled.manifest_path)
    before = listing(filled.root)
    reader = Reader(filled, QueryLimits(seconds=60))
    for problem in (
        fail_to_write(filled),
        refusal(filled.loaded),
        refusal(filled.upgrade),
        refusal(reader.snapshot),
        refusal(lambda: open_store(filled.root)),
    ):
        assert "manifest.json: missing, and the store is not empty" in problem or "not a manifest" in problem
        assert "the newest generation that is complete is 3 of 20" in problem
        assert problem.endswith("manage.py store rollback 3")
        assert "\n" not in problem
    assert listing(filled.root) == before
    filled.manifest_path.write_bytes(text)
    assert names(filled) == ["c"]
    change(filled, "d")
    assert names(filled) == ["d"]


def refusal(action: Callable[[], object]) -> str:
    with pytest.raises(StoreError) as refused:
        action()
    return str(refused.value)


def test_a_generation_with_a_file_missing_or_cut_short_is_not_offered(filled: Store) -> None:
    filled.manifest_path.unlink()
    files = filled.root / "files"
    (files / "dim_payer_bridge.000003.parquet").unlink()
    assert "is complete is 2 of" in refusal(filled.loaded)
    cut_off_end(files / "dim_payer_bridge.000002.parquet")
    assert "is complete is 1 of" in refusal(filled.loaded)
    (filled.root / "manifests" / "000001.json").write_text("{")
    assert refusal(filled.loaded).endswith(
        "no generation of manifests/ is complete; restore the directory from a backup"
    )


def test_files_without_any_manifest_are_refused_too(filled: Store) -> None:
    filled.manifest_path.unlink()
    for path in (filled.root / "manifests").iterdir():
        path.unlink()
    before = listing(filled.root)
    assert "missing, and the store is not empty; no generation" in fail_to_write(filled)
    assert listing(filled.root) == before


def kill_while_writing(root: Path, *steps: str) -> None:
    """Kill a process that does these steps in a transaction `t`."""
    lines = (
        "import os, signal, sys; from pathlib import Path; from core.store.generations.store import Store",
        "from tests.stores import put",
        "with Store(Path(sys.argv[1])).write() as t:",
        *(f"    {step}" for step in steps),
        "    os.kill(os.getpid(), signal.SIGKILL)",
    )
    script = "\n".join(lines)
    assert subprocess.run([sys.executable, "-c", script, str(root)], check=False).returncode == -9


def test_what_the_first_writer_left_when_it_was_killed_is_no_store(store: Store) -> None:
    kill_while_writing(store.root, "put(t, 'a')", "t.new_file('dim_code', 'a').write_bytes(b'half')")
    assert any((store.root / "files").rglob("*.parquet"))
    assert store.manifest() is None
    assert Reader(store, QueryLimits(seconds=60)).snapshot() is None
    change(store, "b")
    assert names(store) == ["b"]
    assert_tidy(store)


class Stopped(StoreDirectory):
    """A directory whose writer stops after the copy of the manifest, before the manifest itself."""

    def publish(self, manifest: Manifest, made: Iterable[Path]) -> None:
        self.manifest_path.with_name(".manifest.json.next").mkdir()
        super().publish(manifest, made)


@pytest.mark.parametrize("generations", ["", "a", "ab"])
def test_a_writer_stopped_between_the_copy_of_the_manifest_and_the_manifest(store: Store, generations: str) -> None:
    for name in generations:
        change(store, name)
    before = listing(store.root)
    whole, store.directory = store.directory, Stopped(store.root, Retention(3600))
    with pytest.raises(StoreError):
        change(store, "z")
    store.directory = whole
    (store.root / ".manifest.json.next").rmdir()
    assert listing(store.root) == before
    kill_while_writing(
        store.root,
        "put(t, 'z')",
        "d = t._directory; d.publish.__globals__['_write_durably'] = lambda path, text: (",
        "    path.write_bytes(text), os.kill(os.getpid(), signal.SIGKILL))",
        "t.commit()",
    )
    copy = store.root / "manifests" / f"{len(generations) + 1:06}.json"
    assert copy.exists()
    if not generations:
        assert store.manifest() is None
    change(store, "y")
    assert names(store) == ["y"]
    assert_tidy(store)


def test_what_this_program_did_not_write_survives(filled: Store) -> None:
    mine = [
        filled.root / name
        for name in (
            "notes.txt", ".notes.next", "files/notes.txt", "files/dim_payer_bridge.000004-2.parquet",
            "files/mine/x.txt", "manifests/notes.json", "manifests/.notes.json.next", "gold/mine.parquet",
            "silver/mine/x.parquet", "links/mine/x.txt", "tmp/mine.txt",
        )
    ]  # fmt: skip
    for path in mine:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("mine")
    (filled.root / "files" / "empty").mkdir()
    quick = Store(filled.root, grace=0)
    change(quick, "d")
    fail_midway(quick, "e")
    kill_while_writing(filled.root, "put(t, 'f')")
    change(quick, "g")
    assert names(quick) == ["g"]
    assert [path for path in mine if not path.is_file() or path.read_text() != "mine"] == []
    assert (filled.root / "files" / "empty").is_dir()
    assert len(list((filled.root / "files").glob("dim_payer_bridge.*"))) == 2, "that of g, and the foreign one"


def test_a_name_that_someone_else_has_taken_is_left_to_them(filled: Store) -> None:
    taken = filled.root / "files" / "dim_payer_bridge.000004.parquet"
    taken.write_text("mine")
    change(filled, "d")
    assert taken.read_text() == "mine"
    assert filled.paths("dim_payer_bridge") == [str(taken.with_name("dim_payer_bridge.000004-2.parquet"))]


def test_a_command_that_fails_deletes_nothing_though_generations_have_expired(filled: Store) -> None:
    quick = Store(filled.root, grace=0)
    before = listing(filled.root)
    fail_midway(quick, "d")
    assert listing(filled.root) == before


def test_a_damaged_older_manifest_keeps_every_older_file(filled: Store, caplog: pytest.LogCaptureFixture) -> None:
    (filled.root / "manifests" / "000002.json").write_text("{")
    before = listing(filled.root)
    change(Store(filled.root, grace=0), "d")
    after = listing(filled.root)
    assert {name for name in before if name.startswith(("files/", "manifests/"))} <= after.keys()
    assert "000002.json: not a manifest of this program; no older generation is deleted" in caplog.text


def test_the_generation_after_going_back_has_a_new_number(filled: Store) -> None:
    newer = (filled.root / "manifests" / "000003.json").read_bytes()
    filled.manifest_path.write_bytes((filled.root / "manifests" / "000002.json").read_bytes())
    assert names(filled) == ["b"]
    quick = Store(filled.root, grace=0)
    fail_midway(quick, "x")
    change(filled, "d")
    assert filled.loaded().generation == 4
    assert (filled.root / "manifests" / "000003.json").read_bytes() == newer
    filled.manifest_path.write_bytes(newer)
    assert names(filled) == ["c"]


def test_a_list_of_unpublished_files_names_nothing_outside_the_store(filled: Store) -> None:
    outside = filled.root.parent / "precious.txt"
    outside.write_text("mine")
    inside = filled.root / "notes.txt"
    inside.write_text("mine")
    kill_while_writing(
        filled.root,
        "log = t._directory._unpublished",
        f"names = '../precious.txt', {str(outside)!r}, 'files/../notes.txt', 'notes.txt', 'files'",
        "[log.add(name) for name in names]",
        f"[log.add(name) for name in ('files/{os.path.basename(filled.paths('dim_payer_bridge')[0])}',)]",  # noqa: PTH119
    )
    change(filled, "d")
    assert outside.exists()
    assert inside.exists()
    assert len(kept_generations(filled.root)) == 4
    filled.manifest_path.write_bytes((filled.root / "manifests" / "000003.json").read_bytes())
    assert names(filled) == ["c"]
