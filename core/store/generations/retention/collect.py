"""Delete the generations that are no longer kept, with the files and links that only they need."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from core.runtime.files import delete_file
from core.store.generations.links.stable_links import current_generation, recently_open, remove_links
from core.store.generations.manifest import Manifest
from core.store.generations.retention.kept import kept_paths, read_if_possible
from core.store.generations.retention.pins import read_pins
from core.store.generations.retention.rules import GenerationTime, Retention

_LOG = logging.getLogger(__name__)

_EXPIRED = ".expired"
"""The ending of a manifest's name while the files that only it needs are being deleted."""


@dataclass(frozen=True)
class Collected:
    """What was deleted: generations, and the files that only they needed, with their bytes."""

    generations: tuple[int, ...] = ()
    files: int = 0
    bytes: int = 0


def collect(root: Path, newest: Manifest, retention: Retention) -> Collected:
    """Delete the generations that the retention does not keep."""
    kept_manifests = _read_kept(root)
    if kept_manifests is None:
        return Collected()
    now = datetime.now(UTC)
    times = [
        _time_of(newest),
        *(_time_of(one) for one in kept_manifests.values() if one.generation < newest.generation),
    ]
    opened = recently_open(root, retention.grace)
    stays = retention.choose_kept(times, now) | read_pins(root) | opened
    # The stable paths open an older generation as long as their links could not be moved.
    linked = current_generation(root)
    expired = {
        path: one
        for path, one in kept_manifests.items()
        # A newer generation is there after someone has gone back by hand: it is kept, in case they want to go forward.
        if one.generation < newest.generation and one.generation not in stays and one.generation != linked
    }
    recent = retention.choose_recent(times, now) | opened
    remove_links(root, recent, keep_unnumbered=len(recent) > 1)
    # A generation is set aside before its files go: one that is listed is complete, and can be gone back to.
    for path in expired:
        path.replace(path.with_name(f".{path.stem}{_EXPIRED}"))
    files, size = delete_expired(root, newest)
    return Collected(tuple(one.generation for one in expired.values()), files, size)


def delete_expired(root: Path, newest: Manifest) -> tuple[int, int]:
    """Delete the files of generations that were set aside, and return how many there were, and bytes.

    A killed writer leaves some, and so does Windows, which does not delete what a program has open.
    """
    expired = {path: read_if_possible(path) for path in (root / "manifests").glob(f".*{_EXPIRED}")}
    kept_manifests = _read_kept(root) if expired else None
    if kept_manifests is None:
        return 0, 0
    needed = {file.path for one in (newest, *kept_manifests.values()) for file in one.files}
    doomed = {path: {file.path for file in one.files} - needed if one else set() for path, one in expired.items()}
    done = delete_files(root, set().union(*doomed.values()))
    for path, names in doomed.items():
        if not any((root / name).exists() for name in names):
            path.unlink()
    return done


def _read_kept(root: Path) -> dict[Path, Manifest] | None:
    """Return the manifests of manifests/, or None if one cannot be read: it may need any file."""
    found = {}
    for path in kept_paths(root):
        manifest = read_if_possible(path)
        if manifest is None:
            problem = "not a manifest of this program; no older generation is deleted while it is there"
            _LOG.warning("%s: %s", path, problem)
            return None
        found[path] = manifest
    return found


def delete_files(root: Path, names: Iterable[str]) -> tuple[int, int]:
    """Delete files of the store, and the folders that are empty without them. Return how many there were, and bytes.

    On Windows, those that a program has open stay.
    """
    files = size = 0
    for name in sorted(names):
        path = root / name
        try:
            bytes_of_file = path.stat().st_size
        except FileNotFoundError:
            continue
        if not delete_file(path):
            continue
        files, size = files + 1, size + bytes_of_file
        for folder in path.parents:
            if root / "files" not in folder.parents:
                break
            try:
                folder.rmdir()
            except OSError:
                break
    return files, size


def _time_of(manifest: Manifest) -> GenerationTime:
    return GenerationTime(manifest.generation, datetime.fromisoformat(manifest.created_at))
