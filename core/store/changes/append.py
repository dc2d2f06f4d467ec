"""Add new facts to the sorted files of the store.

Row groups that no new row falls into are copied byte for byte. Only the row groups that new rows fall into are read,
merged and written again, a few at a time, by the worker processes. Where those have very many rows, as for another
payer's file of a large month, the new rows become a sorted run of their own behind the old ones, which are all copied.
A file has a few runs at most: then the runs are merged. See docs/decisions/0084-runs-beside-each-other.md.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from core.runtime.files import delete_file
from core.runtime.workers import SingleProcess, Workers
from core.store.changes.merge_task import ROW_GROUPS_PER_TASK, MergeTask, RowSlice, merge_slices
from core.store.changes.run_merge import SortedRows, merge_all
from core.store.changes.segment import Segment, SortKey, read_segment_keys, segment_of
from core.store.generations.store import Transaction
from core.store.parquet.row_group_bounds import Bounds, begins_run, bounds, find_runs, row_groups_to_rewrite
from core.store.parquet.row_group_copier import RowGroupCopier, read_footer, row_counts
from core.store.parquet.writer import write_table
from core.store.schema.tables import FACT_RATE


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
        if paths:
            stretches = _stretches(_OldFile.read(paths[0]), list(segments), transaction, workers)
        else:
            stretches = (_Stretch(segment.path, temporary=True) for segment in segments)
        for stretch in stretches:
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
class _OldFile:
    """The file that facts are added to: the bounds of its row groups, the rows before each, and its sorted runs."""

    path: Path
    groups: Bounds
    starts: list[int]
    """The rows before each row group, and all rows."""
    runs: list[range]

    @classmethod
    def read(cls, path: Path) -> "_OldFile":
        groups, starts = bounds(path, FACT_RATE.order), [0]
        for rows in row_counts(read_footer(path)):
            starts.append(starts[-1] + rows)
        return cls(path, groups, starts, find_runs(groups))

    def rows_of(self, groups: range) -> int:
        """Return the number of rows of some row groups."""
        return self.starts[groups.stop] - self.starts[groups.start]

    def sorted_rows(self, run: range) -> SortedRows:
        """Return a run, to be merged."""
        return SortedRows(self.path, self.starts[run.start], read_segment_keys(self.path, run))

    def is_followed_by(self, path: Path, groups: int) -> bool:
        """Return whether a sorted file behind the first `groups` row groups is seen to be another run."""
        return begins_run(bounds(path, FACT_RATE.order)[0][0], self.groups[groups - 1][1])


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
    old: _OldFile, segments: list[Segment], transaction: Transaction, workers: Workers
) -> Iterator[_Stretch]:
    """Yield what the new file consists of, in order."""
    rows, sizes = sum(segment.rows for segment in segments), transaction.sizes
    if len(old.runs) == 1:
        rewritten = row_groups_to_rewrite(old.groups, segments[0].first, segments[-1].last, rows, sizes.row_group_rows)
        if old.rows_of(rewritten) <= sizes.max_rewritten_rows:
            yield _Stretch(old.path, 0, rewritten.start)
            yield from _merged(old, rewritten, segments, transaction, workers)
            yield _Stretch(old.path, rewritten.stop)
            return
    yield from _beside(old, segments, transaction, workers)


def _beside(old: _OldFile, segments: list[Segment], transaction: Transaction, workers: Workers) -> Iterator[_Stretch]:
    """Yield the old file and new rows as one more run, merged with the last runs of the file unless those are larger.

    So a row is written again only when as many rows have come as there were, and each run is larger than all after it.
    """
    if old.groups[-1][1] < segments[0].first:  # they continue the last run, as a new month of the layout `single` does
        yield _Stretch(old.path)
        yield from (_Stretch(segment.path, temporary=True) for segment in segments)
        return
    kept, rows = len(old.runs), sum(segment.rows for segment in segments)
    while kept and (kept == transaction.sizes.max_runs or old.rows_of(old.runs[kept - 1]) <= rows):
        kept -= 1
        rows += old.rows_of(old.runs[kept])
    merged = [segment.path for segment in segments]
    while True:
        if kept < len(old.runs):
            runs = [old.sorted_rows(run) for run in old.runs[kept:]]
            runs += [SortedRows(segment.path, 0, segment.read_keys()) for segment in segments]
            work = transaction.work / f"runs-{kept}"
            merged = list(merge_all(runs, work, transaction.sizes, workers))
        groups = old.runs[kept - 1].stop if kept else 0
        if not kept or old.is_followed_by(merged[0], groups):
            break
        kept -= 1  # the statistics would not show where the run begins
    yield _Stretch(old.path, 0, groups)
    for path in merged:
        yield _Stretch(path, temporary=True)
    for segment in segments:
        delete_file(segment.path)


def _merged(
    old: _OldFile, groups: range, segments: list[Segment], transaction: Transaction, workers: Workers
) -> Iterator[_Stretch]:
    """Yield row groups of the old file merged with all new rows."""
    if not groups:
        for segment in segments:
            yield _Stretch(segment.path, temporary=True)
        return
    # Each task takes the new rows from its first old key up to the first old key of the next task, so every new row
    # belongs to exactly one task and the tasks' files follow one another in order. A whole segment between two tasks,
    # such as a state's between those of two others, is copied. Few rows are merged all the same: row groups stay large.
    starts = groups[::ROW_GROUPS_PER_TASK]
    ends = [min(start + ROW_GROUPS_PER_TASK, groups.stop) for start in starts]
    firsts, lasts = _ends_of_tasks(old, starts, ends)
    group_rows = transaction.sizes.row_group_rows
    merged: list[list[RowSlice]] = [[] for _ in starts]
    copied: list[list[Segment]] = [[] for _ in range(len(starts) + 1)]
    for segment in segments:
        before = bisect_right(firsts, segment.first)
        after_old = not before or segment.first >= lasts[before - 1]
        if after_old and segment.rows >= group_rows // 2 and (before == len(firsts) or segment.last < firsts[before]):
            copied[before].append(segment)
        else:
            for number, part in _slices_of(segment, firsts):
                merged[number].append(part)
    tasks: list[MergeTask | _Stretch] = [_Stretch(segment.path, temporary=True) for segment in copied[0]]
    for number, (start, end) in enumerate(zip(starts, ends, strict=True)):
        to, rows = (
            transaction.work / f"merged-{number:06}.parquet",
            RowSlice(old.path, old.starts[start], old.starts[end]),
        )
        new = tuple(merged[number])
        tasks.append(MergeTask((rows, *new), to, group_rows) if new else _Stretch(old.path, start, end))
        tasks.extend(_Stretch(segment.path, temporary=True) for segment in copied[number + 1])
    done = workers.map(merge_slices, ((task,) for task in tasks if isinstance(task, MergeTask)))
    for each in tasks:
        yield _Stretch(next(done), temporary=True) if isinstance(each, MergeTask) else each
    for used in {part.path for parts in merged for part in parts}:
        delete_file(used)


def _slices_of(segment: Segment, firsts: list[SortKey]) -> Iterator[tuple[int, RowSlice]]:
    """Yield the parts of a segment for each task, with its number. `firsts` are the first keys of the tasks."""
    keys = segment.read_keys()
    cuts = [0, *(keys.rows_before(key) for key in firsts[1:]), segment.rows]
    for number, (start, end) in enumerate(pairwise(cuts)):
        if start < end:
            yield number, RowSlice(segment.path, start, end)


def _ends_of_tasks(old: _OldFile, starts: Sequence[int], ends: Sequence[int]) -> tuple[list[SortKey], list[SortKey]]:
    """Return the key of the first row of each of the row groups `starts`, and of the last row before each of `ends`."""
    known = old.groups
    with pq.ParquetFile(old.path) as file:
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
