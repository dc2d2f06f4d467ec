"""The directory of a store: its paths, its lock, and how a generation becomes the newest.

    manifest.json            names the newest generation's files; replaced atomically, as the last step
    manifests/<n>.json       the manifests that may still be read, one per generation
    files/                   the tables' files, each named by the generation that wrote it, never changed
    gold/ silver/            links that always open the newest files of a table, see links/stable_links.py
    links/                   the trees of links that gold/ and silver/ lead to
    pins/                    the generations that a backup is being made of
    tmp/beaconpoint-writer/  the writer's temporary files; removed by the next writer

Whatever else is in the directory, or in these folders, is left alone: a writer removes the files that it has listed as
its own before making them (`unpublished.py`), and those of the generations that it removes.

The rest of the program knows a file only by the `DataFile` in a manifest and by the path that `new_file` returned. To
keep a store elsewhere (object storage, a lock for several machines), write another class with the public methods of
`StoreDirectory`. Its `publish` is the one step that must be atomic; `settle` may run at any time, any number of times.
"""

import json
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from pathlib import Path

from filelock import FileLock, Timeout

from core.runtime.files import delete_file, read_replaced_file, replace_file, sync_file, sync_folder
from core.store.generations.integrity.damage import newest_intact, rollback
from core.store.generations.links.stable_links import build_links, discard_links, point_links
from core.store.generations.manifest import DamagedManifestError, DataFile, Manifest, StoreError, read_manifest
from core.store.generations.ownership import list_cautions, modes_of, require_owner
from core.store.generations.retention.collect import Collected, collect, delete_expired, delete_files
from core.store.generations.retention.kept import kept_path, kept_paths
from core.store.generations.retention.rules import Retention
from core.store.generations.unpublished import UnpublishedFiles

_NEXT = ".next"
"""The ending of a small file's name while it is being written."""
_GENERATION = re.compile(r"\.\d{6,}(-\d+)?\.parquet$")
"""The end of a file's name."""
_HALF_WRITTEN = re.compile(rf"\.(manifest|\d{{6,}})\.json{re.escape(_NEXT)}")


@dataclass(frozen=True)
class Settled:
    """What was still to be done after a publication: whether links were moved, and what was deleted."""

    links_moved: bool
    collected: Collected


class StoreDirectory:
    """The directory of a store. It need not exist until something is written."""

    def __init__(self, root: Path, retention: Retention) -> None:
        self.root = root
        self.manifest_path = root / "manifest.json"
        self.work = root / "tmp" / "beaconpoint-writer"
        self._files = root / "files"
        self._manifests = root / "manifests"
        self._retention = retention
        self._unpublished = UnpublishedFiles(self.work / "unpublished")

    # --- for readers ------------------------------------------------------------------------------------------

    def manifest(self) -> Manifest | None:
        """Return the newest generation, or None if nothing has been loaded yet.

        Raises StoreError. If the manifest is missing or damaged, the message names the generation to go back to: a
        store without a manifest is not taken for an empty one.
        """
        text = self._newest_text()
        if text is None:
            if not self._other_files():
                return None
            text = self._newest_text()  # the first generation may have been published meanwhile
        if text is None:
            raise StoreError(f"{self.manifest_path}: missing, and the store is not empty; {self._way_back()}")
        try:
            return read_manifest(text, self.manifest_path)
        except DamagedManifestError as error:
            raise DamagedManifestError(f"{error}; {self._way_back()}") from None

    def readable_manifest(self) -> Manifest | None:
        """Return the newest generation, or None if there is none, or its manifest is missing or damaged."""
        try:
            return self.manifest()
        except StoreError:
            return None

    def version(self) -> tuple[int, ...] | None:
        """Return numbers that change with each generation, without reading it. None if nothing has been loaded yet."""
        try:
            stat = self.manifest_path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        return stat.st_ino, stat.st_mtime_ns, stat.st_size

    def path(self, file: DataFile) -> str:
        """Return the path by which DuckDB, pyarrow and Polars open a file."""
        return str(self.root / file.path)

    # --- for the one writer -----------------------------------------------------------------------------------

    @contextmanager
    def lock(self, wait: float, waiting: Callable[[], None] | None) -> Iterator[None]:
        """Keep other writers out. The lock ends with its process, however that ends.

        Waits up to `wait` seconds (-1: as long as it takes); `waiting` is called once if so. Meanwhile, all who may
        read the directory may read new files in it. Raises StoreError.
        """
        require_owner(self.root)
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.root / ".lock")
            try:
                lock.acquire(timeout=0)
            except Timeout:
                if waiting and wait != 0:
                    waiting()
                lock.acquire(timeout=wait)
        except Timeout:
            raise StoreError(f"{self.root}: another command is writing here; try again when it has ended") from None
        except OSError as error:
            raise StoreError(
                f"{self.root}: cannot be written: {error.strerror or error}; give the user who runs this the right to "
                "write there, or name another directory in BEACONPOINT_DATA_DIR"
            ) from None
        try:
            with modes_of(self.root):
                yield
        finally:
            lock.release()

    def prepare(self) -> None:
        """Finish or remove what a killed writer has left, and make an empty working directory.

        Raises StoreError, before anything is removed, if the manifest is missing or damaged.
        """
        newest = self.manifest()
        self._remove_unpublished(newest)
        if newest:
            try:
                point_links(self.root, newest)
            except OSError:
                collect(self.root, newest, self._retention)  # the disk may be too full for links: this makes room
                point_links(self.root, newest)
        self._make_work()

    def prepare_over(self) -> None:
        """Remove what a killed writer has left, and make an empty working directory.

        Nothing is done about the newest generation, which may be damaged.
        """
        self._remove_unpublished(self.readable_manifest())
        self._make_work()

    def tidy(self, newest: Manifest, retention: Retention | None) -> Settled:
        """Finish or remove what a killed writer has left, and delete what `retention`, or the store's own, lets go."""
        self._remove_unpublished(newest)
        self.clean()
        return self.settle(newest, retention)

    def _remove_unpublished(self, newest: Manifest | None) -> None:
        for folder in (self.root, self._manifests):
            for path in folder.glob(f".*{_NEXT}"):
                if _HALF_WRITTEN.fullmatch(path.name):
                    delete_file(path)
        self.discard(newest)
        if newest:
            delete_expired(self.root, newest)

    def _make_work(self) -> None:
        self.clean()
        self.work.mkdir(parents=True, exist_ok=True)
        self._files.mkdir(exist_ok=True)

    def clean(self) -> None:
        """Remove the working directory. On Windows, what a program has open stays there for the next writer."""
        open_files = self._unpublished.read()  # those could not be deleted either
        shutil.rmtree(self.work, ignore_errors=True)
        for name in sorted(open_files):
            self._unpublished.add(name)
        with suppress(OSError):  # someone else keeps files there, or nothing has been made
            self.work.parent.rmdir()

    def new_file(self, name: str, generation: int) -> Path:
        """Return the path of a new file. `name` says what it contains and may have folders."""
        first = self._files / f"{name}.{generation:06}.parquet"
        first.parent.mkdir(parents=True, exist_ok=True)
        for number in count(1):
            path = first if number == 1 else first.with_name(f"{first.stem}-{number}.parquet")
            if path.exists():
                continue
            self._unpublished.add(self._relative(path))
            path.touch(exist_ok=False)  # reserves the name
            return path
        raise AssertionError

    def new_file_like(self, file: DataFile, generation: int) -> Path:
        """Return the path of a file of another store if it is free here, or else that of a new file for its content."""
        path = self.root / file.path
        if path.exists():
            return self.new_file(_GENERATION.sub("", file.path.removeprefix("files/")), generation)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._unpublished.add(file.path)
        path.touch(exist_ok=False)
        return path

    def data_file(self, path: Path, rows: int, shard: str) -> DataFile:
        """Return a written file as a manifest names it."""
        return DataFile(self._relative(path), rows, path.stat().st_size, shard)

    def next_generation(self, newest: int) -> int:
        """Return the number of the generation after `newest`. No generation of manifests/ has it, not even a newer one.

        There are newer ones after someone has gone back to an older generation.
        """
        return 1 + max([newest, *(int(path.stem) for path in kept_paths(self.root))])

    def discard(self, newest: Manifest | None) -> None:
        """Remove the files that a writer has made and that no generation names. `newest` is the newest generation."""
        made = self._unpublished.read()
        if not made:
            return
        named = {file.path for file in newest.files} if newest else set()
        if newest:
            named.add(self._relative(kept_path(self.root, newest.generation)))
        # A writer that died while it published may have left the manifest of a generation that there never was.
        orphans = made - named
        for path in kept_paths(self.root):
            if self._relative(path) not in orphans:
                # The names are looked for in the text: a damaged manifest protects its files as well.
                text = path.read_bytes()
                named.update(name for name in made if json.dumps(name).encode() in text)
        delete_files(self.root, made - named)
        open_files = [name for name in made - named if (self.root / name).exists()]
        for generation in (int(Path(name).stem) for name in orphans if name.startswith("manifests/")):
            discard_links(self.root, generation)
        self._unpublished.clear()
        for name in open_files:
            self._unpublished.add(name)

    def publish(self, manifest: Manifest, made: Iterable[Path]) -> None:
        """Make a manifest the newest one, after the files that were `made` for it are safely on disk."""
        # A file survives a power cut only if it and every new folder above it are synced. All of that comes before the
        # manifest names the file, so a manifest never names a file that is not there.
        folders = {self._files}
        for path in made:
            if path.exists():
                sync_file(path)
                folders.update(folder for folder in path.parents if self._files in folder.parents)
        for folder in sorted(folders, reverse=True):
            sync_folder(folder)
        self._manifests.mkdir(exist_ok=True)
        self._unpublished.add(self._relative(kept_path(self.root, manifest.generation)))
        # Everything that needs room on the disk is done before the manifest: afterward, one rename moves the links.
        build_links(self.root, manifest)
        # The copy comes first: the newest manifest must be in manifests/ when the next generation replaces it.
        text = manifest.text()
        _write_durably(kept_path(self.root, manifest.generation), text)
        _write_durably(self.manifest_path, text)

    def settle(self, newest: Manifest, retention: Retention | None = None) -> Settled:
        """Point the stable paths at the newest files, and delete the generations that are no longer kept.

        If a writer dies before this, the next one does it.
        """
        self.discard(newest)  # files that the writer has made and replaced itself
        try:
            moved = point_links(self.root, newest)
        finally:
            # Even if the disk is too full for the links: this makes room for them.
            collected = collect(self.root, newest, retention or self._retention)
        return Settled(moved, collected)

    def adopt(self, manifest: Manifest, made: Iterable[Path]) -> None:
        """Make a generation of another store the newest one here, and delete nothing."""
        self.publish(manifest, made)
        self.discard(manifest)
        point_links(self.root, manifest)
        self.clean()

    def list_cautions(self) -> list[str]:
        """Return what the writer should know about who can read the store, one line each."""
        return list_cautions(self.root)

    def _relative(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()

    def _newest_text(self) -> bytes | None:
        """Return the text of the newest manifest, or None if there is no such file."""
        try:
            return read_replaced_file(self.manifest_path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise StoreError(f"{self.manifest_path}: cannot be read: {error.strerror}") from None

    def _other_files(self) -> bool:
        """Return whether the directory has files of a store that no writer is about to publish, or was when it died."""
        there = {self._relative(path) for folder in (self._files, self._manifests) for path in _walk(folder)}
        # A writer may have ended since, and its list with it: its files are then gone, or published.
        return any((self.root / name).exists() for name in there - self._unpublished.read())

    def _way_back(self) -> str:
        found = newest_intact(self.root)
        if found is None:
            return "no generation of manifests/ is complete; restore the directory from a backup"
        written = f"{datetime.fromisoformat(found.created_at):%Y-%m-%d %H:%M}"
        return (
            f"the newest generation that is complete is {found.generation} of {written} UTC; to go back to it: "
            f"{rollback(found)}"
        )


def _walk(folder: Path) -> Iterator[Path]:
    """Yield the files below a folder."""
    for where, _folders, names in os.walk(folder):
        for name in names:
            yield Path(where, name)


def _write_durably(path: Path, text: bytes) -> None:
    """Replace a small file so that it is either the old or the new one, whatever happens."""
    new = path.with_name(f".{path.name}{_NEXT}")
    try:
        new.write_bytes(text)
        sync_file(new)
        replace_file(new, path)
    except OSError:
        new.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)
