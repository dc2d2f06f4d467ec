"""Price rows on disk, in sorted runs, and merged from them in order.

A price row is one price with the keys of the provider groups it holds for: about a tenth of the fact rows that come of
it where groups are named by reference. Rows are ordered by billing code and by the hash of the fact's rate part, so
that all rows that can give the same fact stand together.
"""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
import pyarrow as pa

from core.store import ids
from core.store.merge import merge_sorted

PRICE_KEY = ("code_type", "code", "rate_hash_0", "rate_hash_1")
"""The order of a run. The hash's two halves are compared as numbers; which is first does not matter."""

RUN_PRICES = 250_000
RUN_GROUPS = 4_000_000
BLOCK_GROUPS = 1 << 17
"""Blocks of a run are cut so that they unfold to about this many fact rows."""

MERGED_AT_ONCE = 48
"""Runs are first merged into longer ones when there are more than this, to bound open files and memory."""


class Head(NamedTuple):
    """What an item says of all its prices."""

    code_type: str
    code: str
    negotiation_arrangement: str | None
    severity_of_illness: str | None


class Terms(NamedTuple):
    """What a price says besides its rate."""

    negotiated_type: str | None
    expiration_date: str | None
    billing_class: str | None
    setting: str | None
    billing_code_modifier: str
    pos_set_id: str


@dataclass
class Prices:
    """Price rows in memory, as columns."""

    heads: dict[Head, int] = field(default_factory=dict)
    terms: dict[Terms, int] = field(default_factory=dict)
    head_of: "array[int]" = field(default_factory=lambda: array("I"))
    terms_of: "array[int]" = field(default_factory=lambda: array("I"))
    rate: "array[float]" = field(default_factory=lambda: array("d"))
    remark: list[str | None] = field(default_factory=list)
    groups: "array[int]" = field(default_factory=lambda: array("Q"))
    group_ends: "array[int]" = field(default_factory=lambda: array("q", [0]))

    def add(self, head: int, terms: int, rate: float, remark: str | None, groups: "array[int]") -> None:
        """Takes in one price row; `head` and `terms` are values of the two dictionaries."""
        self.head_of.append(head)
        self.terms_of.append(terms)
        self.rate.append(rate)
        self.remark.append(remark)
        self.groups.extend(groups)
        self.group_ends.append(len(self.groups))

    @property
    def full(self) -> bool:
        """Whether it is time to write a run."""
        return len(self.rate) >= RUN_PRICES or len(self.groups) >= RUN_GROUPS

    def frame(self) -> pl.DataFrame:
        """The rows with the columns of the fact's rate part, additional_information, the hash and the groups."""
        heads = pl.DataFrame(list(self.heads), schema=dict.fromkeys(Head._fields, pl.String), orient="row")
        terms = pl.DataFrame(list(self.terms), schema=dict.fromkeys(Terms._fields, pl.String), orient="row")
        rows = pl.concat(
            [
                heads.select(pl.all().gather(pl.Series(np.frombuffer(self.head_of, np.uint32)))),
                terms.select(pl.all().gather(pl.Series(np.frombuffer(self.terms_of, np.uint32)))),
                pl.DataFrame({"negotiated_rate": np.frombuffer(self.rate, np.float64)}),
                pl.DataFrame({"additional_information": self.remark}, schema={"additional_information": pl.String}),
            ],
            how="horizontal",
        )
        words = ids.part_hash(rows, ids.RATE_PART)
        groups = pa.LargeListArray.from_arrays(
            pa.array(np.frombuffer(self.group_ends, np.int64)), pa.array(np.frombuffer(self.groups, np.uint64))
        )
        return rows.with_columns(
            rate_hash_0=pl.Series(words[:, 0]), rate_hash_1=pl.Series(words[:, 1]), groups=pl.Series(groups)
        )


class Runs:
    """The sorted runs of one file, below one directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._paths: list[Path] = []
        self._written = 0

    def write(self, prices: Prices) -> None:
        """Sorts the rows and writes them as one more run."""
        if not prices.rate:
            return
        frame = prices.frame().sort(PRICE_KEY, maintain_order=True)
        mean_groups = max(len(prices.groups) // len(frame), 1)
        self._write(iter([frame.to_arrow(compat_level=pl.CompatLevel.oldest())]), max(BLOCK_GROUPS // mean_groups, 1))

    def merged(self) -> Iterator[pl.DataFrame]:
        """All rows, in order; those of one PRICE_KEY come in one block, in the order in which they were written."""
        while len(self._paths) > MERGED_AT_ONCE:
            self._merge_first()
        for table in merge_sorted([_blocks(path) for path in self._paths], PRICE_KEY, whole_keys=True):
            yield pl.DataFrame(table)

    def _merge_first(self) -> None:
        """Merges the first runs into one that takes their place."""
        first, rest = self._paths[:MERGED_AT_ONCE], self._paths[MERGED_AT_ONCE:]
        self._paths = []
        self._write(merge_sorted([_blocks(path) for path in first], PRICE_KEY, whole_keys=True), None)
        self._paths += rest
        for path in first:
            path.unlink()

    def _write(self, tables: Iterator[pa.Table], block_rows: int | None) -> None:
        path = self._directory / f"run-{self._written:06}.arrow"
        options = pa.ipc.IpcWriteOptions(compression="lz4")
        writer = None
        try:
            for table in tables:
                writer = writer or pa.ipc.new_file(str(path), table.schema, options=options)
                writer.write_table(table, max_chunksize=block_rows)
        finally:
            if writer:
                writer.close()
        self._paths.append(path)
        self._written += 1


def _blocks(path: Path) -> Iterator[pa.Table]:
    with pa.OSFile(str(path)) as file, pa.ipc.open_file(file) as reader:
        for block in range(reader.num_record_batches):
            yield pa.Table.from_batches([reader.get_batch(block)])
