"""Merge the many small files that additions to a partitioned layout leave, and the sorted runs within files."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from core.runtime.progress import Progress
from core.store.changes.sorted_facts import merge_facts, periods_of
from core.store.generations.layout import layout_named
from core.store.generations.manifest import DataFile, Manifest, StoreError
from core.store.generations.store import Store, Transaction
from core.store.parquet.row_group_bounds import bounds, find_runs
from core.store.parquet.writer import write_table
from core.store.schema.tables import FACT_RATE

SMALL_BYTES = 64 << 20
"""Files below this size, some 2.5 million facts, are merged. Larger ones are worth their footer and stay."""

MIN_SMALL_FILES = 8
"""A shard is compacted from this number of small files on, because a query opens every one of them."""


@dataclass(frozen=True)
class CrowdedShard:
    """A shard with files that should become one sorted file, and the reason."""

    shard: str
    files: tuple[DataFile, ...]
    why: str

    @property
    def rows(self) -> int:
        """Return the number of facts in those files."""
        return sum(file.rows for file in self.files)

    @property
    def bytes(self) -> int:
        """Return the size of those files."""
        return sum(file.bytes for file in self.files)


def find_crowded_shards(
    manifest: Manifest,
    *,
    every: bool = False,
    min_small_files: int = MIN_SMALL_FILES,
    small_bytes: int = SMALL_BYTES,
) -> list[CrowdedShard]:
    """Return the shards with many small files, or with `every` all shards of more than one file."""
    if not layout_named(manifest.layout).grows:
        return []
    shards: dict[str, list[DataFile]] = {}
    for file in manifest.tables.get(FACT_RATE.name, ()):
        shards.setdefault(file.shard, []).append(file)
    found = []
    for shard, files in shards.items():
        small = [file for file in files if file.bytes < small_bytes]
        if every and len(files) > 1:
            found.append(CrowdedShard(shard, tuple(files), "asked for"))
        elif len(small) >= min_small_files:
            why = f"{min_small_files} or more of its files are under {small_bytes >> 20} MB"
            found.append(CrowdedShard(shard, tuple(small), why))
    return found


def find_unsorted_shards(store: Store) -> list[CrowdedShard]:
    """Return the shards of one file that consists of several sorted runs."""
    manifest, found = store.loaded(), []
    if not layout_named(manifest.layout).grows:
        for file in manifest.tables.get(FACT_RATE.name, ()):
            runs = len(find_runs(bounds(Path(store.directory.path(file)), FACT_RATE.order)))
            if runs > 1:
                found.append(CrowdedShard(file.shard, (file,), f"{runs} sorted runs beside each other"))
    return found


def compact(
    store: Store,
    *,
    every: bool = False,
    progress: Progress | None = None,
    min_small_files: int = MIN_SMALL_FILES,
    small_bytes: int = SMALL_BYTES,
) -> list[CrowdedShard]:
    """Merge the files of each crowded shard into one sorted file, all in one generation. Return what was merged.

    `progress` gets the rows written so far and the rows in all. Raises StoreError; the store is then as it was.
    """
    store.loaded()
    with store.write() as transaction:
        todo = find_crowded_shards(
            transaction.base, every=every, min_small_files=min_small_files, small_bytes=small_bytes
        ) + find_unsorted_shards(store)
        rows, done = sum(one.rows for one in todo), 0
        for one in todo:
            path = transaction.new_file(FACT_RATE.name, one.shard)
            written = write_table(path, FACT_RATE, _merge(transaction, one), transaction.sizes.row_group_rows)
            if written != one.rows:
                raise StoreError(
                    f"{store.root}: {written:,} facts of {one.shard} would have come out where {one.rows:,} went in; "
                    "the store is as it was; run dq_check"
                )
            if len(one.files) == 1:
                transaction.replace_same_rows(FACT_RATE.name, one.files[0], path, written)
            else:
                transaction.replace(FACT_RATE.name, one.files, path, written, one.shard)
            done += written
            if progress:
                progress(done, rows)
        if todo:
            transaction.commit()
        return todo


def _merge(transaction: Transaction, crowded: CrowdedShard) -> Iterator[pa.Table]:
    for period, paths in periods_of(map(transaction.path, crowded.files)).items():
        yield from merge_facts(paths, period, transaction.work, transaction.sizes)
