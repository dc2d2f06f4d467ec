"""The distinct item fields and price fields of a file, each stored once and referred to by number."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from core.load.load_sizes import DEFAULT_SIZES
from core.load.staging.price_runs import ItemFields, PriceFields


@dataclass
class PriceFieldCache:
    """The item fields and price fields met so far, by number. The numbers outlive the runs that refer to them."""

    max_bytes: int = DEFAULT_SIZES.cached_field_bytes
    item_numbers: dict[ItemFields, int] = field(default_factory=dict)
    items: list[ItemFields] = field(default_factory=list)
    """The item fields in the order of their numbers."""
    by_item_text: dict[tuple[Any, ...], dict[str, int]] = field(default_factory=dict)
    """Numbers of item fields as the file spells them: by everything but the code, then by the code. A negative number
    stands for an item that is not loaded, see `item_fields`."""
    described: bytearray = field(default_factory=bytearray)
    """For each item number, which texts about its code were spooled: 1 for a description, 2 for a name."""
    price_numbers: dict[tuple[PriceFields, bool], int] = field(default_factory=dict)
    """By the fields, and whether the expiration date is unreadable: the fields of such a price equal those of a price
    without a date, but only the former are counted."""
    by_price_text: dict[bytes, int] = field(default_factory=dict)
    """Numbers of price fields by the price's JSON text without its rate."""
    price_head: bytes = b""
    """What comes before the rate in the first price that was read."""
    by_price_tail: dict[bytes, int] = field(default_factory=dict)
    """Numbers of price fields by what follows the rate, for prices that begin with `price_head`."""
    with_odd_dates: set[int] = field(default_factory=set)
    """Numbers of price fields whose expiration date is unreadable."""
    text_bytes: int = 0

    def number_of_item(self, fields: ItemFields) -> int:
        """Return the number of item fields, a new one if they were not met before."""
        number = self.item_numbers.setdefault(fields, len(self.item_numbers))
        if number == len(self.items):
            self.items.append(fields)
            self.described.append(0)
        return number

    @property
    def price_fields(self) -> Iterator[PriceFields]:
        """Return the price fields in the order of their numbers."""
        return (fields for fields, _ in self.price_numbers)

    @property
    def is_full(self) -> bool:
        """Return whether the cache has outgrown its memory and should start over."""
        return self.text_bytes + 300 * (len(self.item_numbers) + len(self.price_numbers)) > self.max_bytes
