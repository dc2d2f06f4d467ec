"""What a query may use, and the errors of one that would need more."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from core.runtime.errors import BeaconError

_DEADLINE: ContextVar[float] = ContextVar("deadline")
_LIMIT_OF_ALL: ContextVar[float] = ContextVar("limit_of_all")
"""When all queries of what is being answered must have ended, by the monotonic clock."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Limit the time of all queries that are made within, whatever time each may take by itself."""
    token, of_all = _DEADLINE.set(time.monotonic() + seconds), _LIMIT_OF_ALL.set(seconds)
    try:
        yield
    finally:
        _DEADLINE.reset(token)
        _LIMIT_OF_ALL.reset(of_all)


class QueryTimeout(BeaconError):
    """A query took longer than its time limit and was stopped."""

    setting = "BEACONPOINT_QUERY_SECONDS"


class QueryTooLarge(BeaconError):
    """A query needs more memory, or more space on disk for what does not fit, than it may use."""

    def __init__(self, message: str, setting: str) -> None:
        super().__init__(message)
        self.setting = setting


@dataclass(frozen=True)
class QueryLimits:
    """What queries may use: memory and disk as DuckDB writes sizes, such as 1GB; threads; and seconds for one query.

    A visitor's query that takes `log_after` seconds is logged; None logs none.
    """

    seconds: float
    memory: str = "1GB"
    memory_setting: str = "BEACONPOINT_QUERY_MEMORY"
    """What an operator raises for more of it."""
    threads: int = 2
    temp_directory: str = ""
    temp_size: str = "4GB"
    log_after: float | None = None
    idle_connections: int = 16
    """How many connections to a market's tables are kept for later questions, with their plans of a few MB each."""
    whole_rates: int = 2_000_000
    """The most rates of a market that a question reads where it does not find what is stored for it."""


def limit_to_name(seconds: float) -> float:
    """Return the limit that a message names: a question's own, or that of all that is answered if this is less.

    What was left of it for the question that was stopped says nothing to anybody.
    """
    of_all = _LIMIT_OF_ALL.get(None)
    return seconds if of_all is None else min(seconds, of_all)


def seconds_left(seconds: float) -> float:
    """Return how long a question may take: `seconds`, or until the deadline of what is being answered.

    Raise QueryTimeout if there is no time left.
    """
    deadline = _DEADLINE.get(None)
    if deadline is not None and time.monotonic() + seconds > deadline:
        seconds = deadline - time.monotonic()
        if seconds <= 0:
            raise QueryTimeout("the question took too long and was stopped")
    return seconds
