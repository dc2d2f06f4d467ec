"""The connections of a generation in which markets are asked: each for one question's page at a time, then for another.

They keep plans, so the one that was used last is taken first, and few are kept.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import duckdb

from core.store.market.market_connection import MAX_BYTES, MarketConnection


class MarketConnections:
    """Connections to one database, which `open_database` opens when the first is needed. Several threads may ask.

    At most `most_idle` are kept while nobody uses them.
    """

    def __init__(self, open_database: Callable[[], duckdb.DuckDBPyConnection], most_idle: int) -> None:
        self._open_database = open_database
        self._most_idle = most_idle
        self._lock = threading.Lock()
        self._database: duckdb.DuckDBPyConnection | None = None
        self.idle: list[MarketConnection] = []

    @contextmanager
    def take(self) -> Iterator[MarketConnection]:
        """Yield a connection that nobody else uses until it is given back."""
        connection = self._take_idle() or MarketConnection(self._opened().cursor())
        try:
            yield connection
        except BaseException:
            # A query that failed or was stopped may have left the connection in any state.
            connection.close()
            raise
        if len(self.idle) >= self._most_idle:
            connection.close()
            return
        connection.show({})
        if connection.memory_in_use() > MAX_BYTES:
            # Connections that nobody needs now keep plans as well.
            while (other := self._take_idle()) is not None:
                other.close()
            if connection.memory_in_use() > MAX_BYTES:
                connection.forget_older_plans()
        self.idle.append(connection)

    def _take_idle(self) -> MarketConnection | None:
        """Return the idle connection used last, or None: its questions are planned, and its memory is in the caches."""
        try:
            return self.idle.pop()
        except IndexError:  # another thread may have taken the last one since somebody looked
            return None

    def _opened(self) -> duckdb.DuckDBPyConnection:
        with self._lock:
            if self._database is None:
                self._database = self._open_database()
            return self._database
