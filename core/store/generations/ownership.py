"""Keep a store readable by all who could read it: the writer's user, and the modes of new files."""

import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.store.generations.manifest import StoreError

_PARTS = ("", "files", "manifests", "links", "tmp")
"""What a writer must be able to write in: the data directory and its folders."""


def require_owner(root: Path) -> None:
    """Raise StoreError if this user would leave files that the store's own user cannot replace, or cannot write."""
    if not hasattr(os, "geteuid") or not os.path.isdir(root):  # noqa: PTH112 - false where this user may not look
        return
    owner = root.stat().st_uid
    if os.geteuid() == 0 and owner != 0:
        name = _user_name(owner)
        raise StoreError(
            f"{root} belongs to the user {name}, who could not replace what root writes there; nothing has been "
            f"written; run the command as that user: sudo -u {name} …"
        )
    for part in _PARTS:
        path = root / part
        if path.is_dir() and not _may_write(path):
            raise StoreError(
                f"{path} belongs to the user {_user_name(path.stat().st_uid)} and cannot be written by "
                f"{_user_name(os.geteuid())}; nothing has been written; run the command as the user who owns the data, "
                f"or give that user all of it: chown -R USER {root}"
            )


def list_cautions(root: Path) -> list[str]:
    """Return what the writer should know about who can read the store, one line each."""
    if not hasattr(os, "geteuid"):
        return []
    if not root.exists():
        mask = _umask()
        if mask & 0o055:
            caution = (
                f"{root} is new, and with this umask ({mask:03o}) only {_user_name(os.geteuid())} will be able to read "
                f"it: for a site that runs as another user, make it first: install -d -m 755 {root}"
            )
            return [caution]
        return []
    wanted = _readable_bits(root)
    closed = [path for part in _PARTS[1:-1] if (path := root / part).is_dir() and wanted & ~path.stat().st_mode]
    return [f"{path} is closed to users who may read {root}: manage.py store repair opens it" for path in closed[:1]]


@contextmanager
def modes_of(root: Path) -> Iterator[None]:
    """Give new files and folders the data directory's own mode, whatever the umask of the user who runs this."""
    # Many libraries create the files, so the umask is the one place that reaches all of them.
    before = os.umask(0o777 & ~(root.stat().st_mode | stat.S_IRWXU))
    try:
        yield
    finally:
        os.umask(before)


def open_to_readers(root: Path) -> int:
    """Let all who may read the data directory read what writers have made in it. Return how many paths were opened.

    Entries of other owners are left alone.
    """
    wanted = _readable_bits(root)
    opened = 0
    for part in ("files", "manifests", "links", "manifest.json"):
        for path in ((root / part), *(root / part).rglob("*")):
            if path.is_symlink() or not path.exists():
                continue
            found = path.stat()
            # A file needs no right to be searched.
            missing = wanted & (0o777 if path.is_dir() else 0o444) & ~found.st_mode
            if missing and hasattr(os, "geteuid") and found.st_uid == os.geteuid():
                path.chmod(stat.S_IMODE(found.st_mode) | missing)
                opened += 1
    return opened


def _may_write(folder: Path) -> bool:
    return os.access(folder, os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids)


def _readable_bits(root: Path) -> int:
    return root.stat().st_mode & 0o055


def _umask() -> int:
    mask = os.umask(0o022)  # there is no other way to read it
    os.umask(mask)
    return mask


def _user_name(uid: int) -> str:
    if sys.platform == "win32":
        return f"#{uid}"
    import pwd  # noqa: PLC0415 - not on Windows

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"#{uid}"
