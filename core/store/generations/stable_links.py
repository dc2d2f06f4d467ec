"""The stable paths of the data contract: links that always open the newest files.

Each file of a table has a link, which is replaced atomically. A partitioned table is opened as a whole folder: a new
folder of links is made and swapped in with one rename, so that a reader that lists it sees the files of one generation,
never two files with the same rows.
"""

import hashlib
import os
import re
import shutil
from pathlib import Path

from core.store.generations.layout import layout_named
from core.store.generations.manifest import Manifest
from core.store.schema.tables import FACT_RATE, REJECTS, TABLES

_STABLE_FOLDERS = ("gold", "silver")

_TREE = re.compile(r"[0-9a-f]{32}|\.[0-9a-f]{32}\.next")
"""The name of a folder of links, complete or not. Anything else in links/ is not this program's."""


def stable_paths(manifest: Manifest) -> dict[str, str]:
    """Return the target of each stable path, both relative to the data directory. A file of a partition has its own."""
    layout = layout_named(manifest.layout)
    found: dict[str, str] = {}
    for name, files in manifest.tables.items():
        # Only the site reads the copies (BY_GROUP); everyone else reads the facts. A table that only another version of
        # the program declares has a stable path that this one does not know.
        if name not in TABLES:
            continue
        for file in files:
            if name != FACT_RATE.name:
                found[TABLES[name].path.replace("<shard>", file.shard)] = file.path
            elif layout.grows:
                found[f"{layout.link(file.shard)}/{Path(file.path).name}"] = file.path
            else:
                found[layout.link(file.shard)] = file.path
    for batch_id, file in manifest.rejects.items():
        found[REJECTS.path.replace("<batch_id>", batch_id)] = file.path
    return found


def point_links(root: Path, manifest: Manifest) -> None:
    """Point the stable paths at a generation's files, and remove the stable paths of files that it does not have."""
    wanted = {root / link: root / target for link, target in stable_paths(manifest).items()}
    layout = layout_named(manifest.layout)
    folder = root / layout.path
    tree = None
    if layout.grows:
        inside = {link: target for link, target in wanted.items() if folder in link.parents}
        tree = _tree_of_links(root, folder, inside)
        wanted = {link: target for link, target in wanted.items() if link not in inside} | {folder: tree}
    # Old links go first. For a moment a pattern such as fact_rate_*.parquet may find too few files, which a reader can
    # notice by the missing month, but never the same rows twice, which nobody would notice.
    for link in _find_links(root):
        if link not in wanted:
            link.unlink()
    for link, target in wanted.items():
        _relink(link, target)
    for other in (root / "links").glob("*"):
        if other != tree and _TREE.fullmatch(other.name):
            shutil.rmtree(other)


def _tree_of_links(root: Path, folder: Path, links: dict[Path, Path]) -> Path:
    """Return a complete folder of links. Its name is a hash of its links, so that it is made only once."""
    text = "\n".join(f"{link} {target}" for link, target in sorted(links.items()))
    tree = root / "links" / hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
    if not tree.exists():
        new = tree.with_name(f".{tree.name}.next")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(parents=True)
        for link, target in links.items():
            path = new / link.relative_to(folder)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.symlink_to(os.path.relpath(target, path.parent))
        new.replace(tree)
    return tree


def _find_links(root: Path) -> list[Path]:
    """Return the links in the stable folders that lead to files of the store. Other files there are left alone."""
    found = []
    for folder in _STABLE_FOLDERS:
        for path, folders, names in os.walk(root / folder):
            for name in (*folders, *names):
                link = Path(path, name)
                if link.is_symlink():
                    target = Path(os.path.normpath(link.parent / link.readlink()))
                    if {root / "files", root / "links"} & set(target.parents):
                        found.append(link)
    return found


def _relink(link: Path, target: Path) -> None:
    wanted = os.path.relpath(target, link.parent)
    if link.is_symlink() and str(link.readlink()) == wanted:
        return
    link.parent.mkdir(parents=True, exist_ok=True)
    new = link.with_name(f".{link.name}.next")
    new.unlink(missing_ok=True)
    new.symlink_to(wanted)
    new.replace(link)
