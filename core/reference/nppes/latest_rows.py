"""The newest row of each NPI, from rows in any order and number, in memory that does not grow with them."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from core.store.schema.tables import NPPES

_SHARE = 7_812_500
"""NPIs are spread evenly over 1,000,000,000 to 1,999,999,999: so many numbers a share make 128 shares of 70,000."""

_HELD = 2_048
"""Rows of a share that are held before they are put aside."""


class LatestRows:
    """Rows of the table nppes, put aside by their number in a directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._held: dict[int, list[pl.DataFrame]] = {}
        self._writers: dict[int, pq.ParquetWriter] = {}
        self.new_npis = 0
        """How many NPIs the rows that were added as new have, once `latest` has come to its end."""

    def add(self, rows: pl.DataFrame, *, new: bool) -> None:
        """Adds rows, newer than those before."""
        rows = rows.with_columns(is_new=pl.lit(new), share=pl.col("npi").cast(pl.Int64) // _SHARE)
        for (share,), part in rows.partition_by("share", as_dict=True, include_key=False).items():
            held = self._held.setdefault(share, [])
            held.append(part)
            if sum(map(len, held)) >= _HELD:
                self._put_aside(share)

    def latest(self) -> Iterator[pa.Table]:
        """One row an NPI, sorted, with nppes's columns: the row that was added last.

        NPPES blanks the row of a deactivated NPI: it then has the words of the newest row that is not blank.
        """
        for share in list(self._held):
            self._put_aside(share)
        for writer in self._writers.values():
            writer.close()
        for share in sorted(self._writers):
            rows = pl.read_parquet(self._path(share), glob=False).sort("npi", maintain_order=True)
            self._path(share).unlink()
            self.new_npis += rows.filter(pl.col("is_new"))["npi"].n_unique()
            yield _newest(rows).select(NPPES.names).to_arrow().cast(NPPES.arrow)

    def _put_aside(self, share: int) -> None:
        held = self._held.pop(share, None)
        if held:
            table = pl.concat(held).to_arrow()
            if share not in self._writers:
                self._writers[share] = pq.ParquetWriter(self._path(share), table.schema, compression="zstd")
            self._writers[share].write_table(table)

    def _path(self, share: int) -> Path:
        return self._directory / f"nppes-{share}.parquet"


def _newest(rows: pl.DataFrame) -> pl.DataFrame:
    """One row for each NPI of rows that are sorted by it, the oldest first."""
    is_last = pl.col("npi").ne_missing(pl.col("npi").shift(-1))
    last = rows.filter(is_last)
    if len(last) == len(rows):
        return rows
    # The rows that are not blank put behind those that are, the last of each NPI has the words.
    words = rows.sort("npi", pl.col("entity_type").is_not_null(), maintain_order=True).filter(is_last)
    return words.with_columns(last["deactivated_on"])
