"""Back up a generation into a directory that is a store of its own.

The directory has the same paths as the store: what it has already is not copied again, a later backup only adds, and it
can be opened like any store. See docs/decisions for why files are copied and not archived.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from core.runtime.files import delete_file
from core.runtime.progress import Progress
from core.store.generations.integrity.damage import visible_problem
from core.store.generations.manifest import DataFile, Manifest, StoreError
from core.store.generations.retention.kept import kept_generations
from core.store.generations.retention.pins import pin
from core.store.generations.store import Store
from core.store.upkeep.copying import copy_file, require_room, require_sound

_TRIES = 5
"""Generations to try, if each is deleted before its files are pinned. A grace time of a minute rules that out."""


@dataclass(frozen=True)
class BackedUp:
    """What a backup has done: the generation, its files, and those that were new and their bytes."""

    generation: int
    files: int
    new_files: int
    new_bytes: int
    linked: int


class _SupersededError(Exception):
    """The generation's files were deleted before they were pinned."""


def back_up(store: Store, target: Path, *, link: bool = False, progress: Progress | None = None) -> BackedUp:
    """Copy the newest generation into a directory, without disturbing readers or the writer.

    `link` links to files on the same disk instead of copying them. `progress` gets the bytes copied and to be copied.
    Raises StoreError; whatever was backed up before is then as it was.
    """
    root, target = store.root.resolve(), target.resolve()
    if root == target or root in target.parents or target in root.parents:
        raise StoreError(f"{target}: a backup cannot be inside the store, nor the store in it; name another directory")
    store.loaded()
    backup = Store(target)
    with backup.locked(0):
        backup.directory.prepare_over()
        for half in (target / "files").rglob(".*.parquet.next"):
            delete_file(half)  # of a backup that was killed
        for _ in range(_TRIES):
            try:
                return _back_up_newest(store, backup, link, progress)
            except _SupersededError:
                continue
    raise StoreError(
        f"{store.root}: each generation was deleted before it could be copied; set BEACONPOINT_GRACE_SECONDS to more"
    )


def _back_up_newest(store: Store, backup: Store, link: bool, progress: Progress | None) -> BackedUp:
    manifest = store.loaded()
    _require_same_history(store, backup, manifest)
    with _pinned(store, manifest):
        missing = _list_missing(backup, manifest)
        needed = sum(file.bytes for file in missing)
        require_room(backup.root, needed)
        copied = linked = 0
        for file in missing:
            try:
                linked += copy_file(store.root / file.path, backup.root / file.path, link=link)
            except FileNotFoundError:
                if store.loaded().generation == manifest.generation:
                    raise StoreError(f"{store.root / file.path} is missing; nothing new is backed up") from None
                raise _SupersededError from None
            require_sound(backup.root, file, "so the store's own file is damaged: manage.py store verify")
            copied += file.bytes
            if progress:
                progress(copied, needed)
        backup.directory.adopt(manifest, [backup.root / file.path for file in missing])
    files = len({file.path for file in manifest.files})
    return BackedUp(manifest.generation, files, len(missing), copied, linked)


def _require_same_history(store: Store, backup: Store, manifest: Manifest) -> None:
    """Raise StoreError if the backup has another generation of the same number, or another file of the same name."""
    ours = {file.path: file for file in manifest.files}
    for older in kept_generations(backup.root):
        same_number = older.generation == manifest.generation
        if (same_number and older.created_at != manifest.created_at) or any(
            file.path in ours and not _is_same(file, ours[file.path]) for file in older.files
        ):
            raise StoreError(
                f"{backup.root} is a backup of another store than {store.root}: its generation {older.generation} is "
                "another one; name another directory"
            )


def _list_missing(backup: Store, manifest: Manifest) -> list[DataFile]:
    """Return the files of a generation that the backup does not have, or not whole."""
    there = {file.path for older in kept_generations(backup.root) for file in older.files}
    # A file that no manifest of the backup names is of a backup that was killed, perhaps of another store.
    wanted = {file.path: file for file in manifest.files}
    return [file for path, file in wanted.items() if path not in there or visible_problem(backup.root, file)]


def _is_same(one: DataFile, other: DataFile) -> bool:
    # A manifest of an older format has no checksums, and some of its sizes are too small.
    same_bytes = one.checksum == other.checksum or not (one.checksum and other.checksum)
    return one.rows == other.rows and same_bytes


@contextmanager
def _pinned(store: Store, manifest: Manifest) -> Iterator[None]:
    with ExitStack() as stack:
        try:
            stack.enter_context(pin(store.root, manifest.generation))
        except OSError as error:
            raise StoreError(
                f"{store.root}: cannot be written: {error.strerror}; a backup keeps its generation from being deleted, "
                "so run it as the user who owns the data"
            ) from None
        yield
