"""Merge sorted rows of several files into one sorted file, in a worker process."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from core.runtime.worker_process import WorkerState
from core.store.parquet.arrow_dictionaries import joined, sort_key
from core.store.parquet.writer import write_table
from core.store.schema.tables import FACT_RATE

ROW_GROUPS_PER_TASK = 2
"""Row groups that a worker merges with new rows at a time. A process needs some 100 MB for each."""


@dataclass(frozen=True)
class RowSlice:
    """The rows of a file from `start` up to, not including, `end`."""

    path: Path
    start: int
    end: int


@dataclass(frozen=True)
class MergeTask:
    """Sorted rows that are to be merged into `to`. Of equal keys, rows of earlier slices come first."""

    slices: tuple[RowSlice, ...]
    to: Path
    row_group_rows: int


def merge_slices(state: WorkerState, task: MergeTask) -> Path:
    """Write the file of a task. Return its path."""
    table = joined([rows for part in task.slices for rows in _read_slice(state, part)])
    order = np.argsort(sort_key(table, FACT_RATE.order), kind="stable")
    # Row groups of even size, so that many small additions do not leave many small row groups.
    size = -(-len(order) // -(-len(order) // task.row_group_rows))
    blocks = (table.take(pa.array(order[n : n + size])) for n in range(0, len(order), size))
    # Freed memory stays with the worker: its next task needs as much, and having every page of it zeroed again by the
    # system would be a tenth of the merge. The stage after this one has new workers.
    write_table(task.to, FACT_RATE, blocks, size)
    return task.to


def _read_slice(state: WorkerState, part: RowSlice) -> Iterator[pa.Table]:
    """Yield the rows of a slice. The last row group stays in memory: the worker's next slice may begin in it."""
    with pq.ParquetFile(
        part.path, read_dictionary=FACT_RATE.dictionary_columns, page_checksum_verification=True
    ) as file:
        at = 0
        for group in range(file.num_row_groups):
            rows = file.metadata.row_group(group).num_rows
            if part.start < at + rows and at < part.end:
                first, end = max(part.start - at, 0), min(part.end - at, rows)
                if state.get("row_group") != (part.path, group):
                    # Every processor has a worker, so more threads would only wait for one another.
                    read = file.read_row_group(group, use_threads=False)
                    if end < rows:
                        state["row_group"], state["rows"] = (part.path, group), read
                else:
                    read = state["rows"]
                yield read.slice(first, end - first)
            at += rows
