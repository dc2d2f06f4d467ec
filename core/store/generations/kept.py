"""The manifests of manifests/: the generations that may still be read, and gone back to."""

import re
from pathlib import Path

from core.store.generations.manifest import Manifest, StoreError, read_manifest

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


def read_if_possible(path: Path) -> Manifest | None:
    """Return a manifest, or None if it is not one that this program can read."""
    try:
        return read_manifest(path.read_bytes(), path)
    except (OSError, StoreError):
        return None
