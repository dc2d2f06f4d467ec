"""Replace, delete, sync, and copy files on Linux, macOS, and Windows.

Windows refuses to delete or replace a file that any program has open, and cannot sync a folder. macOS cannot copy from
file to file in the kernel by `sendfile`. The rest of the program uses these functions and need not know.
"""

import errno
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, TypeVar

from filelock import BaseFileLock

REPLACE_SECONDS = 20.0
"""How long to wait for readers of a file that is to be replaced. They have it open for milliseconds."""

_LONGEST_PAUSE = 0.5

_IN_USE = {5, 32, 33}
"""Windows' error numbers for a file that another program has open: access denied, sharing violation, lock violation."""

_NO_SENDFILE = {errno.ENOTSOCK, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP}
"""The errors of `sendfile` where the system or the file system cannot copy to a file."""

_COPY_BYTES = 1 << 20

T = TypeVar("T")


def replace_file(new: Path, old: Path, seconds: float = REPLACE_SECONDS) -> None:
    """Rename a file over another one. On Windows, wait up to `seconds` until nobody has the old one open."""
    _wait_while_in_use(lambda: new.replace(old), seconds)


def read_replaced_file(path: Path, seconds: float = REPLACE_SECONDS) -> bytes:
    """Return the content of a file that `replace_file` may be replacing right now, which Windows refuses to open."""
    return _wait_while_in_use(path.read_bytes, seconds)


def delete_file(path: Path) -> bool:
    """Delete a file, which may be missing. Return False if Windows refuses because a program has it open."""
    try:
        path.unlink(missing_ok=True)
    except PermissionError as error:
        if not _is_in_use(error):
            raise
        return False
    return True


def release_lock(lock: BaseFileLock) -> None:
    """Release a lock and delete its file."""
    path = Path(lock.lock_file)
    # Before the release, or another process could have locked the file that is then deleted.
    deleted = delete_file(path)
    lock.release()
    if not deleted:
        # Windows deletes no file that is open, which this one was until now. If another process has opened it since,
        # it stays.
        delete_file(path)


def sync_file(path: Path) -> None:
    """Return when a file's content is safely on disk."""
    # Windows syncs only what is open for writing.
    _sync(path, os.O_RDWR if sys.platform == "win32" else os.O_RDONLY)


def sync_folder(path: Path) -> None:
    """Return when the names in a folder are safely on disk. Windows cannot open a folder and needs no sync of it."""
    if sys.platform != "win32":
        _sync(path, os.O_RDONLY)


def copy_bytes(source: IO[bytes], target: IO[bytes], start: int, count: int) -> None:
    """Append `count` bytes of a file from `start` on to another file, open for writing at its end.

    Raises EOFError if the source ends before that.
    """
    target.flush()
    copied = _send_bytes(source, target, start, count)
    source.seek(start + copied)
    target.seek(0, os.SEEK_END)
    while copied < count:
        block = source.read(min(_COPY_BYTES, count - copied))
        if not block:
            raise EOFError(f"a file ends before byte {start + count:,}")
        target.write(block)
        copied += len(block)


def _send_bytes(source: IO[bytes], target: IO[bytes], start: int, count: int) -> int:
    """Copy bytes in the kernel, where they do not pass through this process. Return how many have been copied."""
    sendfile = getattr(os, "sendfile", None)
    copied = 0
    while sendfile and copied < count:
        try:
            sent = sendfile(target.fileno(), source.fileno(), start + copied, min(count - copied, 1 << 30))
        except OSError as error:
            if error.errno not in _NO_SENDFILE:
                raise
            break
        if not sent:
            break
        copied += sent
    return copied


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _wait_while_in_use(action: Callable[[], T], seconds: float) -> T:
    """Return what an action returns, repeating it up to `seconds` while Windows refuses because a file is open."""
    pause, until = 0.005, time.monotonic() + seconds
    while True:
        try:
            return action()
        except PermissionError as error:
            if not _is_in_use(error) or time.monotonic() >= until:
                raise
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)


def _is_in_use(error: OSError) -> bool:
    return getattr(error, "winerror", None) in _IN_USE
