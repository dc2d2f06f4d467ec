"""The stable paths of the data contract: links that always open the newest files, and that all change at once.

    links/000017/gold/…  silver/…   links to the files of generation 17: a tree that never changes
    links/current -> 000017         replaced by one rename
    gold -> links/current/gold      never changes
    silver -> links/current/silver

A reader that lists a folder lists one tree, so it finds the files of one generation. A tree stays for the grace time
after its generation was superseded. Files that someone else puts into gold/ or silver/ are carried along.

Where symbolic links are refused, as on Windows, gold/ and silver/ are folders of files instead: see placed_files.py.
"""

import ctypes
import logging
import os
import re
import shutil
import sys
import time
from collections.abc import Iterable, Iterator
from itertools import count
from pathlib import Path

from core.store.generations.layout import layout_named
from core.store.generations.links.placed_files import links_are_refused, place_files, read_placed
from core.store.generations.manifest import Manifest
from core.store.schema.tables import FACT_RATE, REJECTS, TABLES

_LOG = logging.getLogger(__name__)

_STABLE_FOLDERS = ("gold", "silver")
_TREE_NAME = re.compile(r"\.?(\d{6,})(?:-\d+)?(?:\.next)?")
"""The name of a tree: its generation, and a number if a tree of that generation had to be made again."""


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


def build_links(root: Path, manifest: Manifest) -> None:
    """Make the tree of a generation's links, unless it is there. No reader sees it yet."""
    if not links_are_refused(root):
        _build_tree(root, manifest)


def _build_tree(root: Path, manifest: Manifest) -> Path:
    """Return the complete tree of a generation's links."""
    wanted = stable_paths(manifest)
    # The path of a table belongs to the table, whatever else was put there.
    others = {name: path for name, path in _find_other_files(root).items() if name not in wanted}
    links = root / "links"
    name = f"{manifest.generation:06}"
    for number in count(1):
        tree = links / (name if number == 1 else f"{name}-{number}")
        if not tree.exists():
            break
        if _is_complete(root, tree, wanted, others):
            return tree
    new = links / f".{name}.next"
    shutil.rmtree(new, ignore_errors=True)
    for folder in _STABLE_FOLDERS:
        (new / folder).mkdir(parents=True)
    for folder in {os.path.dirname(link) for link in (*wanted, *others)}:  # noqa: PTH120 - of texts
        (new / folder).mkdir(parents=True, exist_ok=True)
    for link, target in wanted.items():
        (new / link).symlink_to(_link_text(link, target))
    for link, other in others.items():
        _carry(other, new / link)
    new.replace(tree)
    return tree


def point_links(root: Path, manifest: Manifest) -> bool:
    """Point all stable paths at a generation's files with one rename. Return whether anything had to be changed."""
    if links_are_refused(root):
        return place_files(root, manifest.generation, stable_paths(manifest))
    tree = _build_tree(root, manifest)
    former = _current_tree(root)
    if former and former != tree and former.is_dir():
        os.utime(former)  # for `recently_open`: a reader that has just resolved a folder in it may read on
    changed = _replace_link(root / "links" / "current", Path(tree.name))
    for folder in _STABLE_FOLDERS:
        changed = _replace_link(root / folder, Path("links", "current", folder)) or changed
        _remove_former_folders(root, folder)
    return changed


def current_generation(root: Path) -> int | None:
    """Return the generation that the stable paths open, or None if they are missing or of an older version."""
    placed = read_placed(root)
    if placed:
        return placed.generation
    tree = _current_tree(root)
    return _generation_of(tree) if tree else None


def recently_open(root: Path, seconds: float) -> set[int]:
    """Return the generations that stable paths have opened within the last `seconds`, as far as their trees tell.

    They may be long superseded, if a writer was killed before it moved the links.
    """
    trees = [(_generation_of(tree), tree.stat().st_mtime) for tree in (root / "links").glob("[0-9]*")]
    return {generation for generation, left in trees if generation and time.time() - left < seconds}


def remove_links(root: Path, kept: Iterable[int], *, keep_unnumbered: bool = False) -> None:
    """Remove the trees of all generations but those `kept` and the one in use.

    `keep_unnumbered` keeps the trees of older versions of the program, which readers may still be listing.
    """
    stays = set(kept)
    for tree in _unused_trees(root):
        generation = _generation_of(tree)
        unfinished = tree.name.startswith(".")
        if unfinished or (not keep_unnumbered if generation is None else generation not in stays):
            _remove_tree(root, tree, _current_tree(root))


def discard_links(root: Path, generation: int) -> None:
    """Remove the trees of a generation that will not be published."""
    for tree in _unused_trees(root):
        if _generation_of(tree) == generation:
            _remove_tree(root, tree, _current_tree(root))


def _generation_of(tree: Path) -> int | None:
    """Return the generation that a tree belongs to, or None for one that an older version made."""
    found = _TREE_NAME.fullmatch(tree.name)
    return int(found[1]) if found else None


def _current_tree(root: Path) -> Path | None:
    current = root / "links" / "current"
    return current.parent / current.readlink() if current.is_symlink() else None


def _unused_trees(root: Path) -> list[Path]:
    current = _current_tree(root)
    return [path for path in (root / "links").glob("*") if path.is_dir() and not path.is_symlink() and path != current]


def _link_text(link: str, target: str) -> str:
    """Return what a link of a tree contains. The link is relative to its tree, the target to the data directory."""
    return f"../../{'../' * link.count('/')}{target}"


def _is_complete(root: Path, tree: Path, wanted: dict[str, str], others: dict[str, Path]) -> bool:
    # Every write asks this of the tree that it has just made, so the links are compared as texts first.
    found = {_name_below(tree, path): Path(path) for path in _entries(tree)}
    if found.keys() != wanted.keys() | others.keys():
        return False
    if not all(_is_same_entry(found[name], path) for name, path in others.items()):
        return False
    return all(
        _text_of(found[link]) == _link_text(link, target) or _target(found[link]) == root / target
        for link, target in wanted.items()
    )


def _text_of(link: Path | str) -> str | None:
    try:
        return os.readlink(link)  # noqa: PTH115 - see _entries
    except OSError:
        return None


def _entries(folder: Path | str) -> Iterator[str]:
    """Yield the path of everything below a folder that is not a folder. A folder that is not there has nothing.

    Every write looks at some hundred entries, and making a Path of each takes longer than all the rest.
    """
    try:
        with os.scandir(folder) as found:
            entries = list(found)
    except OSError:
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            yield from _entries(entry.path)
        else:
            yield entry.path


def _name_below(folder: Path, path: str) -> str:
    """Return the name of a path below a folder, which it begins with, in the form of the data contract."""
    return path[len(str(folder)) + 1 :].replace(os.sep, "/")


def _target(link: Path) -> Path | None:
    """Return the path that a link leads to, one step, or None for something else than a link."""
    return Path(os.path.normpath(link.parent / link.readlink())) if link.is_symlink() else None


def _is_ours(root: Path, entry: str) -> bool:
    """Return whether a writer has made an entry of a folder: a link to a file of the store, or to a tree."""
    text = _text_of(entry)
    if text is None:
        return False
    target = os.path.normpath(os.path.join(os.path.dirname(entry), text))  # noqa: PTH118, PTH120 - see _entries
    return target.startswith((f"{root / 'files'}{os.sep}", f"{root / 'links'}{os.sep}"))


def _is_same_entry(one: Path, other: Path) -> bool:
    try:
        return os.path.samestat(one.lstat(), other.lstat())
    except OSError:
        return False


def _find_other_files(root: Path) -> dict[str, Path]:
    """Return the files that someone else has put into gold/ and silver/, by their paths below the data directory."""
    found: dict[str, Path] = {}
    current = _current_tree(root)
    for base in (current, root):
        for folder in _STABLE_FOLDERS if base else ():
            # `root / folder` is a folder only in a store of an older version; here it is a link to the tree.
            if base and not (base / folder).is_symlink():
                for path in _entries(base / folder):
                    if not _is_ours(root, path):
                        found[_name_below(base, path)] = Path(path)
    return found


def _carry(other: Path, path: Path) -> None:
    """Put someone else's file into a tree as well."""
    try:
        os.link(other, path, follow_symlinks=False)
    except OSError:
        # Linux lets nobody link to a file that they neither own nor may write.
        try:
            shutil.copy2(other, path, follow_symlinks=False)
        except OSError as error:
            _LOG.warning("%s: cannot be carried along with the links: %s; it stays there", other, error.strerror)


def _replace_link(link: Path, target: Path) -> bool:
    """Let a link have a target, in one step. Return whether it had another one."""
    if link.is_symlink() and link.readlink() == target:
        return False
    new = _aside(link)
    if new.is_symlink():
        new.unlink()
    new.symlink_to(target, target_is_directory=True)
    if link.is_symlink() or not link.is_dir():
        new.replace(link)
    elif not _exchange(new, link):
        # A folder that an older version made, on a system that cannot exchange two paths.
        former = link.with_name(f".{link.name}.former")
        link.rename(former)
        new.replace(link)
        former.rename(new)
    return True


def _aside(link: Path) -> Path:
    return link.with_name(f".{link.name}.next")


def _exchange(one: Path, other: Path) -> bool:
    """Let two paths change places in one step, and return whether this system can do that."""
    if sys.platform != "linux":
        return False
    at_working_directory, rename_exchange = -100, 2
    try:
        rename = ctypes.CDLL(None).renameat2
    except (OSError, AttributeError):
        return False
    done = rename(at_working_directory, os.fsencode(one), at_working_directory, os.fsencode(other), rename_exchange)
    return bool(done == 0)


def _remove_former_folders(root: Path, folder: str) -> None:
    """Remove the folder of links that an older version made, once a link has taken its place."""
    for former in (_aside(root / folder), root / f".{folder}.former"):
        if former.is_symlink() or not former.is_dir():
            continue
        _remove_tree(root, former, root / folder)
        if former.exists():
            kept = next(path for n in count(1) if not (path := root / f"{folder}.former-{n}").exists())
            former.rename(kept)
            _LOG.warning("%s: files that are not the program's were in %s/ and are kept here", kept, folder)


def _remove_tree(root: Path, tree: Path, successor: Path | None = None) -> None:
    """Remove a tree of links. A file that someone else has put there stays, unless `successor` has it as well."""
    for entry in list(_entries(tree)):
        carried = successor is not None and _is_same_entry(Path(entry), successor / _name_below(tree, entry))
        if carried or _is_ours(root, entry):
            Path(entry).unlink()
    for path, _, _ in os.walk(tree, topdown=False):
        if not any(Path(path).iterdir()):
            Path(path).rmdir()
