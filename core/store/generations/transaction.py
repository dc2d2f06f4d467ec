"""A change of the store: new files are made, then published all at once."""

import logging
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from core.store.generations.integrity.checksums import with_checksums
from core.store.generations.integrity.damage import Damage, damaged, files_by_table, find_problem
from core.store.generations.layout import Layout, layout_named
from core.store.generations.manifest import BY_GROUP, FORMAT, DataFile, Manifest, StoreError
from core.store.generations.store_directory import StoreDirectory
from core.store.parquet.writer import DEFAULT_SIZES, FileSizes, write_table
from core.store.schema.lookups import LOOKUP
from core.store.schema.tables import FACT_RATE, TABLES

_LOG = logging.getLogger(__name__)


class Transaction:
    """A change of the store: new files are written, then published all at once."""

    def __init__(
        self, directory: StoreDirectory, base: Manifest, sizes: FileSizes = DEFAULT_SIZES, command: str = ""
    ) -> None:
        self.base = base
        self.sizes = sizes
        self.root = directory.root
        self.work = directory.work
        self.generation = directory.next_generation(base.generation)
        self._directory = directory
        self._layout = base.layout
        self._tables = dict(base.tables)
        self._rejects = dict(base.rejects)
        self._made: list[Path] = []
        self._format = FORMAT
        self._command = command
        self._read: set[DataFile] = set()

    @property
    def layout(self) -> Layout:
        """Return the layout of the facts."""
        return layout_named(self._layout)

    def relayout(self, layout: Layout, kept: Iterable[DataFile]) -> None:
        """Give the facts another layout and remove all their files except those `kept`."""
        self._layout = layout.name
        self._tables[FACT_RATE.name] = tuple(kept)

    def files(self, table: str, shard: str | None = None) -> tuple[DataFile, ...]:
        """Return a table's files, or those of one shard, including the changes of this transaction so far."""
        return tuple(file for file in self._tables.get(table, ()) if shard is None or file.shard == shard)

    def paths(self, table: str) -> list[str]:
        """Return the absolute paths of a table's files as they were before this transaction."""
        return [self.path(file) for file in self.base.tables.get(table, ())]

    def path(self, file: DataFile) -> str:
        """Return the absolute path of a file, to read it."""
        self._read.add(file)
        return self._directory.path(file)

    def new_file(self, name: str, shard: str = "") -> Path:
        """Return the path for a new file of a table's shard. `name` is the table's, or says what else the file is."""
        path = self._directory.new_file(f"{name}/{shard}/{name}" if shard else name, self.generation)
        self._made.append(path)
        return path

    def put(self, table: str, path: Path, rows: int, shard: str = "") -> None:
        """Make a file of this transaction the only file of a table, or of a shard of it."""
        self.replace(table, self.files(table, shard), path, rows, shard)

    def replace(
        self, table: str, old: Iterable[DataFile], path: Path | None = None, rows: int = 0, shard: str = ""
    ) -> None:
        """Remove `old` files from a table and add a file of this transaction, if one is given."""
        gone = set(old)
        files = [file for file in self._tables.get(table, ()) if file not in gone]
        if path is not None:
            files.append(self._directory.data_file(path, rows, shard))
        self._tables[table] = tuple(sorted(files, key=lambda file: (file.shard, file.path)))

    def replace_same_rows(self, table: str, old: DataFile, path: Path, rows: int) -> None:
        """Put a file of this transaction in place of one with the same facts. A copy of the old file stays in use."""
        copy = self.base.copies([old]).get(old)
        self.replace(table, [old], path, rows, old.shard)
        if copy is not None:
            new = self._directory.data_file(path, rows, old.shard)
            copies = [file for file in self.files(BY_GROUP) if file != copy]
            self._tables[BY_GROUP] = (*copies, replace(copy, shard=new.copy_shard))

    def put_rejects(self, batch_id: str, path: Path, rows: int) -> None:
        """Make a file of this transaction the rejects of a batch."""
        self._rejects[batch_id] = self._directory.data_file(path, rows, "")

    def drop_rejects(self, batch_id: str) -> None:
        """Remove the rejects of a batch, if it has any."""
        self._rejects.pop(batch_id, None)

    def new_file_like(self, file: DataFile) -> Path:
        """Return the path for a copy of a file of another store: its own path here, if that is free."""
        path = self._directory.new_file_like(file, self.generation)
        self._made.append(path)
        return path

    def become(self, manifest: Manifest) -> None:
        """Take the files of another generation, whatever its format, in place of all files."""
        self._layout, self._format = manifest.layout, manifest.format
        self._tables, self._rejects = dict(manifest.tables), dict(manifest.rejects)

    def commit(self) -> Manifest:
        """Publish the transaction's files. Tables of one file that have none get an empty one. Return the manifest."""
        for name, table in TABLES.items():
            one_file = not (self.layout.by if table is FACT_RATE else table.sharded)
            # A generation of an older format gets its new tables when it is upgraded.
            if one_file and not self._tables.get(name) and table.since <= self._format:
                path = self.new_file(name)
                self.put(name, path, write_table(path, table, [table.arrow.empty_table()]))
        # A copy by provider group belongs to one file. It goes when that file goes.
        copied = {file.copy_shard for file in self.files(FACT_RATE.name)}
        self._tables[BY_GROUP] = tuple(file for file in self.files(BY_GROUP) if file.shard in copied)
        if self.files(LOOKUP):
            self._tables[LOOKUP] = replace(self.base, tables=self._tables).current_lookups
        manifest = replace(
            self.base,
            generation=self.generation,
            created_at=datetime.now(UTC).isoformat(),
            layout=self._layout,
            tables=self._tables,
            rejects=self._rejects,
            format=self._format,
            command=self._command,
        )
        manifest = self._seal(manifest)
        self._directory.publish(manifest, self._made)
        try:
            self._directory.settle(manifest)
        except OSError as error:
            # The change has been published, so reporting a failure would be wrong. The next writer settles the rest.
            _LOG.warning("%s: the links in gold/ and silver/ are not up to date yet: %s", self.root, error.strerror)
        return manifest

    def _seal(self, manifest: Manifest) -> Manifest:
        """Return the manifest with the checksums of its new files.

        Raises DamagedFileError if a file whose rows have been read into a new one is not as it was written: the new
        file's checksum would pronounce the damage sound.
        """
        kept = {file.path for file in manifest.files}
        for table, file in files_by_table(self.base):
            if file in self._read and file.path not in kept:
                problem = find_problem(self.root, file)
                if problem:
                    raise damaged(self.root, Damage(table, file.path, problem))
        return with_checksums(self.root, manifest)

    def clean(self) -> None:
        """Remove the new files, unless they were published, and the working directory."""
        # The manifest decides, not how far `commit` got: it may have been stopped just after publishing.
        try:
            newest = self._directory.manifest()
        except StoreError:
            return  # it was damaged before; the next writer that can read it removes the files
        self._directory.discard(newest)
        self._directory.clean()
