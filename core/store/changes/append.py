"""Add new facts to the sorted files of the store.

Row groups that no new row falls into are copied byte for byte. Only the row groups that new rows fall into are read,
merged and written again, a few at a time, by the worker processes.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from core.runtime.files import delete_file
from core.runtime.workers import SingleProcess, Workers, WorkerState, give_back_memory
from core.store.changes.segment import Segment, SortKey
from core.store.generations.layout import StateMonth
from core.store.generations.store import Transaction
from core.store.parquet.arrow_dictionaries import joined, sort_key
from core.store.parquet.row_group_bounds import bounds, row_groups_to_rewrite
from core.store.parquet.row_group_copier import RowGroupCopier, read_footer
from core.store.parquet.writer import write_table
from core.store.schema.tables import FACT_RATE

ROW_GROUPS_PER_TASK = 2
"""Row groups that a worker merges with new rows at a time. A process needs some 100 MB for each."""


def append_segments(
    transaction: Transaction, period: StateMonth, segments: Iterable[Segment], workers: Workers
) -> None:
    """Add facts of one state and month to their shard. The store must have none of their fact_uids.

    Segments come in order, and their files are deleted. A new file with all rows replaces the shard's one file; in a
    layout that grows, the new rows become one more file of the shard. Without segments nothing happens.
    """
    coming = iter(segments)
    first = next(coming, None)
    if first is None:
        return
    shard = transaction.layout.shard(period)
    old = () if transaction.layout.grows else transaction.files(FACT_RATE.name, shard)
    path = transaction.new_file(FACT_RATE.name, shard)
    paths = [Path(transaction.path(file)) for file in old if file.rows]
    footer = read_footer(paths[0]) if paths else None
    with RowGroupCopier(path) as copier:
        for stretch in _stretches(paths, first, coming, transaction, workers):
            copier.add(stretch.path, stretch.first, stretch.end, None if stretch.temporary else footer)
            if stretch.temporary:
                delete_file(stretch.path)
        rows = copier.finish()
    transaction.replace(FACT_RATE.name, old, path, rows, shard)


def append_facts(transaction: Transaction, period: StateMonth, blocks: Iterator[pa.Table]) -> None:
    """Add facts given as sorted blocks with the fact's columns, as `append_segments` does."""
    path = transaction.work / "appended.parquet"
    rows = write_table(path, FACT_RATE, blocks)
    if rows:
        append_segments(transaction, period, [segment_of(path, rows)], SingleProcess())


def segment_of(path: Path, rows: int) -> Segment:
    """Return a file of sorted facts as a segment."""
    keys: list[SortKey] = []
    ends: list[int] = []
    done = 0
    with pq.ParquetFile(path, read_dictionary=FACT_RATE.dictionary_columns) as file:
        for group in range(file.num_row_groups):
            for key, end in _keys_of(file.read_row_group(group, columns=list(FACT_RATE.order))):
                if keys and keys[-1] == key:
                    ends[-1] = done + end
                else:
                    keys.append(key)
                    ends.append(done + end)
            done += file.metadata.row_group(group).num_rows
    return Segment(path, rows, keys, np.array(ends, np.int64))


def _keys_of(table: pa.Table) -> Iterator[tuple[SortKey, int]]:
    """Yield the distinct keys of a sorted table, each with the row at which its rows end."""
    key = sort_key(table, FACT_RATE.order)
    ends = [*(np.flatnonzero(np.diff(key)) + 1).tolist(), table.num_rows]
    rows = table.take(pa.array([end - 1 for end in ends])).to_pylist()
    for row, end in zip(rows, ends, strict=True):
        yield tuple(row[name] for name in FACT_RATE.order), end


@dataclass(frozen=True)
class _Stretch:
    """The row groups of a file from `first` up to, not including, `end` (None: all the rest).

    A `temporary` file is deleted when they have been copied.
    """

    path: Path
    first: int = 0
    end: int | None = None
    temporary: bool = False


def _stretches(
    old: Sequence[Path], first: Segment, coming: Iterator[Segment], transaction: Transaction, workers: Workers
) -> Iterator[_Stretch]:
    """Yield what the new file consists of, in order."""
    if not old:
        for segment in (first, *coming):
            yield _Stretch(segment.path, temporary=True)
        return
    (path,) = old
    segments = [first, *coming]
    rows = sum(segment.rows for segment in segments)
    rewritten = row_groups_to_rewrite(
        bounds(path, FACT_RATE.order),
        segments[0].keys[0],
        segments[-1].keys[-1],
        rows,
        transaction.sizes.row_group_rows,
    )
    yield _Stretch(path, 0, rewritten.start)
    if not rewritten:
        for segment in segments:
            yield _Stretch(segment.path, temporary=True)
    else:
        yield from _merged(path, rewritten, segments, transaction, workers)
    yield _Stretch(path, rewritten.stop)


def _merged(
    path: Path, groups: range, segments: list[Segment], transaction: Transaction, workers: Workers
) -> Iterator[_Stretch]:
    """Yield row groups of the old file merged with all new rows."""
    # Each task takes the new rows from its first old key up to the first old key of the next task, so every new row
    # belongs to exactly one task and the tasks' files follow one another in order.
    firsts = _first_keys(path, groups[::ROW_GROUPS_PER_TASK])
    tasks: list[_MergeTask | _Stretch] = []
    for number, start in enumerate(groups[::ROW_GROUPS_PER_TASK]):
        low = firsts[number] if number else None
        high = firsts[number + 1] if number + 1 < len(firsts) else None
        rows = tuple(_slices_between(segments, low, high))
        end = min(start + ROW_GROUPS_PER_TASK, groups.stop)
        to = transaction.work / f"merged-{number:06}.parquet"
        group_rows = transaction.sizes.row_group_rows
        tasks.append(_MergeTask(path, start, end, rows, to, group_rows) if rows else _Stretch(path, start, end))
    done = workers.map(_merge, ((task,) for task in tasks if isinstance(task, _MergeTask)))
    for task in tasks:
        yield _Stretch(next(done), temporary=True) if isinstance(task, _MergeTask) else task
    for segment in segments:
        delete_file(segment.path)


def _slices_between(segments: list[Segment], low: SortKey | None, high: SortKey | None) -> Iterator["_SegmentSlice"]:
    """Yield the rows of segments from key `low` up to, not including, `high`."""
    for segment in segments:
        start = segment.rows_before(low) if low else 0
        end = segment.rows_before(high) if high else segment.rows
        if start < end:
            yield _SegmentSlice(segment.path, start, end)


@dataclass(frozen=True)
class _SegmentSlice:
    """The rows of a segment's file from `start` up to, not including, `end`."""

    path: Path
    start: int
    end: int


@dataclass(frozen=True)
class _MergeTask:
    """Row groups of the file `old` from `start` up to, not including, `end`, to be merged with new rows into `to`."""

    old: Path
    start: int
    end: int
    new: tuple[_SegmentSlice, ...]
    to: Path
    row_group_rows: int


def _merge(state: WorkerState, task: _MergeTask) -> Path:
    """Write the file of a task, in a worker process. Return its path."""
    with pq.ParquetFile(
        task.old, read_dictionary=FACT_RATE.dictionary_columns, page_checksum_verification=True
    ) as file:
        tables = [file.read_row_group(group) for group in range(task.start, task.end)]
    for part in task.new:
        tables.extend(_read_slice(state, part))
    table = joined(tables)
    del tables
    order = np.argsort(sort_key(table, FACT_RATE.order), kind="stable")
    # Row groups of even size, so that many small additions do not leave many small row groups.
    size = -(-len(order) // -(-len(order) // task.row_group_rows))
    blocks = (table.take(pa.array(order[n : n + size])) for n in range(0, len(order), size))
    write_table(task.to, FACT_RATE, blocks, size)
    del table, blocks
    give_back_memory()
    return task.to


def _read_slice(state: WorkerState, part: _SegmentSlice) -> Iterator[pa.Table]:
    """Yield the rows of a slice. The last row group stays in memory: the worker's next slice begins in it."""
    with pq.ParquetFile(part.path, read_dictionary=FACT_RATE.dictionary_columns) as file:
        at = 0
        for group in range(file.num_row_groups):
            rows = file.metadata.row_group(group).num_rows
            if part.start < at + rows and at < part.end:
                first = max(part.start - at, 0)
                if state.get("row_group") != (part.path, group):
                    state["row_group"], state["rows"] = (part.path, group), file.read_row_group(group)
                yield state["rows"].slice(first, min(part.end - at, rows) - first)
            at += rows


def _first_keys(path: Path, groups: Iterable[int]) -> list[SortKey]:
    """Return the key of the first row of each of the given row groups."""
    with pq.ParquetFile(path) as file:
        rows = [
            file.read_row_group(group, columns=list(FACT_RATE.order)).slice(0, 1).to_pylist()[0] for group in groups
        ]
    return [tuple(row[name] for name in FACT_RATE.order) for row in rows]
