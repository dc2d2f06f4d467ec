"""Keep what was read of recent markets in memory, for the many questions of a page and the pages after it."""

import threading
from collections.abc import Callable, Hashable
from typing import Any

import pyarrow as pa
from cachetools import LRUCache

from core.runtime.metrics import count_lookup

MarketKey = tuple[Hashable, ...]

MAX_BYTES = 48 << 20
"""The facts of the commonest code of 17 million have 40 MB, those of most codes less than one."""


class MarketCache:
    """Arrow tables of recent markets, the least recently used of which go first. No table is ever changed.

    A table that somebody is making is not made by anybody else at the same time.
    """

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._lock = threading.Lock()
        self._tables: LRUCache[MarketKey, pa.Table] = LRUCache(max_bytes, getsizeof=_size)
        self._being_made: dict[MarketKey, threading.Lock] = {}

    @property
    def size(self) -> int:
        """Return the number of tables that are kept."""
        return len(self._tables)

    @property
    def bytes(self) -> int:
        """Return how many bytes the tables have together."""
        return int(self._tables.currsize)

    def get(self, key: MarketKey) -> pa.Table | None:
        """Return a table if it is kept."""
        with self._lock:
            found: pa.Table | None = self._tables.get(key)
            return found

    def get_or_make(self, key: MarketKey, make: Callable[[], pa.Table | None]) -> pa.Table | None:
        """Return a table that is kept, or else what `make` returns, which is kept from then on unless it is None."""
        with self._lock:
            making = self._being_made.setdefault(key, threading.Lock())
        try:
            with making:
                found = self.get(key)
                count_lookup("markets", found=found is not None)
                if found is None and (found := make()) is not None:
                    self._keep(key, found)
                return found
        finally:
            with self._lock:
                self._being_made.pop(key, None)

    def make(self, key: MarketKey, make: Callable[[], pa.Table]) -> pa.Table:
        """Return a table that is kept, or else what `make` returns, which is kept from then on."""
        found = self.get_or_make(key, make)
        assert found is not None  # noqa: S101 - `make` returns one
        return found

    def _keep(self, key: MarketKey, table: pa.Table) -> None:
        with self._lock:
            if _size(table) <= self._tables.maxsize:
                self._tables[key] = table


def _size(table: Any) -> int:
    # An empty table is an answer too, and costs something to keep.
    return int(table.nbytes) + 1_000
