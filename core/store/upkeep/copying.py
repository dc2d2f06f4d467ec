"""Copy files of a store so that a copy is complete or not there."""

import os
import shutil
from pathlib import Path

from core.runtime.files import delete_file, replace_file, sync_file
from core.store.generations.integrity.damage import find_problem
from core.store.generations.manifest import DataFile, StoreError


def copy_file(source: Path, target: Path, *, link: bool = False) -> bool:
    """Copy a file, or link to it if `link` is set and both are on one disk. Return whether it is a link.

    The copy is on disk, under its own name only once it is complete.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    new = target.with_name(f".{target.name}.next")
    delete_file(new)
    linked = link and _link(source, new)
    if not linked:
        shutil.copyfile(source, new)
        sync_file(new)
    replace_file(new, target)
    return linked


def require_sound(root: Path, file: DataFile, advice: str) -> None:
    """Raise StoreError if a file is missing or damaged."""
    problem = find_problem(root, file)
    if problem:
        raise StoreError(f"{root / file.path} {problem}; {advice}")


def require_room(folder: Path, needed: int) -> None:
    """Raise StoreError if a disk has not enough room."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise StoreError(
            f"{folder}: {needed / 1e6:,.0f} MB are needed and {free / 1e6:,.0f} MB are free; nothing has been copied; "
            "make room there, or choose another disk"
        )


def _link(source: Path, target: Path) -> bool:
    try:
        os.link(source, target)
    except OSError:
        return False  # another disk, or a file system without hard links
    return True
