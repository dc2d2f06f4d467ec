"""Find the row groups of a sorted file that a range of keys falls into, by the file's own statistics."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from core.store.parquet.writer import ROW_GROUP_ROWS


class _Highest:
    def __lt__(self, other: object) -> bool:
        return False

    def __gt__(self, other: object) -> bool:
        return other is not self


HIGHEST = _Highest()
"""Greater than every value of any type, to end an upper bound of keys with."""

Bounds = list[tuple[tuple[Any, ...], tuple[Any, ...]]]


def bounds(path: Path, order: Sequence[str]) -> Bounds:
    """Return a lower and an upper bound of the keys in each row group of a file that is sorted by `order`.

    Raises nothing for missing statistics: the bounds are then wide.
    """
    # Statistics hold each column's lowest and highest value. They bound the keys up to and including the first column
    # that has more than one value: beyond it, the values of different rows would be mixed.
    metadata = pq.read_metadata(path)
    names = metadata.schema.to_arrow_schema().names
    positions = [names.index(name) for name in order]
    found = []
    for group in range(metadata.num_row_groups):
        low: list[Any] = []
        high: list[Any] = []
        for position in positions:
            statistics = metadata.row_group(group).column(position).statistics
            if statistics is None or not statistics.has_min_max:
                break
            low.append(statistics.min)
            high.append(statistics.max)
            if statistics.min != statistics.max:
                break
        found.append((tuple(low), (*high, HIGHEST)))
    return found


def find_runs(groups: Bounds) -> list[range]:
    """Return the sorted runs that a file consists of, as ranges of its row groups.

    A run begins where `begins_run` shows it. What writes one run after another makes sure that it does.
    """
    starts = [0, *(n for n in range(1, len(groups)) if begins_run(groups[n][0], groups[n - 1][1]))]
    return [range(start, end) for start, end in pairwise([*starts, len(groups)])]


def begins_run(low: tuple[Any, ...], high: tuple[Any, ...]) -> bool:
    """Return whether a row group whose keys are bound by `low` cannot continue one whose keys are bound by `high`."""
    known = min(len(low), len(high) - 1)
    return low[:known] < high[:known]


def row_groups_to_rewrite(
    groups: Bounds, low: tuple[Any, ...], high: tuple[Any, ...], rows: int, row_group_rows: int = ROW_GROUP_ROWS
) -> range:
    """Return the row groups that must be rewritten to take in `rows` rows with keys from `low` to `high`.

    If the range is empty, the rows go before the row group at its start.
    """
    start = sum(highest < low for _, highest in groups)
    end = len(groups) - sum(lowest > high for lowest, _ in groups)
    # Few rows are merged into the row group before them. Otherwise many small files would leave many small row groups.
    if rows < row_group_rows // 2 and start > 0:
        start -= 1
    return range(start, max(start, end))
