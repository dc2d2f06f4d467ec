"""The price rows of a partition as columns, and the fact rows that they unfold to."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from core.load.facts.run_slices import Partition, read_column, read_fields, read_group_keys, read_rows
from core.load.providers.group_index import GroupIndex
from core.load.staging.price_runs import ItemFields, PriceFields
from core.store.schema import ids


@dataclass(frozen=True)
class Prices:
    """Price rows in the order of their codes, column by column."""

    item_fields: pa.Table
    item_of: npt.NDArray[np.int64]
    """For each row, the position of its item in `item_fields`."""
    price_fields: pa.Table
    fields_of: npt.NDArray[np.int64]
    """For each row, the position of its price's fields in `price_fields`."""
    codes: list[tuple[str, str]]
    """The distinct pairs of a code_type and a code, sorted."""
    code_of: npt.NDArray[np.int32]
    """For each row, the position of its code in `codes`."""
    rate: npt.NDArray[np.float64]
    piece: npt.NDArray[np.uint32]
    hashes: ids.type_of_hash
    """For each row, the hash of the fact's rate part."""
    repeats: npt.NDArray[np.bool_]
    """For each row, whether its list names a group more than once."""


@dataclass(frozen=True)
class FactRows:
    """Fact rows as pairs of numbers: the position of a price row, and the position of a group in the group index."""

    price_of: npt.NDArray[np.int32]
    group_of: npt.NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.price_of)

    def select(self, kept: npt.NDArray[np.bool_]) -> "FactRows":
        """Return some of the rows."""
        return FactRows(self.price_of[kept], self.group_of[kept])

    def uids(
        self,
        prices: Prices,
        groups: GroupIndex,
        scope_hash: npt.NDArray[np.uint64],
        rows: npt.NDArray[Any] | slice = slice(None),
    ) -> ids.type_of_hash:
        """Return the fact_uids of some rows as words: the hashes of the fact's three parts, combined by XOR."""
        words = prices.hashes.take(self.price_of[rows], axis=0)
        words ^= groups.hashes.take(self.group_of[rows], axis=0)
        words ^= scope_hash
        return words


def read_prices(partition: Partition, groups: GroupIndex) -> tuple[Prices, FactRows]:
    """Read a partition's price rows, and unfold them to fact rows.

    Each run is sorted by code, but two runs number their codes differently. So the rows of all runs are sorted once
    more by the rank of their code among the partition's. The sort is stable: equal rows stay in the order of the runs.
    """
    slices = partition.slices
    run_rows = read_rows(slices)
    item_fields, item_of = read_fields(slices, run_rows, "item_fields", ItemFields._fields)
    price_fields, fields_of = read_fields(slices, run_rows, "price_fields", PriceFields._fields)
    code_of_item = list(zip(item_fields["code_type"].to_pylist(), item_fields["code"].to_pylist(), strict=True))
    codes = sorted(set(code_of_item))
    rank = {code: number for number, code in enumerate(codes)}
    code_of = np.array([rank[code] for code in code_of_item], np.int32)[item_of]
    order = np.argsort(code_of, kind="stable")
    hashes = [read_column(run_rows, name)[order] for name in ("hash_0", "hash_1")]
    prices = Prices(
        item_fields=item_fields,
        item_of=item_of[order],
        price_fields=price_fields,
        fields_of=fields_of[order],
        codes=codes,
        code_of=code_of[order],
        rate=read_column(run_rows, "rate")[order],
        piece=read_column(run_rows, "piece")[order],
        hashes=np.stack(hashes, axis=1),
        repeats=read_column(run_rows, "repeats")[order],
    )
    keys, sizes = read_group_keys(run_rows, order)
    rows = FactRows(price_of=np.repeat(np.arange(len(sizes), dtype=np.int32), sizes), group_of=groups.positions(keys))
    return prices, rows
