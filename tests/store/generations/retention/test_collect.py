"""What is deleted with an old generation, and what a writer that is stopped meanwhile leaves."""

import os
from pathlib import Path

import polars as pl
import pytest

from core.store.generations.retention import collect as collect_module
from core.store.generations.retention.kept import kept_generations
from core.store.generations.store import Store
from core.store.schema.tables import DIM_PAYER_BRIDGE
from tests.store.steps import assert_tidy
from tests.stores import change, payers_shown


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Return a store of one generation that keeps no other."""
    store = Store(tmp_path / "data", grace=0)
    change(store, "a")
    return store


def test_a_generation_that_is_listed_is_complete(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer is stopped while it deletes files: their generation is no longer one to go back to."""

    def stop(*_arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as changed:
        changed.setattr(collect_module, "delete_files", stop)
        with pytest.raises(KeyboardInterrupt):
            change(store, "b")
    assert [one.generation for one in kept_generations(store.root)] == [2]
    with store.write():  # the next writer, whatever it does
        assert not (store.root / "files" / "dim_payer_bridge.000001.parquet").exists()
    assert_tidy(store)


def test_whoever_reads_through_links_that_were_behind_may_finish(tmp_path: Path) -> None:
    """A writer was killed before it moved the links, long ago: the generation that they opened was in use until now."""
    store = Store(tmp_path / "data", grace=3600)
    change(store, "a")
    change(store, "b")
    current = store.root / "links" / "current"
    current.unlink()
    current.symlink_to("000001")
    year = store.loaded().created_at[:4]
    for path in (store.manifest_path, *(store.root / "manifests").iterdir()):
        path.write_text(path.read_text(encoding="utf-8").replace(f'"{year}-', '"2020-'), encoding="utf-8")
    os.utime(store.root / "links" / "000001", (0, 0))
    resolved = store.root.joinpath("silver").resolve() / Path(DIM_PAYER_BRIDGE.path).relative_to("silver")
    change(store, "c")
    assert payers_shown(store) == ["c"]
    assert pl.read_parquet(resolved)["payer_slug"].to_list() == ["a"]
    os.utime(store.root / "links" / "000001", (0, 0))  # more than the grace time later
    change(store, "d")
    assert not resolved.exists()
    assert [one.generation for one in kept_generations(store.root)] == [2, 3, 4]


def test_what_the_links_still_open_stays(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    replace = Path.replace

    def refuse(path: Path, target: Path) -> Path:
        if target.name == "current":
            raise OSError(5, "Input/output error")
        return replace(path, target)

    with monkeypatch.context() as changed:
        changed.setattr(Path, "replace", refuse)
        change(store, "b")
    assert "not up to date yet: Input/output error" in caplog.text
    assert payers_shown(store) == ["a"], "the older generation, complete"
    assert [one.generation for one in kept_generations(store.root)] == [1, 2]
    change(store, "c")
    assert payers_shown(store) == ["c"]
    assert [one.generation for one in kept_generations(store.root)] == [3]
    assert_tidy(store)
