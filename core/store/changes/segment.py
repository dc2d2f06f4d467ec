"""Sorted facts on their way into the store: Parquet files that are joined later."""

from bisect import bisect_left
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

SortKey = tuple[str, ...]
"""The values of FACT_RATE.order."""


@dataclass(frozen=True)
class Segment:
    """A file of sorted facts. `keys` are distinct and sorted; `ends` has the row at which the rows of each key end."""

    path: Path
    rows: int
    keys: list[SortKey]
    ends: npt.NDArray[np.int64] = field(repr=False)

    def rows_before(self, key: SortKey) -> int:
        """Return how many rows have a smaller key."""
        position = bisect_left(self.keys, key)
        return int(self.ends[position - 1]) if position else 0
