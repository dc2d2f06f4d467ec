"""The rates of an item that are read together."""

from collections.abc import Iterable, Sequence

import msgspec

from core.tic.decode import ItemObject, RateObject


class ItemRates(msgspec.Struct, frozen=True, gc=False):
    """An item, the rates of it that one piece has, and where the item is in the file."""

    item: ItemObject
    rates: list[RateObject]
    seq: int
    positions: Sequence[int] | None = None
    """Where the rates are among those of the piece, if some were left out."""

    def numbered_rates(self) -> Iterable[tuple[int, RateObject]]:
        """Return the rates with their positions."""
        return enumerate(self.rates) if self.positions is None else zip(self.positions, self.rates, strict=True)
