"""The numbers of lists of groups, found for a thousand rates in one go.

Nearly every rate of a file names a list that was met before. A dict of some ten thousand texts does not fit in a
processor's cache, and each look-up in it waits for memory several times, which was the most expensive step after
decoding. Here the places to look at are computed from the hashes of all texts, and numpy reads them together.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

PLACES = 1 << 18
"""A power of two, several times as large as the number of different lists that most files have: 3 MB of memory."""

_UNKNOWN = np.iinfo(np.int32).min

Hashes = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.int64]


def hash_texts(texts: Sequence[bytes]) -> Hashes:
    """Return the hashes of texts, which are Python's own: 64 bits, keyed with a random number in each process.

    Equal hashes are taken for equal texts. In a file with a million different lists, the chance that two of them are
    confused is one in thirty million, and nobody can write a file in which they are.
    """
    return np.fromiter(map(hash, texts), np.int64, len(texts))


class ListNumbers:
    """Numbers by the hash of a list's text. A list that finds both its places taken replaces one that was there."""

    def __init__(self) -> None:
        self._hashes = np.zeros(PLACES, np.int64)
        self._numbers = np.full(PLACES, _UNKNOWN, np.int32)

    def find(self, hashes: Hashes) -> tuple[Numbers, npt.NDArray[np.intp]]:
        """Return the numbers of lists, and the positions of those whose number is not known here."""
        first, second = _places(hashes)
        found = np.where(self._hashes[first] == hashes, self._numbers[first], _UNKNOWN).astype(np.int64)
        missed = np.flatnonzero(found == _UNKNOWN)
        if len(missed):
            place = second[missed]
            found[missed] = np.where(self._hashes[place] == hashes[missed], self._numbers[place], _UNKNOWN)
        return found, missed[found[missed] == _UNKNOWN]

    def add(self, hashes: Hashes, numbers: Numbers) -> None:
        """Remember the numbers of lists."""
        first, second = _places(hashes)
        is_free = (self._numbers[first] == _UNKNOWN) | (self._hashes[first] == hashes)
        place = np.where(is_free, first, second)
        self._hashes[place] = hashes
        self._numbers[place] = numbers


def _places(hashes: Hashes) -> tuple[Hashes, Hashes]:
    """Return the two places of each list."""
    return hashes & (PLACES - 1), (hashes >> 24) & (PLACES - 1)
