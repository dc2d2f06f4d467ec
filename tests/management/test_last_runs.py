"""How commands ended is recorded for those who watch the store."""

from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from core.runtime.last_runs import read_last_runs
from core.store.generations.store import Store
from tests.built_once import BuiltOnce
from tests.site import serving
from tests.store.steps import made_store


@pytest.fixture
def filled(built_once: BuiltOnce, tmp_path: Path) -> Iterator[Store]:
    """Return the store that commands use, with the facts of one file."""
    store = made_store(built_once, tmp_path, (0, "GA"))
    with serving(store.root):
        yield store


def ended(store: Store) -> dict[str, str]:
    return {run.command: run.problem for run in read_last_runs(store.root)}


def run(*arguments: str, **options: str) -> None:
    call_command(*arguments, **options, stdout=StringIO(), stderr=StringIO())


def test_a_load_that_fails_is_recorded_although_the_store_is_as_it_was(filled: Store) -> None:
    before = filled.loaded()
    with pytest.raises(CommandError):
        run("ingest_mrf", "no-such-file.json", "--state", "GA")
    assert "no-such-file.json" in ended(filled)["ingest_mrf"]
    assert filled.loaded() == before


def test_a_backup_and_a_check_of_the_files_are_recorded(filled: Store, tmp_path: Path) -> None:
    run("store", "backup", str(tmp_path / "copy"))
    run("store", "verify")
    assert ended(filled) == {"store_backup": "", "store_verify": ""}
    (filled.root / filled.loaded().tables["dim_batch"][0].path).unlink()
    with pytest.raises(CommandError):
        run("store", "verify")
    assert ended(filled)["store_verify"]
    run("store", "generations")
    assert set(ended(filled)) == {"store_backup", "store_verify"}
