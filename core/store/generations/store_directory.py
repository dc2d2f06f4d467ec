"""The directory of a store: its paths, its lock, and how a generation becomes the newest.

    manifest.json            names the newest generation's files; replaced atomically, as the last step
    manifests/<n>.json       the manifests that may still be read, one per generation
    files/                   the tables' files, each named by the generation that wrote it, never changed
    gold/ silver/            links that always open the newest files of a table, see stable_links.py
    links/                   the folders of links that a partitioned table is opened by
    tmp/                     the writer's temporary files; emptied by the next writer

The rest of the program knows a file only by the `DataFile` in a manifest and by the path that `new_file` returned. To
keep a store elsewhere (object storage, a lock for several machines), write another class with the public methods of
`StoreDirectory`. Its `publish` is the one step that must be atomic; `settle` may run at any time, any number of times.
"""

import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import count
from pathlib import Path

from filelock import FileLock, Timeout

from core.store.generations.manifest import DataFile, Manifest, StoreError, read_manifest
from core.store.generations.stable_links import point_links

_NEXT = ".next"
"""The ending of a small file's name while it is being written."""


class StoreDirectory:
    """The directory of a store. It need not exist until something is written."""

    def __init__(self, root: Path, grace: float) -> None:
        self.root = root
        self.manifest_path = root / "manifest.json"
        self.work = root / "tmp"
        self._files = root / "files"
        self._manifests = root / "manifests"
        self._grace = grace

    # --- for readers ------------------------------------------------------------------------------------------

    def manifest(self) -> Manifest | None:
        """Return the newest generation, or None if nothing has been loaded yet. Raises StoreError."""
        try:
            text = self.manifest_path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise StoreError(f"{self.manifest_path}: cannot be read: {error.strerror}") from None
        return read_manifest(text, self.manifest_path)

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

        Waits up to `wait` seconds (-1: as long as it takes); `waiting` is called once if so. Raises StoreError.
        """
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
            yield
        finally:
            lock.release()

    def prepare(self) -> None:
        """Finish or remove what a killed writer has left, and make an empty working directory."""
        for folder in (self.root, self._manifests):
            for path in folder.glob(f".*{_NEXT}"):
                path.unlink()
        newest = self.manifest()
        if newest:
            self.settle(newest)
        else:
            for path in (self._files, self._manifests):
                shutil.rmtree(path, ignore_errors=True)
        self.clean()
        self.work.mkdir()
        self._files.mkdir(exist_ok=True)

    def clean(self) -> None:
        """Remove the working directory."""
        shutil.rmtree(self.work, ignore_errors=True)

    def new_file(self, name: str, generation: int) -> Path:
        """Return the path of a new file. `name` says what it contains and may have folders."""
        first = self._files / f"{name}.{generation:06}.parquet"
        first.parent.mkdir(parents=True, exist_ok=True)
        for number in count(1):
            path = first if number == 1 else first.with_name(f"{first.stem}-{number}.parquet")
            try:
                path.touch(exist_ok=False)  # reserves the name
            except FileExistsError:
                continue
            return path
        raise AssertionError

    def data_file(self, path: Path, rows: int, shard: str) -> DataFile:
        """Return a written file as a manifest names it."""
        return DataFile(str(path.relative_to(self.root)), rows, path.stat().st_size, shard)

    def discard(self, paths: Iterable[Path], generation: int) -> None:
        """Remove the new files of a generation that will not be published."""
        for path in (*paths, self._kept(generation)):
            path.unlink(missing_ok=True)
        _remove_empty_folders(self._files)

    def publish(self, manifest: Manifest, made: Iterable[Path]) -> None:
        """Make a manifest the newest one, after the files that were `made` for it are safely on disk."""
        # A file survives a power cut only if it and every new folder above it are synced. All of that comes before the
        # manifest names the file, so a manifest never names a file that is not there.
        folders = {self._files}
        for path in made:
            if path.exists():
                _sync(path)
                folders.update(folder for folder in path.parents if self._files in folder.parents)
        for folder in sorted(folders, reverse=True):
            _sync(folder)
        self._manifests.mkdir(exist_ok=True)
        # The copy comes first: the newest manifest must be in manifests/ when the next generation replaces it.
        _write_durably(self._kept(manifest.generation), manifest.text())
        _write_durably(self.manifest_path, manifest.text())

    def settle(self, newest: Manifest) -> None:
        """Point the stable paths at the newest files, and delete files that no generation in the grace time needs.

        If a writer dies before this, the next one does it.
        """
        try:
            point_links(self.root, newest)
        finally:
            self._collect(newest)  # even if the disk is too full for the links: this makes room for them

    def _kept(self, generation: int) -> Path:
        return self._manifests / f"{generation:06}.json"

    def _collect(self, newest: Manifest) -> None:
        """Delete the manifests of generations beyond the grace time, and the files that only they need."""
        kept = {file.path for file in newest.files}
        superseded_at = datetime.fromisoformat(newest.created_at).timestamp()
        for path in sorted(self._manifests.glob("*.json"), reverse=True):
            manifest = read_manifest(path.read_bytes(), path)
            if manifest.generation == newest.generation:
                continue
            if manifest.generation > newest.generation or superseded_at < time.time() - self._grace:
                path.unlink()
                continue
            kept.update(file.path for file in manifest.files)
            superseded_at = datetime.fromisoformat(manifest.created_at).timestamp()
        for path in list(self._files.rglob("*")):
            if not path.is_dir() and str(path.relative_to(self.root)) not in kept:
                path.unlink()
        _remove_empty_folders(self._files)


def _remove_empty_folders(folder: Path) -> None:
    """Remove the empty folders below a folder."""
    for path, _, _ in os.walk(folder, topdown=False):
        if path != str(folder) and not any(Path(path).iterdir()):
            Path(path).rmdir()


def _write_durably(path: Path, text: bytes) -> None:
    """Replace a small file so that it is either the old or the new one, whatever happens."""
    new = path.with_name(f".{path.name}{_NEXT}")
    try:
        with new.open("wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except OSError:
        new.unlink(missing_ok=True)
        raise
    _sync(path.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
