"""Move the facts to another layout."""

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa

from core.runtime.progress import Progress
from core.store.changes.sorted_facts import merge_facts, periods_of
from core.store.generations.layout import Layout, StateMonth, layout_named
from core.store.generations.manifest import DataFile, StoreError
from core.store.generations.store import Store, Transaction
from core.store.parquet.writer import write_table
from core.store.schema.tables import FACT_RATE


@dataclass(frozen=True)
class Resharded:
    """What a reshard has done: the layouts and the numbers of files before and after. The rows stay the same."""

    before: str
    after: str
    rows: int
    files_before: int
    files_after: int


def reshard(store: Store, name: str, progress: Progress | None = None) -> Resharded:
    """Move every fact to the files of a layout. If the store has that layout already, nothing happens.

    Files that are the same in both layouts stay. Raises StoreError; the store is then as it was.
    """
    layout = layout_named(name)
    store.loaded()
    with store.write() as transaction:
        old = transaction.files(FACT_RATE.name)
        before, rows = transaction.layout, sum(file.rows for file in old)
        if before == layout:
            return Resharded(before.name, before.name, rows, len(old), len(old))
        kept = _files_that_stay(before, layout, old)
        transaction.relayout(layout, kept)
        _write_shards(transaction, layout, [file for file in old if file not in kept], progress)
        written = sum(file.rows for file in transaction.files(FACT_RATE.name))
        if written != rows:
            raise StoreError(
                f"{store.root}: {written:,} facts would have come out where {rows:,} went in; the store is as it was; "
                "run dq_check"
            )
        after = transaction.commit()
        return Resharded(before.name, layout.name, rows, len(old), len(after.tables[FACT_RATE.name]))


def _write_shards(transaction: Transaction, layout: Layout, old: list[DataFile], progress: Progress | None) -> None:
    periods = periods_of(transaction.path(file) for file in old)
    shards: dict[str, list[StateMonth]] = {}
    for period in periods:
        shards.setdefault(layout.shard(period), []).append(period)
    rows, done = sum(file.rows for file in old), 0

    def blocks(shard: str) -> Iterator[pa.Table]:
        nonlocal done
        for period in shards[shard]:
            for block in merge_facts(periods[period], period, transaction.work, transaction.sizes):
                yield block
                done += block.num_rows
                if progress:
                    progress(done, rows)

    for shard in shards:
        path = transaction.new_file(FACT_RATE.name, shard)
        rows_of_shard = write_table(path, FACT_RATE, blocks(shard), transaction.sizes.row_group_rows)
        transaction.replace(FACT_RATE.name, (), path, rows_of_shard, shard)


def _files_that_stay(before: Layout, after: Layout, files: tuple[DataFile, ...]) -> list[DataFile]:
    """Return the files that both layouts share: the shards must be the same, and one file each unless they may grow."""
    if before.by != after.by:
        return []
    shards = [file.shard for file in files]
    return [file for file in files if after.grows or shards.count(file.shard) == 1]
