"""Folders for temporary files that no other process uses. The next one deletes what a killed process has left."""

import atexit
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from secrets import token_hex

from filelock import FileLock

from core.runtime.files import release_lock

_A_SWEEP = 10
"""Seconds to wait for a process that has seen a lock before it was held, and takes it for a leftover."""


def own_folder(root: Path) -> Path:
    """Return a folder below `root` for this process alone, deleted when it ends: the same one each time.

    DuckDB's temporary files have the same names in every process. Two sites of one machine, or a site and a command,
    would write to each other's. Where `root` cannot be written to, the folder is not made.
    """
    return _folder_of(root, os.getpid())


@contextmanager
def temporary_folder(root: Path) -> Iterator[Path]:
    """Yield an empty folder below `root` for this process alone, and delete it at the end. Raises OSError."""
    folder = _new_name(root, os.getpid())
    lock = _make(folder)
    try:
        yield folder
    finally:
        _delete(folder, lock, os.getpid())


def delete_leftovers(root: Path) -> None:
    """Delete the folders of processes that have ended: nobody holds their locks."""
    for path in root.glob("*.lock"):
        lock = FileLock(path)
        try:
            lock.acquire(timeout=0)
        except OSError:  # also where another process holds it
            continue
        shutil.rmtree(path.with_suffix(""), ignore_errors=True)
        release_lock(lock)


@cache
def _folder_of(root: Path, pid: int) -> Path:
    folder = _new_name(root, pid)
    try:
        lock = _make(folder)
    except OSError:
        return folder
    atexit.register(_delete, folder, lock, pid)
    return folder


def _new_name(root: Path, pid: int) -> Path:
    return root / f"{pid}-{token_hex(4)}"


def _make(folder: Path) -> FileLock:
    """Make a folder and return its lock, which is held. Raises OSError."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    delete_leftovers(folder.parent)
    # Before the folder is there, or another process could find it without one.
    lock = FileLock(folder.with_name(f"{folder.name}.lock"))
    lock.acquire(timeout=_A_SWEEP)
    folder.mkdir()
    return lock


def _delete(folder: Path, lock: FileLock, pid: int) -> None:
    if os.getpid() == pid:  # and not a process that was forked from it
        shutil.rmtree(folder, ignore_errors=True)
        release_lock(lock)
