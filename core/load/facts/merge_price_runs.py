"""Many runs of price rows into few, for files so large that a share would be read from too many places."""

from collections.abc import Iterable, Sequence
from itertools import count
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from core.load.facts.build_facts import keys_of
from core.load.facts.partition import partition_price_runs
from core.load.staging.price_runs import (
    ItemFields,
    PriceFields,
    PriceRun,
    PriceRunWriter,
    codes_of,
    dictionary,
    sort_key,
)
from core.runtime.workers import Workers, WorkerState

T = TypeVar("T", ItemFields, PriceFields)

MAX_OPEN_RUNS = 64
"""Runs that are read from side by side."""


def merge_price_runs(runs: Sequence[PriceRun], directory: Path, workers: Workers) -> Sequence[PriceRun]:
    """The rows of many runs in at most AT_ONCE; each row is written once more for every AT_ONCE-fold of runs."""
    for level in count():
        if len(runs) <= MAX_OPEN_RUNS:
            return runs
        groups = [runs[start : start + MAX_OPEN_RUNS] for start in range(0, len(runs), MAX_OPEN_RUNS)]
        paths = (directory / f"merged-{level}-{number:06}" for number in range(len(groups)))
        runs = list(workers.map(_merge, zip(groups, paths, strict=False)))
    raise AssertionError


def _merge(_state: WorkerState, runs: Sequence[PriceRun], path: Path) -> PriceRun:
    """One run in place of several, which are deleted."""
    heads: dict[ItemFields, int] = {}
    terms: dict[PriceFields, int] = {}
    head_numbers = {i.path: _numbers(heads, map(ItemFields._make, _rows(i, "heads"))) for i in runs}
    terms_numbers = {i.path: _numbers(terms, map(PriceFields._make, _rows(i, "terms"))) for i in runs}
    every_head = dictionary(heads, ItemFields._fields)
    codes, code_of_head = codes_of(every_head)
    code_of = []
    with PriceRunWriter(path, sum(run.rows for run in runs)) as writer:
        for share in partition_price_runs(runs, 1):
            parts = share.slices
            columns = {
                name: np.concatenate([part.run.column(name, part.start, part.end) for part in parts])
                for name in ("rate", "hash_0", "hash_1", "piece", "repeats")
            }
            for name, numbers in (("head", head_numbers), ("terms", terms_numbers)):
                columns[name] = np.concatenate(
                    [numbers[part.run.path][part.run.column(name, part.start, part.end)] for part in parts]
                )
            order = np.argsort(sort_key(code_of_head[columns["head"]], columns["hash_0"]), kind="stable")
            keys, sizes = keys_of(parts, order)
            writer.add({name: column[order] for name, column in columns.items()}, sizes, [keys])
            code_of.append(code_of_head[columns["head"][order]])
        writer.add_tables(every_head, dictionary(terms, PriceFields._fields))
    for run in runs:
        for old in run.paths:
            old.unlink()
    return writer.finish(codes, np.searchsorted(np.concatenate(code_of), np.arange(codes.num_rows + 1)))


def _rows(run: PriceRun, table: str) -> list[tuple[str | None, ...]]:
    return list(zip(*(column.to_pylist() for column in run.table(table).columns), strict=True))


def _numbers(known: dict[T, int], rows: Iterable[T]) -> npt.NDArray[np.uint32]:
    return np.array([known.setdefault(row, len(known)) for row in rows], np.uint32)
