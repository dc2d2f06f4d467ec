"""Keep the rates of recent markets in memory, for the many queries of a page and the pages after it."""

import threading
from dataclasses import dataclass
from typing import Any

import duckdb

from core.runtime.metrics import count_lookup

MarketKey = tuple[Any, ...]


@dataclass(frozen=True)
class _KeptMarket:
    key: MarketKey
    rows: int
    connection: duckdb.DuckDBPyConnection


class MarketCache:
    """Connections that each hold one market's `counted_rate`: the most recent ones, up to a number of rows in all."""

    def __init__(self, max_markets: int = 24, max_rows: int = 500_000) -> None:
        self._max_markets = max_markets
        self._max_rows = max_rows
        self._lock = threading.Lock()
        self._kept: list[_KeptMarket] = []

    @property
    def size(self) -> int:
        """Return the number of markets that are kept."""
        return len(self._kept)

    def take(self, key: MarketKey) -> duckdb.DuckDBPyConnection | None:
        """Return the connection of a market, for this caller alone until it is put back. None if it is not kept."""
        connection = self._take(key)
        count_lookup("markets", found=connection is not None)
        return connection

    def _take(self, key: MarketKey) -> duckdb.DuckDBPyConnection | None:
        with self._lock:
            for position, market in enumerate(self._kept):
                if market.key == key:
                    del self._kept[position]
                    return market.connection
        return None

    def put_back(self, key: MarketKey, connection: duckdb.DuckDBPyConnection) -> None:
        """Keep a connection, and close the oldest ones beyond the limits."""
        rows = connection.execute("SELECT count(*) FROM counted_rate").fetchall()[0][0]
        with self._lock:
            self._kept.append(_KeptMarket(key, rows, connection))
            while len(self._kept) > self._max_markets or sum(market.rows for market in self._kept) > self._max_rows:
                self._kept.pop(0).connection.close()
