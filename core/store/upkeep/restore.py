"""Restore a backup into an empty, damaged or, if that is asked for, healthy store: all of it or nothing."""

import filecmp
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from core.runtime.progress import Progress
from core.store.generations.integrity.damage import find_problem
from core.store.generations.manifest import BY_GROUP, DataFile, Manifest, StoreError
from core.store.generations.retention.kept import find_kept, kept_generations
from core.store.generations.store import Store, Transaction
from core.store.schema.tables import FACT_RATE
from core.store.upkeep.copying import require_room, require_sound


@dataclass(frozen=True)
class Restored:
    """What a restore has done: the backup's generation, the store's new one, and the files that were copied."""

    backed_up: int
    generation: int
    files: int
    copied_files: int
    copied_bytes: int


def restore(
    store: Store, source: Path, *, generation: int | None = None, force: bool = False, progress: Progress | None = None
) -> Restored:
    """Make a generation of a backup the store's newest. Files that the store has already are not copied again.

    Nothing of the store is overwritten: its generations stay as long as the settings say. `progress` gets the bytes
    copied and to be copied. Raises StoreError, and nothing has changed, if the backup is damaged, or if the store is
    healthy and `force` is not set.
    """
    backup = Store(source.resolve())
    wanted = _choose(backup, generation)
    for file in wanted.files:
        require_sound(backup.root, file, "nothing has been restored; choose another generation of the backup")
    # The number is new to the backup too, so that the store can be backed up there again.
    highest = max(one.generation for one in (wanted, *kept_generations(backup.root)))
    with store.write_over(newer_than=highest) as transaction:
        if not force:
            _require_unhealthy(store, wanted)
        # A killed restore may have left any of these files, so they are only used if they are the same.
        here = {path: file for path, file in _files_by_path(wanted).items() if _has_same(store, backup, file)}
        missing = [file for path, file in _files_by_path(wanted).items() if path not in here]
        needed = sum(file.bytes for file in missing)
        require_room(store.root, needed)
        moved: dict[str, DataFile] = {}
        for file, copied in _copy(transaction, backup, missing):
            moved[file.path] = copied
            require_sound(store.root, copied, "the disk does not keep what is written to it; the store is as it was")
            if progress:
                progress(sum(one.bytes for one in moved.values()), needed)
        transaction.become(_renamed(wanted, moved))
        new = transaction.commit()
    return Restored(wanted.generation, new.generation, len(here) + len(moved), len(moved), needed)


def _choose(backup: Store, generation: int | None) -> Manifest:
    if generation is None:
        newest = backup.manifest()
        if newest is None:
            raise StoreError(f"{backup.root}: there is no backup here; expected a directory that store backup has made")
        return newest
    return find_kept(backup.root, generation)


def _require_unhealthy(store: Store, wanted: Manifest) -> None:
    newest = store.directory.readable_manifest()
    if newest and not any(find_problem(store.root, file) for file in newest.files):
        raise StoreError(
            f"{store.root}: this store is healthy, and its newest generation is {newest.generation}; nothing has been "
            f"restored; to replace it by generation {wanted.generation} of the backup, add --force"
        )


def _files_by_path(manifest: Manifest) -> dict[str, DataFile]:
    return {file.path: file for file in manifest.files}


def _has_same(store: Store, backup: Store, file: DataFile) -> bool:
    ours, theirs = store.root / file.path, backup.root / file.path
    return ours.is_file() and filecmp.cmp(ours, theirs, shallow=False)


def _copy(transaction: Transaction, backup: Store, files: Iterable[DataFile]) -> Iterator[tuple[DataFile, DataFile]]:
    """Copy files, under their own names if these are free, and yield each with its copy."""
    for file in files:
        path = transaction.new_file_like(file)
        shutil.copyfile(backup.root / file.path, path)
        yield file, replace(file, path=path.relative_to(transaction.root).as_posix())


def _renamed(manifest: Manifest, moved: dict[str, DataFile]) -> Manifest:
    """Return a manifest with other files in place of those `moved`."""
    tables = {name: tuple(moved.get(file.path, file) for file in files) for name, files in manifest.tables.items()}
    # A copy by provider group is found by the path of the file that it is a copy of.
    shards = {old.copy_shard: moved.get(old.path, old).copy_shard for old in manifest.tables.get(FACT_RATE.name, ())}
    if BY_GROUP in tables:
        tables[BY_GROUP] = tuple(replace(file, shard=shards.get(file.shard, file.shard)) for file in tables[BY_GROUP])
    rejects = {batch_id: moved.get(file.path, file) for batch_id, file in manifest.rejects.items()}
    return replace(manifest, tables=tables, rejects=rejects)
