"""Parts of price runs, and what is read from several of them as if they were one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from core.load.staging.price_runs import PriceRun


@dataclass(frozen=True)
class RunSlice:
    """Rows `start` up to `end` of a run."""

    run: PriceRun
    start: int
    end: int


@dataclass(frozen=True)
class Partition:
    """Some of a file's price rows: all those that can produce some facts."""

    number: int
    slices: tuple[RunSlice, ...]


def read_column(slices: Sequence[RunSlice], name: str) -> npt.NDArray[Any]:
    """Return a column of all slices' rows, one slice after the other."""
    return np.concatenate([each.run.column(name, each.start, each.end) for each in slices])


def read_fields(
    slices: Sequence[RunSlice], name: str, fields: tuple[str, ...]
) -> tuple[pa.Table, npt.NDArray[np.int64]]:
    """Return the `item_fields` or `price_fields` that rows of the slices refer to, and each row's position there."""
    tables: list[pa.Table] = []
    positions: list[npt.NDArray[np.int64]] = []
    for each in slices:
        used, position = np.unique(each.run.column(name, each.start, each.end), return_inverse=True)
        positions.append(position + sum(table.num_rows for table in tables))
        tables.append(each.run.table(name).take(pa.array(used)))
    return pa.concat_tables(tables).select(list(fields)), np.concatenate(positions)


def read_group_keys(
    slices: Sequence[RunSlice], order: npt.NDArray[np.intp]
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
    """Return the group keys of all slices' rows, the rows taken in `order`, and the number of keys of each row.

    The rows of one slice are in order already.
    """
    keys, sizes = [], []
    for each in slices:
        ends = each.run.column("key_ends", each.start, each.end)
        keys.append(each.run.keys(int(ends[0]), int(ends[-1])))
        sizes.append(np.diff(ends))
    if len(slices) == 1:
        return keys[0], sizes[0]
    all_keys, size = np.concatenate(keys), np.concatenate(sizes)
    starts = (np.cumsum(size) - size)[order]
    size = size[order]
    # For each row the positions start, start + 1, … start + size - 1, without a loop over rows.
    return all_keys[np.repeat(starts - (np.cumsum(size) - size), size) + np.arange(len(all_keys))], size
