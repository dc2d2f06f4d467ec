"""The stable paths where symbolic links are refused, as Windows does: hard links to the files, or copies of them.

    links/placed.json        the paths that a writer has placed, with the file that each opens

The paths are replaced one by one, so for a moment those of two generations are next to each other. The facts' paths
change together or not at all: nobody who lists them finds the same rows twice for longer than a moment.
"""

import errno
import json
import logging
import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from core.runtime.files import delete_file, replace_file, sync_file

_LOG = logging.getLogger(__name__)

PLACING_SECONDS = 3.0
"""How long to wait in all for programs that have a stable path open."""

_REFUSED = {errno.EPERM, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP}
"""The errors for a symbolic link where the system, the disk, or the user's rights allow none. On Windows it is EINVAL,
for a missing privilege. A full disk or a folder that cannot be written has others."""

_RECORD = PurePosixPath("links", "placed.json")
_FACTS = "gold/"
_NEXT = ".next"


@dataclass(frozen=True)
class PlacedFiles:
    """What is recorded: the generation that all paths open (None while they change), and the file of each path."""

    generation: int | None = None
    files: Mapping[str, str] = field(default_factory=dict)


def links_are_refused(root: Path) -> bool:
    """Return whether the stable paths of a store have to be files. Raises OSError if nothing can be written there."""
    if (root / "links" / "current").is_symlink():
        return False
    if (root / _RECORD).exists():
        return True
    probe = root / "links" / ".probe.next"
    probe.parent.mkdir(exist_ok=True)
    delete_file(probe)
    try:
        probe.symlink_to("current")
    except OSError as error:
        if error.errno in _REFUSED:
            return True
        raise
    delete_file(probe)
    return False


def read_placed(root: Path) -> PlacedFiles | None:
    """Return the stable paths that have been placed, or None if the store has links or none yet."""
    try:
        found = json.loads((root / _RECORD).read_bytes())
        return PlacedFiles(found["generation"], dict(found["files"]))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):
        return PlacedFiles()  # a power cut has left half of it: the paths are placed again


def place_files(root: Path, generation: int, wanted: Mapping[str, str]) -> bool:
    """Let each of the stable paths `wanted` open its file. Return whether anything had to be changed.

    Paths placed earlier that are not wanted are removed; nothing else is. If a program keeps a path open that has to be
    replaced or removed, its table stays as it was, a warning says so, and the next call tries again.
    """
    before = read_placed(root) or PlacedFiles()
    missing = {path: target for path, target in wanted.items() if not _opens(root, path, target, before)}
    gone = [path for path in before.files if path not in wanted]
    if before.generation == generation and not missing and not gone:
        return False
    # Every path is recorded before it is made, so that none is left that nobody would remove.
    _write_record(root, PlacedFiles(None, {**wanted, **before.files}))
    files = {path: target for path, target in before.files.items() if path not in missing}
    files |= {path: target for path, target in wanted.items() if path not in missing}
    until, refused = time.monotonic() + PLACING_SECONDS, False
    for group in _grouped([*gone, *missing]):
        try:
            _change(root, group, missing, before.files, until)
            files = {path: target for path, target in files.items() if path not in group}
            files |= {path: missing[path] for path in group if path in missing}
        except PermissionError as error:
            files |= {path: before.files[path] for path in group if path in before.files}
            refused = True
            _LOG.warning("%s: %s; the next command that writes replaces it", error.filename, error.strerror)
    _write_record(root, PlacedFiles(None if refused else generation, files))
    return True


def _grouped(paths: list[str]) -> list[list[str]]:
    """Return the paths that have to change together: all of the facts, any other by itself."""
    facts = [path for path in paths if path.startswith(_FACTS)]
    return [*([facts] if facts else []), *([path] for path in paths if not path.startswith(_FACTS))]


def _change(root: Path, group: list[str], wanted: Mapping[str, str], before: Mapping[str, str], until: float) -> None:
    """Remove or replace the paths of a group. If a program has one open, restore what has been changed, and raise."""
    for path in group:
        if path in wanted:
            _make_next(root, path, wanted[path])  # first, so that a full disk changes nothing
    done = []
    try:
        # Old ones go first: a pattern may find too few files for a moment, which a reader can notice, but not the same
        # rows twice.
        for path in sorted(group, key=lambda path: path in wanted):
            seconds = max(0.0, until - time.monotonic())
            if path in wanted:
                replace_file(_next(root, path), root / path, seconds)
            else:
                _remove(root / path, seconds)
            done.append(path)
    except PermissionError:
        for path in done:
            if path in before and (root / before[path]).exists():
                _make_next(root, path, before[path])
                replace_file(_next(root, path), root / path, seconds=1)
        for path in group:
            delete_file(_next(root, path))
        raise


def _remove(path: Path, seconds: float) -> None:
    """Remove a file, and the folders that are empty without it; wait for a program that has it open."""
    until = time.monotonic() + seconds
    while not delete_file(path):
        if time.monotonic() >= until:
            path.unlink()  # raises what the system says
        time.sleep(0.05)
    for folder in path.parents:
        try:
            folder.rmdir()
        except OSError:
            return


def _make_next(root: Path, path: str, target: str) -> None:
    new = _next(root, path)
    new.parent.mkdir(parents=True, exist_ok=True)
    delete_file(new)
    try:
        os.link(root / target, new)
    except OSError:
        shutil.copyfile(root / target, new)  # a disk without hard links, such as exFAT


def _next(root: Path, path: str) -> Path:
    found = root / path
    return found.with_name(f".{found.name}{_NEXT}")


def _opens(root: Path, path: str, target: str, before: PlacedFiles) -> bool:
    """Return whether a stable path opens a file already."""
    try:
        there, file = (root / path).stat(), (root / target).stat()
    except OSError:
        return False
    return os.path.samestat(there, file) or (before.files.get(path) == target and there.st_size == file.st_size)


def _write_record(root: Path, placed: PlacedFiles) -> None:
    path = root / _RECORD
    path.parent.mkdir(exist_ok=True)
    new = _next(root, str(_RECORD))
    new.write_text(json.dumps({"generation": placed.generation, "files": dict(placed.files)}), encoding="utf-8")
    sync_file(new)
    replace_file(new, path)
