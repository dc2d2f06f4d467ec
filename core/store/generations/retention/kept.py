"""The manifests of manifests/: the generations that may still be read, and gone back to."""

import re
from collections.abc import Iterable
from pathlib import Path

from core.store.generations.manifest import Manifest, StoreError, read_manifest

_LISTED = 6
"""The most generations that are listed. More are a range, if none is missing."""

_NAME = re.compile(r"\d{6,}\.json")


def kept_path(root: Path, generation: int) -> Path:
    """Return the path of a generation's manifest."""
    return root / "manifests" / f"{generation:06}.json"


def kept_paths(root: Path) -> list[Path]:
    """Return the files that are manifests by their names, oldest first. Other files there are someone else's."""
    paths = [path for path in (root / "manifests").glob("*.json") if _NAME.fullmatch(path.name)]
    return sorted(paths, key=lambda path: int(path.stem))


def kept_generations(root: Path) -> list[Manifest]:
    """Return the generations whose manifests can be read, oldest first."""
    found = (read_if_possible(path) for path in kept_paths(root))
    return [manifest for manifest in found if manifest]


def find_kept(root: Path, generation: int) -> Manifest:
    """Return a generation that is kept. Raises StoreError, which names those that are, if it is not."""
    kept = kept_generations(root)
    for manifest in kept:
        if manifest.generation == generation:
            return manifest
    raise StoreError(f"{root}: generation {generation} is not kept here; expected one of: {list_numbers(kept)}")


def list_numbers(manifests: Iterable[Manifest]) -> str:
    """Return the numbers of generations as a message lists them."""
    numbers = [one.generation for one in manifests]
    if len(numbers) > _LISTED and numbers[-1] - numbers[0] == len(numbers) - 1:
        return f"{numbers[0]} to {numbers[-1]}"
    return ", ".join(map(str, numbers)) or "none"


def read_if_possible(path: Path) -> Manifest | None:
    """Return a manifest, or None if it is not one that this program can read."""
    try:
        return read_manifest(path.read_bytes(), path)
    except (OSError, StoreError):
        return None
