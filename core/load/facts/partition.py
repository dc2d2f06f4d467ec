"""Cut a file's price rows into partitions that can be turned into facts independently."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from core.load.facts.run_slices import Partition, RunSlice
from core.load.load_sizes import DEFAULT_SIZES, LoadSizes
from core.load.staging.price_runs import HASH_SHIFT, PriceRun

PARTITIONS_PER_WORKER = 4
"""With several partitions each, workers finish at about the same time, even if partitions differ."""

_CODE = ["code_type", "code"]


def partition_price_runs(runs: Sequence[PriceRun], workers: int, sizes: LoadSizes = DEFAULT_SIZES) -> list[Partition]:
    """Return partitions of all runs' rows, in the order of their codes, for a number of workers."""
    tables = [pl.DataFrame(run.table("codes")) for run in runs]
    if not tables:
        return []
    codes = pl.concat(tables).group_by(_CODE).agg(pl.sum("fact_rows")).sort(_CODE).with_row_index("rank")
    indexes = [_CodeIndex.of(run, table, codes) for run, table in zip(runs, tables, strict=True)]
    rows = codes["fact_rows"].to_numpy()
    even = int(rows.sum()) // (PARTITIONS_PER_WORKER * workers)
    wanted = min(max(even, sizes.min_partition_rows), sizes.max_partition_rows)
    found = (slices for slices in _cut(indexes, rows, wanted) if slices)
    return [Partition(number, slices) for number, slices in enumerate(found)]


@dataclass(frozen=True)
class _CodeIndex:
    """Where codes are in a run. A code is represented by its rank among those of all runs."""

    run: PriceRun
    ranks: npt.NDArray[Any]
    """The ranks of the run's codes, in order."""
    starts: npt.NDArray[np.int64]
    """The row at which each of the codes begins, and the end."""

    @classmethod
    def of(cls, run: PriceRun, run_codes: pl.DataFrame, codes: pl.DataFrame) -> "_CodeIndex":
        ranks = run_codes.join(codes, on=_CODE, how="left", maintain_order="left")["rank"].to_numpy()
        return cls(run, ranks, np.append(run_codes["start"].to_numpy(), run.rows))

    def rows(self, first: int, end: int) -> tuple[int, int]:
        """Return where the rows of the codes of rank `first` up to `end` start and end."""
        start, stop = self.starts[np.searchsorted(self.ranks, [first, end])]
        return int(start), int(stop)


def _cut(indexes: Sequence[_CodeIndex], rows: npt.NDArray[np.int64], wanted: int) -> Iterator[tuple[RunSlice, ...]]:
    """Yield partitions of about `wanted` fact rows. `rows` is the number of fact rows of each code.

    Codes are taken in order until the next one would be too many. A code with more than twice the wanted rows is cut by
    itself: office visits (99213) alone may be a tenth of a file.
    """
    first, pending = 0, 0
    for rank, count in enumerate(rows.tolist()):
        if pending and pending + count > wanted:
            yield _slice_codes(indexes, first, rank)
            first, pending = rank, 0
        pending += count
        if count > 2 * wanted:
            yield from _slice_hashes(indexes, rank, -(-count // wanted))
            first, pending = rank + 1, 0
    if pending:
        yield _slice_codes(indexes, first, len(rows))


def _slice_codes(indexes: Sequence[_CodeIndex], first: int, end: int) -> tuple[RunSlice, ...]:
    found = [RunSlice(index.run, *index.rows(first, end)) for index in indexes]
    return tuple(each for each in found if each.start < each.end)


def _slice_hashes(indexes: Sequence[_CodeIndex], rank: int, parts: int) -> Iterator[tuple[RunSlice, ...]]:
    """Yield one code's rows in parts by the hash of the rate. Equal facts have equal hashes: they share a part."""
    bounds = np.array([(part << 40) // parts for part in range(parts + 1)], np.uint64)
    cuts = []
    for index in indexes:
        start, end = index.rows(rank, rank + 1)
        hashes = index.run.read(start, end).column("hash_0").to_numpy() >> HASH_SHIFT
        cuts.append((index.run, (start + np.searchsorted(hashes, bounds)).tolist()))
    for part in range(parts):
        found = [RunSlice(run, positions[part], positions[part + 1]) for run, positions in cuts]
        yield tuple(each for each in found if each.start < each.end)
