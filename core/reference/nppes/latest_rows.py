"""Find the newest row of each NPI among rows in any order, in memory that does not grow with their number."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from core.runtime.files import delete_file
from core.store.schema.tables import NPPES

_NPIS_PER_PARTITION = 7_812_500
"""NPIs are spread evenly over 1,000,000,000 to 1,999,999,999, which makes 128 partitions of some 70,000 rows each."""

_ROWS_HELD = 2_048
"""Rows of a partition that are held in memory before they are written to its file."""


class LatestRows:
    """Rows of the table nppes, partitioned on disk by ranges of NPIs, so that each range fits in memory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._held: dict[int, list[pl.DataFrame]] = {}
        self._writers: dict[int, pq.ParquetWriter] = {}
        self.new_npis = 0
        """The distinct NPIs among the rows added as new. It is complete when `read` has come to its end."""
        self.outdated = 0
        """Of these NPIs, those of which a row that is not new is newer. It is complete when `read` is."""

    def add(self, rows: pl.DataFrame, *, new: bool) -> None:
        """Add rows. They count as newer than rows added before that NPPES wrote on the same day.

        Rows without any date count as older than rows with one.
        """
        rows = rows.select(
            *NPPES.names,
            is_new=pl.lit(new),
            # NPPES blanks the row of a deactivated NPI: the deactivation is its date.
            written_on=pl.max_horizontal("updated_on", "deactivated_on"),
            partition=pl.col("npi").cast(pl.Int64) // _NPIS_PER_PARTITION,
        )
        for (partition,), part in rows.partition_by("partition", as_dict=True, include_key=False).items():
            held = self._held.setdefault(partition, [])
            held.append(part)
            if sum(map(len, held)) >= _ROWS_HELD:
                self._write_held(partition)

    def read(self) -> Iterator[pa.Table]:
        """Yield one row per NPI, sorted, with the columns of nppes: the newest row.

        NPPES blanks the row of a deactivated NPI. Such an NPI keeps the name and address of its newest row that has
        them.
        """
        for partition in list(self._held):
            self._write_held(partition)
        for writer in self._writers.values():
            writer.close()
        for partition in sorted(self._writers):
            path = self._path(partition)
            rows = pl.read_parquet(path, glob=False).sort("npi", "written_on", nulls_last=False, maintain_order=True)
            delete_file(path)
            newest = _newest_rows(rows)
            new_npis = rows.filter(pl.col("is_new"))["npi"].unique()
            self.new_npis += len(new_npis)
            self.outdated += newest.filter(~pl.col("is_new") & pl.col("npi").is_in(new_npis.implode())).height
            yield newest.select(NPPES.names).to_arrow().cast(NPPES.arrow)

    def _write_held(self, partition: int) -> None:
        held = self._held.pop(partition, None)
        if held:
            table = pl.concat(held).to_arrow()
            if partition not in self._writers:
                self._writers[partition] = pq.ParquetWriter(self._path(partition), table.schema, compression="zstd")
            self._writers[partition].write_table(table)

    def _path(self, partition: int) -> Path:
        return self._directory / f"nppes-{partition}.parquet"


def _newest_rows(rows: pl.DataFrame) -> pl.DataFrame:
    """Return one row per NPI of rows that are sorted by NPI, the oldest first."""
    is_last = pl.col("npi").ne_missing(pl.col("npi").shift(-1))
    last = rows.filter(is_last)
    if len(last) == len(rows):
        return rows
    # Sort rows that are not blank behind blank ones, each by their own date: the last of each NPI is then the newest
    # that has a name. Whether an NPI is deactivated, and since when, comes from the newest row, blank or not.
    named = rows.sort(
        "npi", pl.col("entity_type").is_not_null(), "updated_on", nulls_last=False, maintain_order=True
    ).filter(is_last)
    return named.with_columns(last["deactivated_on"], last["is_new"])
