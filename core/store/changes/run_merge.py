"""Merge sorted runs of facts completely, as tasks of worker processes for one range of keys after another."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from core.runtime.workers import Workers
from core.store.changes.merge_task import ROW_GROUPS_PER_TASK, MergeTask, RowSlice, merge_slices
from core.store.changes.segment import SegmentKeys, SortKey
from core.store.parquet.writer import FileSizes


@dataclass(frozen=True)
class SortedRows:
    """Sorted rows of a file from the row `start` on, as many as `keys` says."""

    path: Path
    start: int
    keys: SegmentKeys

    @property
    def rows(self) -> int:
        """Return the number of rows."""
        return int(self.keys.ends[-1])

    def before(self, key: SortKey) -> int:
        """Return the row of the file before which all smaller keys are."""
        return self.start + self.keys.rows_before(key)


def merge_all(runs: Sequence[SortedRows], name: Path, sizes: FileSizes, workers: Workers) -> Iterator[Path]:
    """Merge runs into sorted files, and yield one after another. Their names begin with `name`.

    Of equal keys, the rows of earlier runs come first.
    """
    keys = _find_cuts(runs, ROW_GROUPS_PER_TASK * sizes.row_group_rows)
    slices: list[list[RowSlice]] = [[] for _ in range(len(keys) + 1)]
    for run in runs:
        rows = [run.start, *map(run.before, keys), run.start + run.rows]
        for number, (start, end) in enumerate(pairwise(rows)):
            if start < end:
                slices[number].append(RowSlice(run.path, start, end))
    tasks = (
        MergeTask(tuple(each), name.with_name(f"{name.name}-{number:06}.parquet"), sizes.row_group_rows)
        for number, each in enumerate(slices)
    )
    yield from workers.map(merge_slices, ((task,) for task in tasks))


def _find_cuts(runs: Sequence[SortedRows], rows: int) -> list[SortKey]:
    """Return the keys that begin a new range: each range but the last has at least that many rows."""
    counts: dict[SortKey, int] = {}
    for run in runs:
        for key, count in zip(run.keys.keys, np.diff(run.keys.ends, prepend=0).tolist(), strict=True):
            counts[key] = counts.get(key, 0) + count
    cuts, there = [], 0
    for key in sorted(counts):
        if there >= rows:
            cuts.append(key)
            there = 0
        there += counts[key]
    return cuts
