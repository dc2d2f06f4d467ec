"""The sizes of lists of groups that no filter wants, found for thousands of rates in one go.

In a load with a filter nearly every rate asks for such a list. A dict of some ten thousand texts does not fit in a
processor's cache, and each look-up in it waits for memory several times: it was the most expensive step after decoding.
Here the places to look at are computed from the hashes of all texts, and numpy reads them together.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

PLACES = 1 << 18
"""A power of two, several times as large as the number of different lists that most files have. 3 MB of memory."""

Hashes = npt.NDArray[np.int64]


def hash_texts(texts: Sequence[bytes]) -> Hashes:
    """Return the hashes of texts, which are Python's own: 64 bits, keyed anew in each process.

    Equal hashes are taken for equal texts. A million different lists in a file would be confused once in 30 million
    files, and no file can be made to do it.
    """
    return np.fromiter(map(hash, texts), np.int64, len(texts))


class UnwantedLists:
    """Sizes by the hash of a list's text. A list that finds its places taken takes one over, so some are forgotten."""

    def __init__(self) -> None:
        self._hashes = np.zeros(PLACES, np.int64)
        self._sizes = np.zeros(PLACES, np.int32)

    def sizes_of(self, hashes: Hashes) -> npt.NDArray[np.int64]:
        """Return the sizes of lists, 0 for those that are not known here."""
        first, second = _places(hashes)
        found = np.where(self._hashes[first] == hashes, self._sizes[first], 0)
        missed = np.flatnonzero(found == 0)
        if len(missed):
            second = second[missed]
            found[missed] = np.where(self._hashes[second] == hashes[missed], self._sizes[second], 0)
        return found.astype(np.int64)

    def add(self, hashes: Hashes, sizes: npt.NDArray[np.int64]) -> None:
        """Remember lists of the given sizes, none of which is 0."""
        first, second = _places(hashes)
        is_free = (self._sizes[first] == 0) | (self._hashes[first] == hashes)
        place = np.where(is_free, first, second)
        self._hashes[place] = hashes
        self._sizes[place] = sizes


def _places(hashes: Hashes) -> tuple[Hashes, Hashes]:
    """Return the two places of each list."""
    return hashes & (PLACES - 1), (hashes >> 24) & (PLACES - 1)
