"""The store on disk: immutable files behind one manifest, one writer at a time, readers never disturbed.

    manifest.json            names the newest generation's files; replaced atomically, last of all
    manifests/<n>.json       the manifests that may still be read, one per generation
    files/                   the tables' files, each named by the generation that wrote it, never changed
    gold/ silver/            links that always open the newest file of a table
    tmp/                     what the writer is working on; emptied by the next one

A reader takes the manifest once and sees one generation of every table for as long as it likes (up to the grace time
after which files of older generations are deleted).
"""

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import polars as pl
from filelock import FileLock, Timeout

from core.errors import BeaconError
from core.store.layout import Layout, layout_named
from core.store.parquet import write_table
from core.store.schema import TABLES

FORMAT = 1
"""The number of the store's format, so that an older program refuses a newer store."""


class StoreError(BeaconError):
    """The store cannot be read or written; nothing has changed."""


@dataclass(frozen=True)
class DataFile:
    """One file of a table: its path relative to the data directory, and its place in the layout."""

    path: str
    rows: int
    bytes: int
    shard: str = ""


@dataclass(frozen=True)
class Manifest:
    """One generation: the files of every table, and of the rejects by batch."""

    generation: int
    created_at: str
    layout: str
    tables: dict[str, tuple[DataFile, ...]]
    rejects: dict[str, DataFile] = field(default_factory=dict)

    def paths(self, root: Path, table: str) -> list[str]:
        """Absolute paths of a table's files."""
        return [str(root / file.path) for file in self.tables.get(table, ())]

    def rows(self, table: str) -> int:
        """How many rows a table has."""
        return sum(file.rows for file in self.tables.get(table, ()))

    @property
    def files(self) -> Iterator[DataFile]:
        """Every file of the generation."""
        for files in self.tables.values():
            yield from files
        yield from self.rejects.values()


class Store:
    """The store in one directory, which need not exist until something is written."""

    def __init__(self, root: Path, layout: str = "single", grace: float = 3600) -> None:
        self.root = root
        self._layout = layout
        self._grace = grace

    @property
    def manifest_path(self) -> Path:
        """Where the newest manifest stands."""
        return self.root / "manifest.json"

    def manifest(self) -> Manifest | None:
        """The newest generation, or None where nothing has been loaded yet. Raises StoreError."""
        try:
            text = self.manifest_path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise StoreError(f"{self.manifest_path}: cannot be read: {error.strerror}") from None
        return _read_manifest(text, self.manifest_path)

    @contextmanager
    def write(self, wait: float = -1, waiting: Callable[[], None] | None = None) -> Iterator["Transaction"]:
        """The one writer's transaction; leaving it without `commit` leaves the store as it was.

        Waits up to `wait` seconds (-1: as long as it takes) for another writer; `waiting` is called once if so.
        Raises StoreError where the directory cannot be written or another writer holds it.
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
            with _plain_errors(self.root):
                self._tidy()
                transaction = Transaction(self, self.manifest())
                try:
                    yield transaction
                finally:
                    transaction.clean()
        finally:
            lock.release()

    def new_layout(self) -> str:
        """The layout of a store that is about to be made."""
        return self._layout

    def publish(self, manifest: Manifest) -> None:
        """Makes a manifest the newest. Every file it names is safely on disk already."""
        text = json.dumps({"format": FORMAT, **asdict(manifest)}, indent=1).encode()
        kept = self._kept_manifest(manifest.generation)
        kept.parent.mkdir(exist_ok=True)
        _write_durably(kept, text)
        _write_durably(self.manifest_path, text)

    def settle(self, newest: Manifest) -> None:
        """Points the stable paths at the newest files and deletes what no generation within the grace time needs.

        A writer that dies before this leaves it to the next one.
        """
        self._link(newest)
        self._collect(newest)

    def _tidy(self) -> None:
        """Ends what a writer that died has begun."""
        newest = self.manifest()
        if newest:
            self.settle(newest)
        else:
            shutil.rmtree(self.root / "files", ignore_errors=True)
            shutil.rmtree(self.root / "manifests", ignore_errors=True)

    def _kept_manifest(self, generation: int) -> Path:
        return self.root / "manifests" / f"{generation:06}.json"

    def _link(self, manifest: Manifest) -> None:
        """Points the stable paths at the newest files."""
        layout = layout_named(manifest.layout)
        for name, files in manifest.tables.items():
            for file in files:
                link = layout.link(file.shard) if name == "fact_rate" else TABLES[name].path
                _relink(self.root / link, self.root / file.path)
        for batch_id, file in manifest.rejects.items():
            _relink(self.root / f"silver/rejects/{batch_id}.parquet", self.root / file.path)

    def _collect(self, newest: Manifest) -> None:
        """Deletes what only generations beyond the grace time need."""
        kept = {file.path for file in newest.files}
        superseded_at = datetime.fromisoformat(newest.created_at).timestamp()
        for path in sorted((self.root / "manifests").glob("*.json"), reverse=True):
            manifest = _read_manifest(path.read_bytes(), path)
            if manifest.generation == newest.generation:
                continue
            if manifest.generation > newest.generation or superseded_at < time.time() - self._grace:
                path.unlink()
                continue
            kept.update(file.path for file in manifest.files)
            superseded_at = datetime.fromisoformat(manifest.created_at).timestamp()
        for path in (self.root / "files").iterdir():
            if f"files/{path.name}" not in kept:
                path.unlink()


class Transaction:
    """One change of the store: new files are made, then published all at once."""

    def __init__(self, store: Store, base: Manifest | None) -> None:
        self.root = store.root
        self.base = base or Manifest(0, "", store.new_layout(), {})
        self.generation = self.base.generation + 1
        self._store = store
        self._tables = dict(self.base.tables)
        self._rejects = dict(self.base.rejects)
        self._made: list[Path] = []
        self._published = False
        self.work = self.root / "tmp"
        shutil.rmtree(self.work, ignore_errors=True)
        self.work.mkdir()
        (self.root / "files").mkdir(exist_ok=True)

    @property
    def layout(self) -> Layout:
        """The layout of the facts."""
        return layout_named(self.base.layout)

    def paths(self, table: str) -> list[str]:
        """Absolute paths of a table's files as they are before this transaction."""
        return self.base.paths(self.root, table)

    def new_file(self, name: str) -> Path:
        """The path for a new file; `name` tells what it holds."""
        path = self.root / "files" / f"{name}.{self.generation:06}.parquet"
        self._made.append(path)
        return path

    def put(self, table: str, path: Path, rows: int, shard: str = "") -> None:
        """Makes a file of this transaction the table's, or the shard's where the table has shards."""
        others = tuple(file for file in self._tables.get(table, ()) if file.shard != shard)
        files = (*others, self._data_file(path, rows, shard))
        self._tables[table] = tuple(sorted(files, key=lambda file: file.shard))

    def put_rejects(self, batch_id: str, path: Path, rows: int) -> None:
        """Makes a file of this transaction the rejects of a batch."""
        self._rejects[batch_id] = self._data_file(path, rows, "")

    def commit(self) -> Manifest:
        """Publishes the transaction's files, and an empty one for each table that has none yet."""
        for name, table in TABLES.items():
            if name not in self._tables:
                path = self.new_file(name)
                self.put(name, path, write_table(path, table, [table.arrow.empty_table()]))
        for path in self._made:
            if path.exists():
                _sync(path)
        _sync(self.root / "files")
        created_at = datetime.now(UTC).isoformat()
        manifest = replace(
            self.base, generation=self.generation, created_at=created_at, tables=self._tables, rejects=self._rejects
        )
        self._store.publish(manifest)
        self._published = True
        self._store.settle(manifest)
        return manifest

    def clean(self) -> None:
        """Removes the working directory, and the new files unless they were published."""
        shutil.rmtree(self.work, ignore_errors=True)
        if not self._published:
            for path in self._made:
                path.unlink(missing_ok=True)

    def _data_file(self, path: Path, rows: int, shard: str) -> DataFile:
        return DataFile(str(path.relative_to(self.root)), rows, path.stat().st_size, shard)


@contextmanager
def _plain_errors(root: Path) -> Iterator[None]:
    """Turns what the system and the libraries say of a disk that cannot be written into one clear line."""
    try:
        yield
    except (OSError, duckdb.IOException, pl.exceptions.ComputeError) as error:
        problem = str(error)
        if isinstance(error, OSError) and error.strerror:
            problem = error.strerror
        elif not isinstance(error, OSError) and "os error" not in problem and "No space" not in problem:
            raise
        if "No space left" in problem or "temp directory" in problem:
            problem = "no space left on the disk"
        raise StoreError(
            f"{root}: the change could not be written: {problem}; the store is as it was; make room there, or give the "
            "right to write, and run the command again"
        ) from error
    except duckdb.OutOfMemoryException as error:
        raise StoreError(f"{root}: not enough memory for the change; the store is as it was ({error})") from error


def _read_manifest(text: bytes, path: Path) -> Manifest:
    try:
        fields = json.loads(text)
        if fields.pop("format", FORMAT) != FORMAT:
            raise StoreError(f"{path}: written by a newer version of this program; use that version")
        tables = {name: tuple(DataFile(**file) for file in files) for name, files in fields.pop("tables").items()}
        rejects = {batch_id: DataFile(**file) for batch_id, file in fields.pop("rejects").items()}
        return Manifest(**fields, tables=tables, rejects=rejects)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise StoreError(f"{path}: not a manifest of this program ({error}); restore it from manifests/") from None


def _write_durably(path: Path, text: bytes) -> None:
    """Replaces a small file so that it is the old or the new one, whatever happens."""
    new = path.with_name(f".{path.name}.next")
    with new.open("wb") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    _sync(path.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _relink(link: Path, target: Path) -> None:
    wanted = os.path.relpath(target, link.parent)
    if link.is_symlink() and str(link.readlink()) == wanted:
        return
    link.parent.mkdir(parents=True, exist_ok=True)
    new = link.with_name(f".{link.name}.next")
    new.unlink(missing_ok=True)
    new.symlink_to(wanted)
    new.replace(link)
