"""Pin a generation while its files are being read outside of the grace time, as a backup does.

A pin is a locked file `pins/<generation>-<number>.lock`. The lock ends with its process, so a pin of a killed one does
not count and is removed.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from filelock import FileLock, Timeout

from core.runtime.files import release_lock


@contextmanager
def pin(root: Path, generation: int) -> Iterator[None]:
    """Keep a generation's files until the end of the context. Raises OSError if the directory cannot be written."""
    folder = root / "pins"
    folder.mkdir(mode=0o700, exist_ok=True)
    for number in count(os.getpid()):
        path = folder / f"{generation:06}-{number}.lock"
        lock = FileLock(path)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            continue
        # A writer that takes the file for a leftover may have removed it just before it was locked.
        if path.exists():
            break
        lock.release()
    try:
        yield
    finally:
        release_lock(lock)


def read_pins(root: Path) -> set[int]:
    """Return the pinned generations, and remove the pins of processes that have ended."""
    found = set()
    for path in (root / "pins").glob("*.lock"):
        lock = FileLock(path)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            found.add(int(path.name.split("-")[0]))
            continue
        release_lock(lock)
    return found
