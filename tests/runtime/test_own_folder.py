"""Folders for temporary files: each process has its own, and those of killed processes are deleted."""

import subprocess
import sys
from pathlib import Path

from core.runtime.own_folder import own_folder

_PROGRAM = """
import sys
from pathlib import Path
from core.runtime.own_folder import own_folder
folder = own_folder(Path(sys.argv[1]))
(folder / "spilled.tmp").write_bytes(b"x")
print(folder, flush=True)
sys.stdin.read()
"""


def started(root: Path) -> tuple[subprocess.Popen[str], Path]:
    """Start another process that uses a folder below `root`, and wait until it has it."""
    process = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, str(root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def ended(process: subprocess.Popen[str]) -> None:
    process.communicate(timeout=60)


def test_each_process_has_a_folder_of_its_own_and_deletes_it_at_its_end(tmp_path: Path) -> None:
    mine = own_folder(tmp_path)
    (one, first), (other, second) = started(tmp_path), started(tmp_path)
    assert len({mine, first, second}) == 3
    assert all((folder / "spilled.tmp").exists() for folder in (first, second))
    assert mine.is_dir()
    ended(one)
    assert not first.exists()
    assert (second / "spilled.tmp").exists()
    ended(other)
    assert sorted(tmp_path.iterdir()) == [mine, mine.with_name(f"{mine.name}.lock")]


def test_what_a_killed_process_has_left_is_deleted_by_the_next_one(tmp_path: Path) -> None:
    killed, left = started(tmp_path)
    killed.kill()
    ended(killed)
    assert (left / "spilled.tmp").exists()
    next_one, folder = started(tmp_path)
    assert not left.exists()
    assert folder.is_dir()
    ended(next_one)
    assert list(tmp_path.iterdir()) == []


def test_where_nothing_can_be_written_there_is_only_a_name(tmp_path: Path) -> None:
    taken = tmp_path / "a-file"
    taken.write_bytes(b"")
    assert own_folder(taken / "below").parent == taken / "below"
