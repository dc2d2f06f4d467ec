"""manage.py store: what its actions say, in one line where they fail."""

import shutil
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from core.store.generations.store import Store
from tests.built_once import BuiltOnce
from tests.site import serving
from tests.store.steps import facts_of, load_made_file, made_store


@pytest.fixture
def filled(built_once: BuiltOnce, tmp_path: Path) -> Iterator[Store]:
    """Return the store that commands use: two generations, each with the facts of one more file."""
    store = made_store(built_once, tmp_path, (0, "GA"), (1, "GA"), command="ingest_mrf")
    with serving(store.root):
        yield store


def said(*arguments: Any) -> str:
    """Return what a command writes."""
    out = StringIO()
    call_command("store", *map(str, arguments), stdout=out, stderr=out)
    return out.getvalue()


def test_generations_are_listed(filled: Store) -> None:
    rows = len(facts_of(filled))
    title, second, first, explained = said("generations").splitlines()
    assert title.split() == ["generation", "written", "(UTC)", "by", "facts", "only", "here", "what", "changed"]
    assert second.split()[:2] == ["*", "2"]
    assert f" ingest_mrf      {rows:,} " in second
    assert f"fact_rate +{rows // 2}" in second
    assert first.split()[0] == "1"
    assert "`only here` is the room on disk" in explained
    (filled.root / filled.loaded().tables["dim_batch"][0].path).unlink()
    assert "DAMAGED: a file is missing or cut short" in said("generations").splitlines()[1]


def test_going_back(filled: Store) -> None:
    rows = len(facts_of(filled))
    assert said("rollback", 1).startswith("generation 3 has the content of generation 1; ")
    assert len(facts_of(filled)) == rows // 2
    assert filled.loaded().command == "store rollback"
    with pytest.raises(CommandError, match="generation 7 is not kept here; expected one of: 1, 2, 3"):
        said("rollback", 7)
    with pytest.raises(CommandError, match=r"argument generation: invalid int value.*store rollback --help"):
        said("rollback", "x")
    with pytest.raises(CommandError, match=r"arguments are required.*\(see manage.py store --help\)"):
        said()


def test_a_backup_and_its_restore(filled: Store, tmp_path: Path) -> None:
    facts = facts_of(filled)
    target = tmp_path / "backup"
    files = len({file.path for file in filled.loaded().files})
    assert f"generation 2 is in {target}: {files} files, {files} of them new (" in said("backup", target)
    assert f"{files} files, 0 of them new (0.0 MB)" in said("backup", target)
    with pytest.raises(CommandError, match="this store is healthy"):
        said("restore", target)
    shutil.rmtree(filled.root)
    assert f"generation 3 has the content of the backup's generation 2: {files} files" in said("restore", target)
    assert facts_of(filled) == facts
    with pytest.raises(CommandError, match="there is no backup here; expected a directory that store backup has made"):
        said("restore", tmp_path / "none")


def test_repair_says_what_it_did(filled: Store) -> None:
    assert said("repair") == "everything was in order: nothing has changed\n"
    filled.root.chmod(0o755)
    (filled.root / "gold" / "fact_rate.parquet").unlink()
    (filled.root / "files" / "dim_code.000009.parquet").write_bytes(bytes(2_000_000))
    (filled.root / "files" / "notes.txt").write_text("mine")
    (filled.root / "files").chmod(0o700)
    what = "1 files in files/ that no generation names (2.0 MB)"
    assert said("repair").splitlines() == [
        f"{filled.root}/files is closed to users who may read {filled.root}: manage.py store repair opens it",
        "the links in gold/ and silver/ were not those of the newest generation: they are now",
        f"{what} are left: if nobody is copying them there, delete them with --delete-unnamed",
        "1 files and folders made readable for everyone who may read the data directory",
    ]
    assert (filled.root / "files").stat().st_mode & 0o777 == 0o755
    assert said("repair", "--delete-unnamed") == f"{what}: deleted\n"
    assert said("repair") == "everything was in order: nothing has changed\n"
    assert (filled.root / "files" / "notes.txt").read_text(encoding="utf-8") == "mine"


def test_old_generations_are_pruned(filled: Store, tmp_path: Path) -> None:
    load_made_file(filled, tmp_path, 2)
    assert said("prune").startswith("nothing to delete: 3 older generations and the last of 14 days are kept")
    assert said("prune", "--generations", 0, "--days", 0).startswith("nothing to delete"), "a reader may use them"
    assert said("prune", "--generations", 1, "--days", 0, "--now").startswith("generations 1 deleted: ")
    assert said("prune", "--generations", 0, "--days", 0, "--now").startswith("generations 2 deleted: ")
    with pytest.raises(CommandError, match="expected one of: 3"):
        said("rollback", 1)


def test_an_empty_store_has_nothing(tmp_path: Path) -> None:
    with serving(tmp_path / "data"):
        assert said("generations") == "nothing is loaded yet\n"
        for arguments in (["backup", tmp_path / "backup"], ["repair"], ["prune"]):
            with pytest.raises(CommandError, match="nothing is loaded yet"):
                said(*arguments)
