"""Sets of 64-bit group keys."""

from collections.abc import Iterable
from typing import TypeVar

import numpy as np
import numpy.typing as npt

Keys = npt.NDArray[np.uint64]

T = TypeVar("T", np.uint64, np.int32, np.uint32)

FLAG_TABLE_KEYS = 1 << 25
"""Keys below this, which most files' ids are, get a flag in a table of 32 MB at most."""

MIN_PENDING_KEYS = 1 << 20
"""Larger keys are gathered up to this number before they are sorted in."""


class KeySet:
    """Gathers distinct keys from many arrays of them."""

    def __init__(self) -> None:
        self._flags = np.zeros(0, np.bool_)
        self._pending: list[Keys] = []
        self._pending_size = 0
        self._sorted = np.zeros(0, np.uint64)

    def add(self, keys: Keys) -> None:
        """Add keys."""
        small = keys < FLAG_TABLE_KEYS
        if small.all():
            self._flag(keys)
            return
        self._flag(keys[small])
        self._pending.append(keys[~small])
        self._pending_size += len(self._pending[-1])
        # Waiting until as many keys are pending as are sorted keeps the total cost of sorting at n log n.
        if self._pending_size > max(MIN_PENDING_KEYS, len(self._sorted)):
            self._sort_pending()

    def keys(self) -> Keys:
        """Return all keys, distinct and sorted."""
        self._sort_pending()
        return np.concatenate([np.flatnonzero(self._flags).astype(np.uint64), self._sorted])

    def _flag(self, keys: Keys) -> None:
        if not len(keys):
            return
        highest = int(keys.max())
        if highest >= len(self._flags):
            longer = np.zeros(min(2 * highest + 1024, FLAG_TABLE_KEYS), np.bool_)
            longer[: len(self._flags)] = self._flags
            self._flags = longer
        self._flags[keys] = True

    def _sort_pending(self) -> None:
        self._sorted = distinct(np.concatenate([self._sorted, *self._pending]))
        self._pending, self._pending_size = [], 0


def distinct(values: npt.NDArray[T]) -> npt.NDArray[T]:
    """Return the distinct values, sorted. Several times as fast as np.unique, which hashes before it sorts."""
    ordered = np.sort(values)
    first = np.ones(len(ordered), np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
    found: npt.NDArray[T] = ordered[first]
    return found


def union(arrays: Iterable[npt.NDArray[T]]) -> npt.NDArray[T]:
    """Return the distinct values of all arrays, sorted."""
    found = list(arrays)
    return distinct(np.concatenate(found)) if found else np.zeros(0, np.int32)
