"""Stores that the site leaves open from one test to the next: to open one takes as long as many a test."""

from collections import OrderedDict
from pathlib import Path

from core import open_store
from core.queries.rules.rate_kinds import MACROS
from core.store.query_limits import QueryLimits
from core.store.reader import Reader

MOST = 9
"""A store has up to three readers: for quick questions, for heavy ones, and for commands."""


class KeptReaders:
    """The readers of open_store.py, of which those that were used lately stay open.

    A reader is found by what it may use as well, so that a test may set other limits.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[Path, str, QueryLimits], Reader] = OrderedDict()

    def __call__(self, root: Path, use: str) -> Reader:
        """Return the reader of a data directory for one use."""
        limits = open_store._LIMITS[use]()
        key = (root, use, limits)
        if key not in self._kept:
            beside = self(root, "quick") if use == "heavy" else None
            self._kept[key] = Reader(open_store.store(), limits, MACROS, beside)
        self._kept.move_to_end(key)
        while len(self._kept) > MOST:
            self._kept.popitem(last=False)
        return self._kept[key]

    def cache_clear(self) -> None:
        """Close all of them."""
        self._kept.clear()
