"""Merges the many small files that adding to a partitioned layout leaves."""

from collections.abc import Callable
from dataclasses import dataclass

from core.store.changes.sorted_facts import merge_facts
from core.store.generations.layout import layout_named, parts
from core.store.generations.manifest import DataFile, Manifest, StoreError
from core.store.generations.store import Store
from core.store.parquet.writer import write_table
from core.store.schema.tables import FACT_RATE

SMALL_BYTES = 64 << 20
"""A file below this is small: some 2.5 million facts. Larger ones are worth their footer and stay as they are."""

MANY_FILES = 8
"""So many small files of one shard are too many: a question opens every one of them."""


@dataclass(frozen=True)
class Crowded:
    """A shard with files that should be one, and why."""

    shard: str
    files: tuple[DataFile, ...]
    why: str

    @property
    def rows(self) -> int:
        """Facts in those files."""
        return sum(file.rows for file in self.files)

    @property
    def bytes(self) -> int:
        """Bytes of those files."""
        return sum(file.bytes for file in self.files)


def crowded(manifest: Manifest, *, every: bool = False) -> list[Crowded]:
    """The shards that need compacting: those with many small files, or with `every` all that are more than one file."""
    if not layout_named(manifest.layout).grows:
        return []
    shards: dict[str, list[DataFile]] = {}
    for file in manifest.tables.get(FACT_RATE.name, ()):
        shards.setdefault(file.shard, []).append(file)
    found = []
    for shard, files in shards.items():
        small = [file for file in files if file.bytes < SMALL_BYTES]
        if every and len(files) > 1:
            found.append(Crowded(shard, tuple(files), "asked for"))
        elif len(small) >= MANY_FILES:
            why = f"{MANY_FILES} or more of its files are under {SMALL_BYTES >> 20} MB"
            found.append(Crowded(shard, tuple(small), why))
    return found


def compact(store: Store, *, every: bool = False, progress: Callable[[int, int], None] | None = None) -> list[Crowded]:
    """Merges the files of each crowded shard into one sorted file, all in one generation; gives what was merged.

    `progress` is told rows written and rows in all. Raises StoreError; the store is then as it was.
    """
    store.loaded()
    with store.write() as transaction:
        todo = crowded(transaction.base, every=every)
        rows, done = sum(one.rows for one in todo), 0
        for one in todo:
            period = parts(one.shard)
            paths = [transaction.path(file) for file in one.files]
            path = transaction.new_file(FACT_RATE.name, one.shard)
            blocks = merge_facts(paths, (period["state"], period["year_month"]), transaction.work)
            written = write_table(path, FACT_RATE, blocks)
            if written != one.rows:
                raise StoreError(
                    f"{store.root}: {written:,} facts of {one.shard} would have come out where {one.rows:,} went in; "
                    "the store is as it was; run dq_check"
                )
            transaction.replace(FACT_RATE.name, one.files, path, written, one.shard)
            done += written
            if progress:
                progress(done, rows)
        if todo:
            transaction.commit()
        return todo
