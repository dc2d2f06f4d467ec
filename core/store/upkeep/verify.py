"""Verify every file of the store: it is there, has the size and checksum in the manifest, and can be decoded."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from core.runtime.progress import Progress
from core.store.generations.integrity.damage import Damage, advise, files_by_table, find_problem
from core.store.generations.manifest import DataFile, Manifest
from core.store.generations.retention.kept import kept_generations, kept_path, kept_paths, read_if_possible
from core.store.generations.store import Store

_BATCH_ROWS = 1 << 16

MANIFESTS = "manifests"
"""What the manifests are called where a table is named."""


@dataclass(frozen=True)
class Verified:
    """What was verified: files, their bytes, the files without a checksum, and each damage with what to do about it."""

    generations: int
    files: int
    bytes: int
    without_checksum: tuple[str, ...]
    newest_has_checksums: bool
    damages: tuple[tuple[Damage, str], ...]


def verify(store: Store, *, deep: bool = False, progress: Progress | None = None) -> Verified:
    """Read every file of the newest generation and of all that can be gone back to. Changes nothing, takes no lock.

    `deep` also decodes every value, with the checksums of the pages. `progress` gets the bytes read so far and all
    bytes. Raises StoreError if the store cannot be read at all.
    """
    newest = store.loaded()
    kept = [one for one in kept_generations(store.root) if one.generation != newest.generation]
    owners: dict[str, tuple[str, DataFile, Manifest]] = {}
    for manifest in (newest, *reversed(kept)):
        for table, file in files_by_table(manifest):
            # A file that an upgrade has carried over has a checksum in the newer manifest alone.
            owners.setdefault(file.path, (table, file, manifest))
    total = sum(file.bytes for _, file, _ in owners.values())
    done = 0

    def count(more: int) -> None:
        nonlocal done
        done += more
        if progress:
            progress(min(done, total), total)

    damages = list(_damaged_manifests(store.root, newest))
    for table, file, manifest in owners.values():
        problem = _problem(store.root, file, count, deep=deep)
        if problem and _is_still_kept(store, file):
            damage = Damage(table, file.path, problem)
            damages.append((damage, _advice(store.root, damage, manifest, newest)))
    unchecked = tuple(file.path for _, file, _ in owners.values() if not file.checksum)
    complete = all(file.checksum for file in newest.files)
    return Verified(1 + len(kept), len(owners), total, unchecked, complete, tuple(damages))


def _problem(root: Path, file: DataFile, count: Callable[[int], None], *, deep: bool) -> str | None:
    problem = find_problem(root, file, count)
    return _decoding_problem(root / file.path, file.rows) if deep and problem is None else problem


def _decoding_problem(path: Path, rows: int) -> str | None:
    """Return why not every row of a file can be decoded, or None if it can."""
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            found = sum(batch.num_rows for batch in file.iter_batches(_BATCH_ROWS))
    except (pa.ArrowException, OSError, ValueError) as error:
        return f"cannot be decoded ({error})"
    return None if found == rows else f"has {found:,} rows where the manifest says {rows:,}"


def _damaged_manifests(root: Path, newest: Manifest) -> Iterator[tuple[Damage, str]]:
    """Yield the manifests that cannot be read, and that of the newest generation if it differs from its copy."""
    for path in kept_paths(root):
        if read_if_possible(path) is None and path.exists():
            name = path.relative_to(root).as_posix()
            yield (
                Damage(MANIFESTS, name, "is not a manifest of this program"),
                ("the generation cannot be gone back to; restore it from a backup, or delete it"),
            )
    copy = read_if_possible(kept_path(root, newest.generation))
    if copy is not None and copy != newest:
        damage = Damage(MANIFESTS, "manifest.json", f"differs from manifests/{newest.generation:06}.json")
        yield damage, advise(root, damage)


def _is_still_kept(store: Store, file: DataFile) -> bool:
    """Return whether a generation still has a file. A writer may have deleted it since, with its generation."""
    return any(
        file.path == one.path for manifest in (store.loaded(), *kept_generations(store.root)) for one in manifest.files
    )


def _advice(root: Path, damage: Damage, manifest: Manifest, newest: Manifest) -> str:
    if manifest.generation == newest.generation:
        return advise(root, damage)
    older = manifest.generation
    return f"the newest generation does not need it, but generation {older} cannot be gone back to without it"
