"""The newest row of each NPI, from files of any order and size, in memory that does not grow with them."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from core.store.merge import merge_sorted
from core.store.schema import NPPES

_BLOCK = 8_192
"""Rows of each sorted run that are at hand while the runs are merged."""

_WORDS = [name for name in NPPES.names if name not in {"npi", "deactivated_on"}]


class SortedRuns:
    """Rows of the table nppes, put aside in sorted runs of some `run` rows in a directory."""

    def __init__(self, directory: Path, run: int = 200_000) -> None:
        self._directory = directory
        self._run = run
        self._paths: list[Path] = []
        self._held: list[pl.DataFrame] = []
        self._held_rows = 0

    def add(self, rows: pl.DataFrame) -> None:
        """Adds rows, newer than those before."""
        self._held.append(rows)
        self._held_rows += len(rows)
        if self._held_rows >= self._run:
            self._put_aside()

    def streams(self) -> list[Iterator[pa.Table]]:
        """The runs, each sorted by NPI, older ones first."""
        self._put_aside()
        return [row_groups(path) for path in self._paths]

    def _put_aside(self) -> None:
        if not self._held:
            return
        path = self._directory / f"nppes-{len(self._paths):04}.parquet"
        rows = pl.concat(self._held).sort("npi", maintain_order=True)
        pq.write_table(rows.to_arrow().cast(NPPES.arrow), path, row_group_size=_BLOCK, compression="zstd")
        self._paths.append(path)
        self._held, self._held_rows = [], 0


class Latest:
    """One row an NPI, sorted, of `old` and `new` streams that are sorted each: the row of the last stream that has it.

    NPPES blanks the row of a deactivated NPI: it then has the words of the newest row that is not blank.
    """

    def __init__(self, old: list[Iterator[pa.Table]], new: list[Iterator[pa.Table]]) -> None:
        self._streams = [
            *(_marked(stream, new=False) for stream in old),
            *(_marked(stream, new=True) for stream in new),
        ]
        self.new_npis = 0
        """How many NPIs the new streams have, once `blocks` has come to its end."""

    def blocks(self) -> Iterator[pa.Table]:
        """The rows, as tables with nppes's columns."""
        for block in merge_sorted(self._streams, NPPES.key, whole_keys=True):
            rows = pl.DataFrame(block)
            self.new_npis += rows.filter(pl.col("is_new"))["npi"].n_unique()
            again = rows["npi"].is_duplicated()
            if again.any():
                rows = pl.concat([rows.filter(~again), _newest(rows.filter(again))]).sort("npi")
            yield rows.drop("is_new").to_arrow().cast(NPPES.arrow)


def _marked(stream: Iterator[pa.Table], *, new: bool) -> Iterator[pa.Table]:
    for block in stream:
        yield block.append_column("is_new", pa.repeat(pa.scalar(new), len(block)))


def _newest(rows: pl.DataFrame) -> pl.DataFrame:
    known = pl.col("entity_type").is_not_null()
    words = [
        pl.when(known.any()).then(pl.col(name).filter(known).last()).otherwise(pl.col(name).last()) for name in _WORDS
    ]
    newest = rows.group_by("npi", maintain_order=True).agg(*words, pl.col("deactivated_on", "is_new").last())
    return newest.select(rows.columns)


def row_groups(path: Path) -> Iterator[pa.Table]:
    """The row groups of a file of the table nppes."""
    with pq.ParquetFile(path) as file:
        for group in range(file.num_row_groups):
            yield file.read_row_group(group)
