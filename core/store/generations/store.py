"""The store: immutable files behind one manifest, one writer at a time, readers never disturbed.

A reader takes the manifest once and sees one generation of every table for as long as it likes (up to the grace time,
after which files of older generations are deleted). A writer makes new files in a transaction and publishes them all
at once. Only `store_directory.py` knows where and how all of it is kept.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import duckdb
import polars as pl

from core.runtime.progress import Progress
from core.store.generations.integrity.damage import expect_whole, explain_damage
from core.store.generations.manifest import DataFile, Manifest, StoreError
from core.store.generations.retention.rules import Retention
from core.store.generations.store_directory import StoreDirectory
from core.store.generations.transaction import Transaction
from core.store.generations.upgrade import Upgraded, upgrade_files
from core.store.parquet.writer import DEFAULT_SIZES, FileSizes

__all__ = ["DataFile", "Manifest", "Store", "StoreError", "Transaction"]


class Store:
    """The store in one directory, which need not exist until something is written.

    `layout` is for a new store; an existing one keeps its own. Superseded generations are kept for `grace` seconds, and
    longer as `keep_generations` and `keep_days` say, see retention/rules.py. `wait` and `waiting` are the defaults of
    `write`. `command` is recorded as what wrote a generation.
    """

    def __init__(
        self,
        root: Path,
        layout: str = "single",
        grace: float = 3600,
        wait: float = -1,
        waiting: Callable[[], None] | None = None,
        sizes: FileSizes = DEFAULT_SIZES,
        keep_generations: int = 0,
        keep_days: int = 0,
        command: str = "",
    ) -> None:
        self.root = root
        self.sizes = sizes
        self.directory = StoreDirectory(root, Retention(grace, keep_generations, keep_days))
        self._command = command
        self._layout = layout
        self._wait = wait
        self._waiting = waiting

    @property
    def manifest_path(self) -> Path:
        """Return the path of the newest manifest."""
        return self.directory.manifest_path

    def manifest(self) -> Manifest | None:
        """Return the newest generation, or None if nothing has been loaded yet. Raises StoreError."""
        return self.directory.manifest()

    def loaded(self) -> Manifest:
        """Return the newest generation. Raises StoreError if nothing has been loaded yet."""
        manifest = self.manifest()
        if manifest is None:
            raise StoreError(f"{self.root}: nothing is loaded yet; load a file with ingest_mrf first")
        return manifest

    def paths(self, table: str) -> list[str]:
        """Return the absolute paths of a table's files in the newest generation."""
        manifest = self.manifest()
        return manifest.paths(self.root, table) if manifest else []

    @contextmanager
    def read(self) -> Iterator[Manifest]:
        """Yield the newest generation. Raises StoreError, also for a damaged file that the block fails to read."""
        manifest = self.loaded()
        expect_whole(self.root, manifest)
        with explain_damage(self.root, manifest):
            yield manifest

    @contextmanager
    def write(self, wait: float | None = None, waiting: Callable[[], None] | None = None) -> Iterator[Transaction]:
        """Open the one writer's transaction. Leaving it without `commit` leaves the data as it was.

        Waits up to `wait` seconds (-1: as long as it takes) for another writer; `waiting` is called once if so. A store
        of an older format is upgraded first, in a generation of its own. Raises StoreError if the directory cannot be
        written or another writer holds it.
        """
        with self.locked(wait, waiting):
            self._expect_whole()
            self._upgrade(None)
            with self._transaction(self._command) as transaction:
                yield transaction

    @contextmanager
    def write_over(self, newer_than: int = 0) -> Iterator[Transaction]:
        """Open a transaction that replaces all content, so that the newest generation may be damaged or missing.

        The new generation has a number above `newer_than`. Waits and raises StoreError as `write` does.
        """
        with self.locked():
            self.directory.prepare_over()
            base = self.directory.readable_manifest() or Manifest(0, "", self._layout, {})
            base = replace(base, generation=max(base.generation, newer_than))
            with self._open(base, self._command) as transaction:
                yield transaction

    def upgrade(self, progress: Progress | None = None) -> Upgraded | None:
        """Bring a store of an older format to this program's format, all of it or nothing.

        Returns what was done, or None if the store has this format already. `progress` gets the facts written so far
        and the facts in all. Raises StoreError if nothing is loaded yet, and as `write` does.
        """
        self.loaded()
        with self.locked():
            self._expect_whole()
            return self._upgrade(progress)

    def _expect_whole(self) -> None:
        manifest = self.manifest()
        if manifest:
            expect_whole(self.root, manifest)

    def _upgrade(self, progress: Progress | None) -> Upgraded | None:
        manifest = self.manifest()
        if manifest is None or not manifest.is_older:
            return None
        with self._transaction("upgrade") as transaction:
            done = upgrade_files(transaction, progress)
            transaction.commit()
        return done

    @contextmanager
    def locked(self, wait: float | None = None, waiting: Callable[[], None] | None = None) -> Iterator[None]:
        """Keep other writers out, and turn errors of the system into one clear line."""
        wait, waiting = self._wait if wait is None else wait, waiting or self._waiting
        with self.directory.lock(wait, waiting), _plain_errors(self.root):
            yield

    @contextmanager
    def _transaction(self, command: str) -> Iterator[Transaction]:
        with explain_damage(self.root):
            self.directory.prepare()
            base = self.manifest() or Manifest(0, "", self._layout, {})
            with self._open(base, command) as transaction:
                yield transaction

    @contextmanager
    def _open(self, base: Manifest, command: str) -> Iterator[Transaction]:
        transaction = Transaction(self.directory, base, self.sizes, command)
        try:
            yield transaction
        finally:
            transaction.clean()


@contextmanager
def _plain_errors(root: Path) -> Iterator[None]:
    """Turn the errors of the system and the libraries about a disk that cannot be written into one clear line."""
    try:
        yield
    except (OSError, duckdb.IOException, pl.exceptions.ComputeError) as error:
        problem, advice = str(error), "make room there, or give the right to write"
        if isinstance(error, OSError) and error.strerror:
            problem = error.strerror
        elif not isinstance(error, OSError) and "os error" not in problem and "No space" not in problem:
            raise
        if "No space left" in problem or "temp directory" in problem:
            problem = "no space left on the disk"
            advice = "make room there (manage.py store prune deletes older generations)"
        raise StoreError(
            f"{root}: the change could not be written: {problem}; the store is as it was; {advice}, and run the "
            "command again"
        ) from error
    except duckdb.OutOfMemoryException as error:
        raise StoreError(f"{root}: not enough memory for the change; the store is as it was ({error})") from error
