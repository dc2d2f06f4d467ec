"""What is deleted with an old generation, and what a writer that is stopped meanwhile leaves."""

from pathlib import Path

import polars as pl
import pytest

from core.store.generations import collect as collect_module
from core.store.generations.kept import kept_generations
from core.store.generations.store import Store
from core.store.schema.tables import DIM_PAYER_BRIDGE
from tests.store.steps import assert_tidy
from tests.stores import change


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Return a store of one generation that keeps no other."""
    store = Store(tmp_path / "data", grace=0)
    change(store, "a")
    return store


def shown(store: Store) -> list[str]:
    return pl.read_parquet(store.root / DIM_PAYER_BRIDGE.path)["payer_slug"].to_list()


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
    assert shown(store) == ["a"], "the older generation, complete"
    assert [one.generation for one in kept_generations(store.root)] == [1, 2]
    change(store, "c")
    assert shown(store) == ["c"]
    assert [one.generation for one in kept_generations(store.root)] == [3]
    assert_tidy(store)
