"""The rates of many items at once, where nothing is unusual.

Nearly all rates of a file name their groups by reference, and have prices whose texts were met before. Each step here
is one call for all rates of a chunk, which takes half the time of a loop over them. An item with anything else is
*odd*: the Flattener looks at its rates one by one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import numpy.typing as npt
from msgspec import Raw

from core.load.flatten.item_fields import ItemFieldsReader
from core.load.flatten.item_rates import ItemRates
from core.load.flatten.price_fields import RATE_KEY
from core.load.flatten.rate_groups import RateGroupReader
from core.load.staging.price_field_cache import PriceFieldCache
from core.tic.decode import ABSENT, texts_of

RATES_AT_ONCE = 1000
"""How many rates are read together: their texts fit in a processor's cache."""


@dataclass(frozen=True)
class PlainRates:
    """Price rows of some items, column by column.

    Of the items at the positions `odd` nothing is right.
    """

    numbers: list[int]
    """The number of each item."""
    odd: list[int]
    rows: npt.NDArray[np.int64]
    """For each item, the fact rows of its prices."""
    ends: npt.NDArray[np.int64]
    """Where each item's price rows begin, and the end."""
    item_fields: npt.NDArray[np.uint32]
    price_fields: npt.NDArray[np.uint32]
    rate: npt.NDArray[np.float64]
    group_list: npt.NDArray[np.uint32]


def cut_into_blocks(items: Sequence[ItemRates]) -> Iterator[Sequence[ItemRates]]:
    """Yield some items at a time, with at least RATES_AT_ONCE rates."""
    start = rates = 0
    for end, each in enumerate(items, 1):
        rates += len(each.rates)
        if rates >= RATES_AT_ONCE:
            yield items[start:end]
            start, rates = end, 0
    if start < len(items):
        yield items[start:]


def read_plain_rates(
    items: Sequence[ItemRates],
    item_fields: ItemFieldsReader,
    groups: RateGroupReader,
    cache: PriceFieldCache,
    max_groups: int,
) -> PlainRates | None:
    """Return the price rows of items, or None if some groups are written out at their rates.

    A list of more than `max_groups` groups is odd.
    """
    rates = [rate for each in items for rate in each.rates]
    if not rates or [rate.provider_groups for rate in rates].count(ABSENT) < len(rates):
        return None
    numbers = item_fields.numbers_of(items, cache)
    item_numbers, rates_of_item = np.array(numbers, np.int64), np.array([len(each.rates) for each in items], np.int64)
    item_of_rate = np.repeat(np.arange(len(items)), rates_of_item)
    lists = groups.find_lists(texts_of([rate.provider_references for rate in rates]))
    # A copy: the array of sizes cannot grow while numpy refers to its memory.
    list_sizes = np.array(groups.lists.sizes, np.int64)
    sizes = np.where(lists < 0, 0, list_sizes.take(lists, mode="clip") if len(list_sizes) else 0)
    prices = [rate.negotiated_prices or () for rate in rates]
    counts = np.array(list(map(len, prices)), np.int64)
    # What no filter wants was left out before, but for rates that had to be examined: those are odd.
    kept = (counts > 0) & (sizes > 0) & (sizes <= max_groups) & (item_numbers >= 0)[item_of_rate]
    if kept.all():
        texts = list(map(bytes, chain.from_iterable(prices)))
    else:
        some: list[Sequence[Raw]] = [prices[position] for position in np.flatnonzero(kept).tolist()]
        texts = list(map(bytes, chain.from_iterable(some)))
    fields, amounts = _read_prices(texts, cache)
    # NaN and what is not a number fail both tests; so do rates that are to be rejected.
    fine = (fields >= 0) & (amounts >= 0) & (amounts < np.inf)
    rate_of_price = np.repeat(np.flatnonzero(kept), counts[kept])
    item_of_price = item_of_rate[rate_of_price]
    odd = np.zeros(len(items), np.bool_)
    odd[item_of_rate[~kept]] = True
    odd[item_of_price[~fine]] = True
    return PlainRates(
        numbers=numbers,
        odd=np.flatnonzero(odd).tolist(),
        rows=_sum_by_item(item_of_rate, sizes * counts * kept, len(items)),
        ends=np.searchsorted(item_of_price, np.arange(len(items) + 1)),
        item_fields=item_numbers[item_of_price].astype(np.uint32),
        price_fields=fields.astype(np.uint32),
        rate=amounts + 0.0,  # turns -0.0 into 0.0, which has another hash
        group_list=lists[rate_of_price].astype(np.uint32),
    )


def _read_prices(texts: list[bytes], cache: PriceFieldCache) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Return the numbers of the fields of prices, -1 if not known, and the rates, NaN if they are not plain numbers.

    Prices that begin like the first one ever read, as all of some payers' do, are looked up by what follows their
    rates: joining it to what comes before would take as long as the search.
    """
    head, size = cache.price_head, len(cache.price_head)
    if [text[:size] for text in texts].count(head) == len(texts) and size:
        starts, known = [size] * len(texts), cache.by_price_tail
        ends = [text.find(b",", size) for text in texts]
        keys = [text[end:] for text, end in zip(texts, ends, strict=True)]
    else:
        starts, known = [text.find(RATE_KEY) + len(RATE_KEY) for text in texts], cache.by_price_text
        ends = [text.find(b",", start) for text, start in zip(texts, starts, strict=True)]
        keys = [text[:start] + text[end:] for text, start, end in zip(texts, starts, ends, strict=True)]
    found = list(map(known.get, keys))
    if None in found:
        found = [-1 if number is None else number for number in found]
    amounts = [text[start:end] for text, start, end in zip(texts, starts, ends, strict=True)]
    try:
        rates = list(map(float, amounts))
    except ValueError:
        rates = list(map(_float_or_nan, amounts))
    return np.array(found, np.int64), np.array(rates, np.float64)


def _float_or_nan(text: bytes) -> float:
    try:
        return float(text)
    except ValueError:
        return np.nan


def _sum_by_item(item_of: npt.NDArray[np.intp], values: npt.NDArray[np.int64], count: int) -> npt.NDArray[np.int64]:
    # Sums of floats are exact up to 2**53, which no chunk's rows reach.
    return np.bincount(item_of, values, minlength=count).astype(np.int64)
