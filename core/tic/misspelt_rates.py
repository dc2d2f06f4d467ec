"""Rates with a misspelt key, which the typed decoder reads as rates that lack something.

An item's first rate tells whether its rates are misspelt, and then the item is read the lenient way. Where only a later
rate is, this shows when that rate turns out to have no prices or no provider groups. Looking at every rate before would
cost some percent of the time of reading, for a mistake that is rare.
"""

from msgspec import Raw

from core.tic import decode
from core.tic.array_splitter import ElementChunk
from core.tic.decode import RateObject
from core.tic.lenient_json import Notes


class MisspeltRates:
    """Reads rates of one chunk again. `notes` count those that have a misspelt key."""

    def __init__(self, chunk: ElementChunk, notes: Notes) -> None:
        self._chunk = chunk
        self._notes = notes
        self._elements: list[Raw] | None = None
        self._item = -1
        self._rates: list[Raw] = []

    def read(self, element: int, rate: int) -> RateObject | None:
        """Return a rate of an element of the chunk with its keys put right, or None if none of them is misspelt.

        The elements of a giant item's chunk are rates, so `element` does not matter there.
        """
        # A file in which one rate lacks prices may have millions of them, so texts are split once.
        if self._elements is None:
            self._elements = decode.split_elements(self._chunk.text)
        if self._chunk.head is not None:
            rates = self._elements
        else:
            if element != self._item and element < len(self._elements):
                self._item, self._rates = element, decode.split_rates(self._elements[element])
            rates = self._rates if element == self._item else []
        return decode.read_misspelt_rate(bytes(rates[rate]), self._notes) if rate < len(rates) else None
