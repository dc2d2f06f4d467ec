"""Price rows in memory: one price with the list of the provider groups it applies to.

Where groups are named by reference there are about a tenth as many price rows as fact rows. Lists of groups, and
everything a price says besides its rate, are stored once and referred to by number.
"""

from array import array
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from core.load.staging.group_key_set import distinct
from core.load.staging.price_field_cache import PriceFieldCache
from core.load.staging.price_runs import (
    ItemFields,
    PriceFields,
    PriceRun,
    PriceRunWriter,
    field_table,
    sort_key,
    sorted_codes,
)
from core.load.staging.rate_group_lists import RateGroupLists
from core.store.schema import ids


@dataclass
class PriceRows:
    """The price rows gathered for the next run, column by column. Typed arrays take 8 bytes a value, lists 36."""

    item_fields: "array[int]" = field(default_factory=lambda: array("I"))
    """Numbers in the cache."""
    price_fields: "array[int]" = field(default_factory=lambda: array("I"))
    """Numbers in the cache."""
    rate: "array[float]" = field(default_factory=lambda: array("d"))
    group_list: "array[int]" = field(default_factory=lambda: array("I"))
    """Numbers of lists of provider groups."""
    piece: "array[int]" = field(default_factory=lambda: array("I"))
    piece_start: "array[int]" = field(default_factory=lambda: array("I"))
    """The pieces of the file that the rows come from, and the row at which each piece begins."""
    fact_rows: int = 0
    """The number of fact rows that the price rows unfold to."""

    def write(self, path: Path, cache: PriceFieldCache, lists: RateGroupLists, block_keys: int) -> PriceRun:
        """Sort the rows, write them to `path` as a run, and return it."""
        item_fields = field_table(cache.item_numbers, ItemFields._fields)
        price_fields = field_table(cache.price_fields, PriceFields._fields)
        item_of = np.frombuffer(self.item_fields, np.uint32)
        fields_of = np.frombuffer(self.price_fields, np.uint32)
        rate = np.frombuffer(self.rate, np.float64)
        hashes = ids.rate_hash(item_fields, item_of, price_fields, fields_of, rate)
        codes, code_of_item = sorted_codes(item_fields)
        # A stable sort keeps equal rows in the order of the file: of two equal facts the first one stays.
        order = np.argsort(sort_key(code_of_item[item_of], hashes[:, 0]), kind="stable")
        group_list = np.frombuffer(self.group_list, np.uint32)[order]
        piece_rows = np.diff(np.asarray(self.piece_start), append=len(rate))
        columns = {
            "item_fields": item_of[order],
            "price_fields": fields_of[order],
            "rate": rate[order],
            "hash_0": hashes[order, 0],
            "hash_1": hashes[order, 1],
            "piece": np.repeat(np.asarray(self.piece), piece_rows)[order],
            "repeats": np.frombuffer(lists.repeats, np.bool_)[group_list],
        }
        starts = np.searchsorted(code_of_item[columns["item_fields"]], np.arange(codes.num_rows + 1))
        row = 0
        with PriceRunWriter(path) as writer:
            for block, keys in lists.unfold(group_list, block_keys):
                some = slice(row, row + len(block))
                writer.add({name: column[some] for name, column in columns.items()}, keys)
                row = some.stop
        return writer.finish(item_fields, price_fields, codes, starts)

    def used_keys(self, lists: RateGroupLists, block_keys: int) -> npt.NDArray[np.uint64]:
        """Return the keys of the groups that rows name. A key may appear once for each block."""
        used = distinct(np.frombuffer(self.group_list, np.uint32))
        blocks = (pc.unique(keys.flatten()) for _, keys in lists.unfold(used, block_keys))
        return np.concatenate([np.zeros(0, np.uint64), *blocks])

    def count_odd_dates(self, cache: PriceFieldCache, lists: RateGroupLists) -> int:
        """Return the number of fact rows whose expiration date is unreadable."""
        if not cache.with_odd_dates:
            return 0
        odd = np.isin(np.frombuffer(self.price_fields, np.uint32), list(cache.with_odd_dates))
        sizes = np.frombuffer(lists.sizes, np.uint32)[np.frombuffer(self.group_list, np.uint32)]
        return int(sizes[odd].sum())
