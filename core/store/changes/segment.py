"""Sorted facts on their way into the store: Parquet files that are joined later."""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from core.store.generations.layout import StateMonth
from core.store.parquet.arrow_dictionaries import sort_key
from core.store.schema.tables import FACT_RATE

SortKey = tuple[str, ...]
"""The values of FACT_RATE.order."""


@dataclass(frozen=True)
class SegmentKeys:
    """The keys of a segment's rows. `keys` are distinct and sorted; `ends` has the row at which each key's rows end."""

    keys: list[SortKey]
    ends: npt.NDArray[np.int64]

    def rows_before(self, key: SortKey) -> int:
        """Return how many rows have a smaller key."""
        position = bisect_left(self.keys, key)
        return int(self.ends[position - 1]) if position else 0


@dataclass(frozen=True)
class Segment:
    """A file of sorted facts of one state and month, with the keys of its first and its last row."""

    path: Path
    rows: int
    first: SortKey
    last: SortKey
    keys: SegmentKeys | None = field(default=None, repr=False)
    """None if they are to be read when they are needed: those of many segments take more memory than their facts."""

    @property
    def period(self) -> StateMonth:
        """Return the state and month."""
        return StateMonth(*self.first[:2])

    def read_keys(self) -> SegmentKeys:
        """Return the keys of all rows, from the file unless they are in memory."""
        return self.keys or read_segment_keys(self.path)


def segment_of(path: Path, rows: int) -> Segment:
    """Return a file of sorted facts as a segment."""
    found = read_segment_keys(path)
    return Segment(path, rows, found.keys[0], found.keys[-1], found)


def read_segment_keys(path: Path, groups: range | None = None) -> SegmentKeys:
    """Return the keys of the rows of a file of sorted facts, or of some of its row groups."""
    keys: list[SortKey] = []
    ends: list[int] = []
    done = 0
    with pq.ParquetFile(path, read_dictionary=FACT_RATE.dictionary_columns) as file:
        for group in range(file.num_row_groups) if groups is None else groups:
            for key, end in _keys_of(file.read_row_group(group, columns=list(FACT_RATE.order))):
                if keys and keys[-1] == key:
                    ends[-1] = done + end
                else:
                    keys.append(key)
                    ends.append(done + end)
            done += file.metadata.row_group(group).num_rows
    return SegmentKeys(keys, np.array(ends, np.int64))


def _keys_of(table: pa.Table) -> Iterator[tuple[SortKey, int]]:
    """Yield the distinct keys of a sorted table, each with the row at which its rows end."""
    key = sort_key(table, FACT_RATE.order)
    ends = [*(np.flatnonzero(np.diff(key)) + 1).tolist(), table.num_rows]
    rows = table.take(pa.array([end - 1 for end in ends])).to_pylist()
    for row, end in zip(rows, ends, strict=True):
        yield tuple(row[name] for name in FACT_RATE.order), end
