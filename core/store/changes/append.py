"""Add new facts to the sorted files of the store.

Row groups that no new row falls into are copied byte for byte. Only the row groups that new rows fall into are read,
merged and written again, a few at a time, by the worker processes.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from core.runtime.files import delete_file
from core.runtime.worker_process import WorkerState
from core.runtime.workers import SingleProcess, Workers
from core.store.changes.segment import Segment, SortKey, segment_of
from core.store.generations.store import Transaction
from core.store.parquet.arrow_dictionaries import joined, sort_key
from core.store.parquet.row_group_bounds import bounds, row_groups_to_rewrite
from core.store.parquet.row_group_copier import RowGroupCopier, read_footer
from core.store.parquet.writer import write_table
from core.store.schema.tables import FACT_RATE

ROW_GROUPS_PER_TASK = 2
"""Row groups that a worker merges with new rows at a time. A process needs some 100 MB for each."""


def append_segments(transaction: Transaction, segments: Iterable[Segment], workers: Workers) -> None:
    """Add facts to the shards of their states and months. The store must have none of their fact_uids.

    Segments come in order, and their files are deleted. A new file with all rows replaces a shard's one file; in a
    layout that grows, the new rows become one more file of the shard. Without segments nothing happens.
    """
    for shard, coming in groupby(segments, lambda segment: transaction.layout.shard(segment.period)):
        _append_to_shard(transaction, shard, coming, workers)


def _append_to_shard(transaction: Transaction, shard: str, segments: Iterator[Segment], workers: Workers) -> None:
    old = () if transaction.layout.grows else transaction.files(FACT_RATE.name, shard)
    path = transaction.new_file(FACT_RATE.name, shard)
    paths = [Path(transaction.path(file)) for file in old if file.rows]
    footer = read_footer(paths[0]) if paths else None
    with RowGroupCopier(path) as copier:
        for stretch in _stretches(paths, segments, transaction, workers):
            copier.add(stretch.path, stretch.first, stretch.end, None if stretch.temporary else footer)
            if stretch.temporary:
                delete_file(stretch.path)
        rows = copier.finish()
    transaction.replace(FACT_RATE.name, old, path, rows, shard)


def append_facts(transaction: Transaction, blocks: Iterator[pa.Table]) -> None:
    """Add facts of one state and month, given as sorted blocks with the fact's columns, as `append_segments` does."""
    path = transaction.work / "appended.parquet"
    rows = write_table(path, FACT_RATE, blocks)
    if rows:
        append_segments(transaction, [segment_of(path, rows)], SingleProcess())


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
    old: Sequence[Path], coming: Iterator[Segment], transaction: Transaction, workers: Workers
) -> Iterator[_Stretch]:
    """Yield what the new file consists of, in order."""
    if not old:
        for segment in coming:
            yield _Stretch(segment.path, temporary=True)
        return
    (path,) = old
    segments = list(coming)
    rows = sum(segment.rows for segment in segments)
    rewritten = row_groups_to_rewrite(
        bounds(path, FACT_RATE.order), segments[0].first, segments[-1].last, rows, transaction.sizes.row_group_rows
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
    # belongs to exactly one task and the tasks' files follow one another in order. A whole segment between two tasks,
    # such as a state's between those of two others, is copied. Few rows are merged all the same: row groups stay large.
    starts = groups[::ROW_GROUPS_PER_TASK]
    ends = [min(start + ROW_GROUPS_PER_TASK, groups.stop) for start in starts]
    firsts, lasts = _ends_of_tasks(path, starts, ends)
    group_rows = transaction.sizes.row_group_rows
    merged: list[list[_SegmentSlice]] = [[] for _ in starts]
    copied: list[list[Segment]] = [[] for _ in range(len(starts) + 1)]
    for segment in segments:
        before = bisect_right(firsts, segment.first)
        after_old = not before or segment.first >= lasts[before - 1]
        if after_old and segment.rows >= group_rows // 2 and (before == len(firsts) or segment.last < firsts[before]):
            copied[before].append(segment)
        else:
            for number, part in _slices_of(segment, firsts):
                merged[number].append(part)
    tasks: list[_MergeTask | _Stretch] = [_Stretch(segment.path, temporary=True) for segment in copied[0]]
    for number, (start, end) in enumerate(zip(starts, ends, strict=True)):
        to, new = transaction.work / f"merged-{number:06}.parquet", tuple(merged[number])
        tasks.append(_MergeTask(path, start, end, new, to, group_rows) if new else _Stretch(path, start, end))
        tasks.extend(_Stretch(segment.path, temporary=True) for segment in copied[number + 1])
    done = workers.map(_merge, ((task,) for task in tasks if isinstance(task, _MergeTask)))
    for each in tasks:
        yield _Stretch(next(done), temporary=True) if isinstance(each, _MergeTask) else each
    for used in {part.path for parts in merged for part in parts}:
        delete_file(used)


def _slices_of(segment: Segment, firsts: list[SortKey]) -> Iterator[tuple[int, "_SegmentSlice"]]:
    """Yield the parts of a segment for each task, with its number. `firsts` are the first keys of the tasks."""
    keys = segment.read_keys()
    cuts = [0, *(keys.rows_before(key) for key in firsts[1:]), segment.rows]
    for number, (start, end) in enumerate(pairwise(cuts)):
        if start < end:
            yield number, _SegmentSlice(segment.path, start, end)


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
        # Every processor has a worker, so more threads would only wait for one another.
        tables = [file.read_row_group(group, use_threads=False) for group in range(task.start, task.end)]
    for part in task.new:
        tables.extend(_read_slice(state, part))
    table = joined(tables)
    del tables
    order = np.argsort(sort_key(table, FACT_RATE.order), kind="stable")
    # Row groups of even size, so that many small additions do not leave many small row groups.
    size = -(-len(order) // -(-len(order) // task.row_group_rows))
    blocks = (table.take(pa.array(order[n : n + size])) for n in range(0, len(order), size))
    # Freed memory stays with the worker: its next task needs as much, and having every page of it zeroed again by the
    # system would be a tenth of the merge. The stage after this one has new workers.
    write_table(task.to, FACT_RATE, blocks, size)
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
                    state["row_group"], state["rows"] = (
                        (part.path, group),
                        file.read_row_group(group, use_threads=False),
                    )
                yield state["rows"].slice(first, min(part.end - at, rows) - first)
            at += rows


def _ends_of_tasks(path: Path, starts: Sequence[int], ends: Sequence[int]) -> tuple[list[SortKey], list[SortKey]]:
    """Return the key of the first row of each of the row groups `starts`, and of the last row before each of `ends`."""
    known = bounds(path, FACT_RATE.order)
    with pq.ParquetFile(path) as file:
        firsts = [_complete_key(file, start, 0, known[start][0]) for start in starts]
        lasts = [
            _complete_key(file, end - 1, file.metadata.row_group(end - 1).num_rows - 1, known[end - 1][1][:-1])
            for end in ends
        ]
    return firsts, lasts


def _complete_key(file: pq.ParquetFile, group: int, row: int, known: SortKey) -> SortKey:
    """Return the key of the first or last row of a row group. The statistics tell the `known` part: only the rest is
    read."""
    names = list(FACT_RATE.order[len(known) :])
    if not names:
        return known
    (rest,) = file.read_row_group(group, columns=names).slice(row, 1).to_pylist()
    return (*known, *(rest[name] for name in names))
