"""A folder for temporary files that no other process uses. The next one deletes what a killed process has left."""

import atexit
import os
import shutil
from functools import cache
from pathlib import Path
from secrets import token_hex

from filelock import FileLock, Timeout

from core.runtime.files import release_lock


def own_folder(root: Path) -> Path:
    """Return a folder below `root` for this process alone, deleted when it ends: the same one each time.

    DuckDB's temporary files have the same names in every process. Two sites of one machine, or a site and a command,
    would write to each other's. Where `root` cannot be written to, the folder is not made.
    """
    return _folder_of(root, os.getpid())


@cache
def _folder_of(root: Path, pid: int) -> Path:
    folder = root / f"{pid}-{token_hex(4)}"
    try:
        root.mkdir(parents=True, exist_ok=True)
        _sweep(root)
        # Before the folder is there, or another process could find it without one.
        lock = FileLock(_lock_of(folder))
        lock.acquire(timeout=0)
        folder.mkdir()
    except (OSError, Timeout):
        return folder
    atexit.register(_delete, folder, lock, pid)
    return folder


def _sweep(root: Path) -> None:
    """Delete the folders of processes that have ended: nobody holds their locks."""
    for path in root.glob("*.lock"):
        lock = FileLock(path)
        try:
            lock.acquire(timeout=0)
        except (OSError, Timeout):
            continue
        shutil.rmtree(path.with_suffix(""), ignore_errors=True)
        release_lock(lock)


def _delete(folder: Path, lock: FileLock, pid: int) -> None:
    if os.getpid() == pid:  # and not a process that was forked from it
        shutil.rmtree(folder, ignore_errors=True)
        release_lock(lock)


def _lock_of(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.lock")
