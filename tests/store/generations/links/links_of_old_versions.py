"""Make the links of a store as older versions of the program did: gold/ and silver/ are folders of links."""

import os
import shutil
from pathlib import Path

from core.store.generations.layout import layout_named
from core.store.generations.links.stable_links import stable_paths
from core.store.generations.store import Store


def make_links_as_before(store: Store) -> None:
    """Replace the links of a store by those that an older version would have made."""
    root, manifest = store.root, store.loaded()
    for name in ("gold", "silver"):
        (root / name).unlink()
    shutil.rmtree(root / "links")
    layout = layout_named(manifest.layout)
    folder = root / layout.path
    tree = root / "links" / "0123456789abcdef0123456789abcdef"
    for link, target in stable_paths(manifest).items():
        path = root / link
        if layout.grows and folder in path.parents:
            path = tree / path.relative_to(folder)
        _link(path, root / target)
    if layout.grows:
        _link(folder, tree)


def _link(path: Path, target: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(os.path.relpath(target, path.parent))
