"""Merge many runs of price rows into few, for files so large that a partition would be read from too many files."""

from collections.abc import Iterable, Sequence
from itertools import count
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from core.load.facts.partition import partition_price_runs
from core.load.facts.run_slices import read_column, read_group_keys, read_rows
from core.load.load_sizes import DEFAULT_SIZES, LoadSizes
from core.load.staging.price_runs import (
    ItemFields,
    PriceFields,
    PriceRun,
    PriceRunWriter,
    field_table,
    list_keys,
    sort_key,
    sorted_codes,
)
from core.runtime.files import delete_file
from core.runtime.worker_process import WorkerState
from core.runtime.workers import Workers

T = TypeVar("T", ItemFields, PriceFields)


def merge_price_runs(
    runs: Sequence[PriceRun], directory: Path, workers: Workers, sizes: LoadSizes = DEFAULT_SIZES
) -> Sequence[PriceRun]:
    """Return at most `open_runs` runs with the rows of `runs`. Each level of merging writes every row again."""
    for level in count():
        if len(runs) <= sizes.open_runs:
            return runs
        groups = [runs[start : start + sizes.open_runs] for start in range(0, len(runs), sizes.open_runs)]
        tasks = [(group, directory / f"merged-{level}-{number:06}", sizes) for number, group in enumerate(groups)]
        runs = list(workers.map(merge_into_one, tasks))
    raise AssertionError


def merge_into_one(_state: WorkerState, runs: Sequence[PriceRun], path: Path, sizes: LoadSizes) -> PriceRun:
    """Merge runs into one at `path` and delete them. Workers run this.

    Rows are merged partition by partition, so memory depends on the size of a partition and not on that of the runs.
    Within a partition the rows of all runs are put one after the other and sorted; the sort is stable, so rows with
    equal keys keep their order.
    """
    item_numbers: dict[ItemFields, int] = {}
    price_numbers: dict[PriceFields, int] = {}
    # Each run numbers its item and price fields from 0. These arrays translate the numbers to those of the new run.
    items_of = {run.path: _renumber(item_numbers, map(ItemFields._make, _rows(run, "item_fields"))) for run in runs}
    prices_of = {run.path: _renumber(price_numbers, map(PriceFields._make, _rows(run, "price_fields"))) for run in runs}
    item_fields = field_table(item_numbers, ItemFields._fields)
    codes, code_of_item = sorted_codes(item_fields)
    code_of = []
    with PriceRunWriter(path) as writer:
        for partition in partition_price_runs(runs, 1, sizes):
            rows = read_rows(partition.slices)
            columns = {name: read_column(rows, name) for name in ("rate", "hash_0", "hash_1", "piece", "repeats")}
            for name, numbers in (("item_fields", items_of), ("price_fields", prices_of)):
                columns[name] = np.concatenate(
                    [
                        numbers[each.run.path][table.column(name).to_numpy()]
                        for each, table in zip(partition.slices, rows, strict=True)
                    ]
                )
            order = np.argsort(sort_key(code_of_item[columns["item_fields"]], columns["hash_0"]), kind="stable")
            keys, sizes_of = read_group_keys(rows, order)
            writer.add({name: column[order] for name, column in columns.items()}, list_keys(keys, sizes_of))
            code_of.append(code_of_item[columns["item_fields"][order]])
    for run in runs:
        for old in run.paths:
            delete_file(old)  # mapped into memory here still: Windows keeps it until the load ends
    starts = np.searchsorted(np.concatenate(code_of), np.arange(codes.num_rows + 1))
    return writer.finish(item_fields, field_table(price_numbers, PriceFields._fields), codes, starts)


def _rows(run: PriceRun, table: str) -> list[tuple[str | None, ...]]:
    return list(zip(*(column.to_pylist() for column in run.table(table).columns), strict=True))


def _renumber(numbers: dict[T, int], rows: Iterable[T]) -> npt.NDArray[np.uint32]:
    """Return the number of each row, and add the rows that have none to `numbers`."""
    return np.array([numbers.setdefault(row, len(numbers)) for row in rows], np.uint32)
