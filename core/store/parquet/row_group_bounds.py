"""Which row groups of a sorted file a range of keys falls into, as the file's own statistics tell."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from core.store.parquet.writer import ROW_GROUP


class _Highest:
    def __lt__(self, other: object) -> bool:
        return False

    def __gt__(self, other: object) -> bool:
        return other is not self


HIGHEST = _Highest()
"""Above every value that may follow in a key, of whatever type."""

Bounds = list[tuple[tuple[Any, ...], tuple[Any, ...]]]


def bounds(path: Path, order: Sequence[str]) -> Bounds:
    """For each row group of a file sorted by the columns `order`, keys that none of its rows is below, and none above.

    Statistics tell each column's lowest and highest value. Those of the first columns bound the rows' keys, up to the
    first column that has more than one value.
    """
    metadata = pq.read_metadata(path)
    names = metadata.schema.to_arrow_schema().names
    places = [names.index(name) for name in order]
    found = []
    for group in range(metadata.num_row_groups):
        low: list[Any] = []
        high: list[Any] = []
        for place in places:
            statistics = metadata.row_group(group).column(place).statistics
            if statistics is None or not statistics.has_min_max:
                break
            low.append(statistics.min)
            high.append(statistics.max)
            if statistics.min != statistics.max:
                break
        found.append((tuple(low), (*high, HIGHEST)))
    return found


def row_groups_to_rewrite(groups: Bounds, low: tuple[Any, ...], high: tuple[Any, ...], rows: int) -> range:
    """The row groups that have to be written anew to take in `rows` rows with keys from `low` to `high`.

    Where it is none, its start tells the row group that the rows go before. Few rows go into the row group before
    them, so that many small files make no many small row groups.
    """
    start = sum(highest < low for _, highest in groups)
    end = len(groups) - sum(lowest > high for lowest, _ in groups)
    if rows < ROW_GROUP // 2 and start > 0:
        start -= 1
    return range(start, max(start, end))
