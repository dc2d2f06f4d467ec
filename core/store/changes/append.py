"""Puts new facts among those that are there, in order.

Most of what is there stays as it is: row groups that no new row falls into are copied byte for byte. Only where new
rows stand among old ones are rows read and written anew, a few row groups at a time, by whoever of the workers is free.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from core.runtime.workers import SingleProcess, Workers, WorkerState, give_back_memory
from core.store.changes.segment import Segment, SortKey
from core.store.generations.store import Transaction
from core.store.parquet.arrow_dictionaries import joined, sort_key
from core.store.parquet.row_group_bounds import bounds, row_groups_to_rewrite
from core.store.parquet.row_group_copier import RowGroupCopier, read_footer
from core.store.parquet.writer import ROW_GROUP, write_table
from core.store.schema.tables import FACT_RATE

GROUPS_AT_ONCE = 2
"""Row groups that are merged with new rows in one go: a process takes some 100 MB for each."""


def append_segments(
    transaction: Transaction, state: str, year_month: str, segments: Iterable[Segment], workers: Workers
) -> None:
    """Adds facts of one state and month, none of whose fact_uids the store has, to the shard they belong to.

    Segments come in order; their files are gone afterwards. The shard's one file gives way to a new one with all rows,
    or gets another beside it where the layout says so. Nothing happens where there is no segment.
    """
    coming = iter(segments)
    first = next(coming, None)
    if first is None:
        return
    shard = transaction.layout.shard(state, year_month)
    old = () if transaction.layout.grows else transaction.files(FACT_RATE.name, shard)
    path = transaction.new_file(FACT_RATE.name, shard)
    paths = [Path(transaction.path(file)) for file in old if file.rows]
    footer = read_footer(paths[0]) if paths else None
    with RowGroupCopier(path) as stitcher:
        for stretch in _stretches(paths, first, coming, transaction.work, workers):
            stitcher.add(stretch.path, stretch.first, stretch.end, None if stretch.passing else footer)
            if stretch.passing:
                stretch.path.unlink()
        rows = stitcher.finish()
    transaction.replace(FACT_RATE.name, old, path, rows, shard)


def append_facts(transaction: Transaction, state: str, year_month: str, blocks: Iterator[pa.Table]) -> None:
    """Adds facts given as sorted blocks, which have the fact's columns; see `append_segments`."""
    path = transaction.work / "appended.parquet"
    rows = write_table(path, FACT_RATE, blocks)
    if rows:
        append_segments(transaction, state, year_month, [segment_of(path, rows)], SingleProcess())


def segment_of(path: Path, rows: int) -> Segment:
    """A file of sorted facts as a segment."""
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
    """The distinct keys of a sorted table, and the row at which each one's rows end."""
    key = sort_key(table, FACT_RATE.order)
    ends = [*(np.flatnonzero(np.diff(key)) + 1).tolist(), table.num_rows]
    rows = table.take(pa.array([end - 1 for end in ends])).to_pylist()
    for row, end in zip(rows, ends, strict=True):
        yield tuple(row[name] for name in FACT_RATE.order), end


@dataclass(frozen=True)
class _Stretch:
    """Row groups `first` to before `end` of a file (None: to its end), which is deleted afterwards if `passing`."""

    path: Path
    first: int = 0
    end: int | None = None
    passing: bool = False


def _stretches(
    old: Sequence[Path], first: Segment, coming: Iterator[Segment], work: Path, workers: Workers
) -> Iterator[_Stretch]:
    """What the new file is made of, in order."""
    if not old:
        for segment in (first, *coming):
            yield _Stretch(segment.path, passing=True)
        return
    (path,) = old
    segments = [first, *coming]
    rows = sum(segment.rows for segment in segments)
    anew = row_groups_to_rewrite(bounds(path, FACT_RATE.order), segments[0].keys[0], segments[-1].keys[-1], rows)
    yield _Stretch(path, 0, anew.start)
    if not anew:
        for segment in segments:
            yield _Stretch(segment.path, passing=True)
    else:
        yield from _merged(path, anew, segments, work, workers)
    yield _Stretch(path, anew.stop)


def _merged(path: Path, groups: range, segments: list[Segment], work: Path, workers: Workers) -> Iterator[_Stretch]:
    """Row groups of the old file with all new rows among them."""
    firsts = _first_keys(path, groups[::GROUPS_AT_ONCE])
    tasks: list[_Task | _Stretch] = []
    for number, start in enumerate(groups[::GROUPS_AT_ONCE]):
        low = firsts[number] if number else None
        high = firsts[number + 1] if number + 1 < len(firsts) else None
        rows = tuple(_rows_between(segments, low, high))
        end = min(start + GROUPS_AT_ONCE, groups.stop)
        to = work / f"merged-{number:06}.parquet"
        tasks.append(_Task(path, start, end, rows, to) if rows else _Stretch(path, start, end))
    done = workers.map(_merge, ((task,) for task in tasks if isinstance(task, _Task)))
    for task in tasks:
        yield _Stretch(next(done), passing=True) if isinstance(task, _Task) else task
    for segment in segments:
        segment.path.unlink()


def _rows_between(
    segments: list[Segment], low: SortKey | None, high: SortKey | None
) -> Iterator[tuple[Path, int, int]]:
    """The rows of segments from key `low` to before `high`: file, first row and end."""
    for segment in segments:
        start = segment.rows_before(low) if low else 0
        end = segment.rows_before(high) if high else segment.rows
        if start < end:
            yield segment.path, start, end


@dataclass(frozen=True)
class _Task:
    """Row groups `start` to before `end` of the file `old`, to be merged with new rows into the file `to`."""

    old: Path
    start: int
    end: int
    new: tuple[tuple[Path, int, int], ...]
    to: Path


def _merge(state: WorkerState, task: _Task) -> Path:
    with pq.ParquetFile(task.old, read_dictionary=FACT_RATE.dictionary_columns) as file:
        tables = [file.read_row_group(group) for group in range(task.start, task.end)]
    for path, start, end in task.new:
        tables.extend(_rows(state, path, start, end))
    table = joined(tables)
    del tables
    order = np.argsort(sort_key(table, FACT_RATE.order), kind="stable")
    size = -(-len(order) // -(-len(order) // ROW_GROUP))
    blocks = (table.take(pa.array(order[n : n + size])) for n in range(0, len(order), size))
    write_table(task.to, FACT_RATE, blocks, size)
    del table, blocks
    give_back_memory()
    return task.to


def _rows(state: WorkerState, path: Path, start: int, end: int) -> Iterator[pa.Table]:
    """Rows `start` to before `end` of a file. The last row group stays at hand: what comes next begins in it."""
    with pq.ParquetFile(path, read_dictionary=FACT_RATE.dictionary_columns) as file:
        at = 0
        for group in range(file.num_row_groups):
            rows = file.metadata.row_group(group).num_rows
            if start < at + rows and at < end:
                first = max(start - at, 0)
                if state.get("row_group") != (path, group):
                    state["row_group"], state["rows"] = (path, group), file.read_row_group(group)
                yield state["rows"].slice(first, min(end - at, rows) - first)
            at += rows


def _first_keys(path: Path, groups: Iterable[int]) -> list[SortKey]:
    with pq.ParquetFile(path) as file:
        rows = [
            file.read_row_group(group, columns=list(FACT_RATE.order)).slice(0, 1).to_pylist()[0] for group in groups
        ]
    return [tuple(row[name] for name in FACT_RATE.order) for row in rows]
