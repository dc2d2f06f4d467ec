"""Leave out the rates that no filter wants, before anything else is done with them.

In a load with a filter nearly all rates are of this kind, so one of them may cost no more than looking up its list of
groups, whose size is needed to count its rows. Each step is one call for all rates of some items.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby

import msgspec
import numpy as np
import numpy.typing as npt

from core.load.flatten.item_fields import NOT_WANTED, ItemFieldsReader
from core.load.flatten.item_rates import ItemRates
from core.load.flatten.plain_rates import cut_into_blocks
from core.load.flatten.rate_groups import RateGroupReader
from core.load.staging.price_field_cache import PriceFieldCache
from core.tic.decode import ABSENT, RateObject, texts_of


class UnwantedRates:
    """Finds the rates of items that are to be examined. `rows` counts the fact rows of all others.

    Others are those none of whose groups is wanted, and those whose code is not. A rate that lacks prices or groups, or
    that has its groups written out, is examined in any case: what it contains is not known before.
    """

    def __init__(self, item_fields: ItemFieldsReader, groups: RateGroupReader, cache: PriceFieldCache) -> None:
        self._item_fields = item_fields
        self._groups = groups
        self._cache = cache
        self.rows = 0

    def leave_out(self, items: Sequence[ItemRates]) -> list[ItemRates]:
        """Return the items with the rates that are to be examined, without those that have none."""
        return [each for block in cut_into_blocks(items) for each in self._examined(block)]

    def _examined(self, items: Sequence[ItemRates]) -> Iterator[ItemRates]:
        rates = [rate for each in items for rate in each.rates]
        counts = _count_prices(rates)
        texts = texts_of([rate.provider_references for rate in rates])
        groups = [rate.provider_groups for rate in rates]
        written_out = []
        if groups.count(ABSENT) < len(groups):
            written_out = [position for position, each in enumerate(groups) if each is not ABSENT]
        for position in written_out:
            texts[position] = b""
        lists = self._groups.find_lists(texts)
        ends = np.cumsum([len(each.rates) for each in items])
        sizes = np.maximum(-lists, 0)
        if self._item_fields.decides_by_code:
            self._size_lists_of_unwanted_codes(items, ends, lists, sizes)
        # Lists of a known size are left out. An empty one has to be examined, for its key may be misspelt.
        examined = (sizes == 0) | (counts == 0)
        examined[written_out] = True
        self.rows += int((sizes * counts)[~examined].sum())
        positions = np.flatnonzero(examined)
        owners = np.searchsorted(ends, positions, side="right").tolist()
        starts = (ends - np.diff(ends, prepend=0)).tolist()
        for owner, some in groupby(zip(owners, positions.tolist(), strict=True), key=lambda each: each[0]):
            item = items[owner]
            within = [position - starts[owner] for _, position in some]
            some_rates = [item.rates[position] for position in within]
            yield msgspec.structs.replace(item, rates=some_rates, positions=within)

    def _size_lists_of_unwanted_codes(
        self,
        items: Sequence[ItemRates],
        ends: npt.NDArray[np.int64],
        lists: npt.NDArray[np.int64],
        sizes: npt.NDArray[np.int64],
    ) -> None:
        """Set the sizes of the lists of rates whose code no filter wants."""
        numbers = [self._item_fields.number_of(each.item, self._cache) if each.rates else 0 for each in items]
        is_unwanted = np.repeat(np.array(numbers, np.int64) == NOT_WANTED, np.diff(ends, prepend=0))
        unwanted = np.flatnonzero(is_unwanted & (lists >= 0))
        if len(unwanted):
            # A copy: the array of sizes cannot grow while numpy refers to its memory.
            sizes[unwanted] = np.array(self._groups.lists.sizes, np.int64)[lists[unwanted]]


def _count_prices(rates: Sequence[RateObject]) -> npt.NDArray[np.int64]:
    prices = [rate.negotiated_prices for rate in rates]
    try:
        return np.fromiter(map(len, prices), np.int64, len(prices))  # type: ignore[arg-type]
    except TypeError:  # some rate has none
        return np.array([len(each or ()) for each in prices], np.int64)
