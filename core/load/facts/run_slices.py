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


def read_rows(slices: Sequence[RunSlice]) -> list[pa.Table]:
    """Return the rows of each slice, mapped into memory."""
    return [each.run.read(each.start, each.end) for each in slices]


def read_column(rows: Sequence[pa.Table], name: str) -> npt.NDArray[Any]:
    """Return a column of all slices' rows, one slice after the other."""
    return np.concatenate([table.column(name).to_numpy() for table in rows])


def read_fields(
    slices: Sequence[RunSlice], rows: Sequence[pa.Table], name: str, fields: tuple[str, ...]
) -> tuple[pa.Table, npt.NDArray[np.int64]]:
    """Return the `item_fields` or `price_fields` that rows of the slices refer to, and each row's position there."""
    tables: list[pa.Table] = []
    positions: list[npt.NDArray[np.int64]] = []
    for each, table in zip(slices, rows, strict=True):
        used, position = np.unique(table.column(name).to_numpy(), return_inverse=True)
        positions.append(position + sum(earlier.num_rows for earlier in tables))
        tables.append(each.run.table(name).take(pa.array(used)))
    return pa.concat_tables(tables).select(list(fields)), np.concatenate(positions)


def read_group_keys(
    rows: Sequence[pa.Table], order: npt.NDArray[np.intp]
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
    """Return the group keys of all slices' rows, the rows taken in `order`, and the number of keys of each row.

    The rows of one slice are in order already.
    """
    lists = [chunk for table in rows for chunk in table.column("keys").chunks]
    all_keys = np.concatenate([chunk.flatten().to_numpy() for chunk in lists])
    size = np.concatenate([chunk.value_lengths().to_numpy() for chunk in lists])
    if len(rows) == 1:
        return all_keys, size
    starts = (np.cumsum(size) - size)[order]
    size = size[order]
    # For each row the positions start, start + 1, … start + size - 1, without a loop over rows.
    return all_keys[np.repeat(starts - (np.cumsum(size) - size), size) + np.arange(len(all_keys))], size
