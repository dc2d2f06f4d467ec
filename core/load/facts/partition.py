"""Cuts a file's price rows into shares that can be turned into facts independently."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from core.load.facts.build_facts import Partition, RunSlice
from core.load.staging.price_runs import HASH_SHIFT, PriceRun

LEAST_ROWS = 250_000
MOST_ROWS = 1_000_000
"""Fact rows of a share: few enough for its memory, many enough to be worth the trouble."""

_CODE = ["code_type", "code"]


def partition_price_runs(runs: Sequence[PriceRun], members: int) -> list[Partition]:
    """The shares of all runs' rows, in the order of their codes; some four for each worker, or more."""
    tables = [pl.DataFrame(run.table("codes")) for run in runs]
    if not tables:
        return []
    every = pl.concat(tables).group_by(_CODE).agg(pl.sum("fact_rows")).sort(_CODE).with_row_index("rank")
    indexes = [_Index.of(run, table, every) for run, table in zip(runs, tables, strict=True)]
    rows = every["fact_rows"].to_numpy()
    wanted = min(max(int(rows.sum()) // (4 * members), LEAST_ROWS), MOST_ROWS)
    found = (slices for slices in _ranges(indexes, rows, wanted) if slices)
    return [Partition(number, slices) for number, slices in enumerate(found)]


@dataclass(frozen=True)
class _Index:
    """Where codes are in a run. A code goes by its rank among those of all runs."""

    run: PriceRun
    ranks: npt.NDArray[Any]
    """Of the run's codes, in order."""
    starts: npt.NDArray[np.int64]
    """The row at which each begins, and the end."""

    @classmethod
    def of(cls, run: PriceRun, codes: pl.DataFrame, every: pl.DataFrame) -> "_Index":
        ranks = codes.join(every, on=_CODE, how="left", maintain_order="left")["rank"].to_numpy()
        return cls(run, ranks, np.append(codes["start"].to_numpy(), run.rows))

    def rows(self, first: int, end: int) -> tuple[int, int]:
        """The rows of the codes of rank `first` to before `end`."""
        start, stop = self.starts[np.searchsorted(self.ranks, [first, end])]
        return int(start), int(stop)


def _ranges(indexes: Sequence[_Index], rows: npt.NDArray[np.int64], wanted: int) -> Iterator[tuple[RunSlice, ...]]:
    first, held = 0, 0
    for rank, count in enumerate(rows.tolist()):
        if held and held + count > wanted:
            yield _of_codes(indexes, first, rank)
            first, held = rank, 0
        held += count
        if count > 2 * wanted:
            yield from _of_hashes(indexes, rank, -(-count // wanted))
            first, held = rank + 1, 0
    if held:
        yield _of_codes(indexes, first, len(rows))


def _of_codes(indexes: Sequence[_Index], first: int, end: int) -> tuple[RunSlice, ...]:
    found = [RunSlice(index.run, *index.rows(first, end)) for index in indexes]
    return tuple(each for each in found if each.start < each.end)


def _of_hashes(indexes: Sequence[_Index], rank: int, parts: int) -> Iterator[tuple[RunSlice, ...]]:
    """One code's rows, in parts by the hash of the rate."""
    bounds = np.array([(part << 40) // parts for part in range(parts + 1)], np.uint64)
    cuts = []
    for index in indexes:
        start, end = index.rows(rank, rank + 1)
        hashes = index.run.column("hash_0", start, end) >> HASH_SHIFT
        cuts.append((index.run, (start + np.searchsorted(hashes, bounds)).tolist()))
    for part in range(parts):
        found = [RunSlice(run, places[part], places[part + 1]) for run, places in cuts]
        yield tuple(each for each in found if each.start < each.end)
