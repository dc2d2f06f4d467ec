"""Put a store in order: its links, what killed writers left, and who may read its files."""

import re
from dataclasses import dataclass

from core.store.generations.ownership import open_to_readers
from core.store.generations.retention.collect import Collected, delete_files
from core.store.generations.retention.kept import kept_generations, kept_paths
from core.store.generations.retention.rules import Retention
from core.store.generations.store import Store

_WRITTEN_FILE = re.compile(r"[a-z0-9_.]+\.\d{6,}(-\d+)?\.parquet")


@dataclass(frozen=True)
class Repaired:
    """What a repair has done."""

    links_moved: bool
    generations_deleted: tuple[int, ...]
    unnamed: int
    """Files in files/ that no generation names, with the name of a writer's: perhaps of a killed one."""
    unnamed_bytes: int
    deleted: bool
    """Whether these files were deleted."""
    opened: int
    """Files and folders that were closed to users who may read the data directory."""

    @property
    def nothing(self) -> bool:
        """Return whether everything was in order."""
        return not (self.links_moved or self.generations_deleted or self.unnamed or self.opened)


def repair(store: Store, *, delete_unnamed: bool = False) -> Repaired:
    """Put the store in order, and return what was done. Raises StoreError if nothing is loaded yet.

    Files that no generation names are only counted unless `delete_unnamed` is set: what a killed writer has left is
    known and deleted anyway, so they are of a writer of an older version, or someone is copying them there.
    """
    with store.locked():
        settled = store.directory.tidy(store.loaded(), None)
        unnamed = _list_unnamed(store)
        size = sum((store.root / name).stat().st_size for name in unnamed)
        if delete_unnamed:
            delete_files(store.root, unnamed)
        opened = open_to_readers(store.root)
    generations = settled.collected.generations
    return Repaired(settled.links_moved, generations, len(unnamed), size, delete_unnamed, opened)


def prune(store: Store, retention: Retention) -> Collected:
    """Delete the generations that a retention lets go. Raises StoreError if nothing is loaded yet."""
    with store.locked():
        return store.directory.tidy(store.loaded(), retention).collected


def _list_unnamed(store: Store) -> list[str]:
    """Return the files that have the name of a writer's and that no generation names."""
    if len(kept_generations(store.root)) < len(kept_paths(store.root)):
        return []  # a manifest that cannot be read may name any of them
    named = {file.path for manifest in (store.loaded(), *kept_generations(store.root)) for file in manifest.files}
    there = ((path, path.relative_to(store.root).as_posix()) for path in (store.root / "files").rglob("*.parquet"))
    return [name for path, name in there if _WRITTEN_FILE.fullmatch(path.name) and name not in named]
