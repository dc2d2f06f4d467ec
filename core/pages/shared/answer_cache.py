"""Pages that were made before, questions that proved too slow, and questions asked at the same time."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from typing import Any, ParamSpec, TypeVar

from cachetools import LRUCache, TTLCache
from django.conf import settings

P = ParamSpec("P")
T = TypeVar("T")

TOO_SLOW_SECONDS = 60
"""How long a question that was stopped is not tried again: it would be stopped again, at everybody's expense."""


class AnswerCache:
    """The least recently used pages are dropped first; a page that is too large for the cache is not kept."""

    def __init__(self, max_bytes: int) -> None:
        self._lock = threading.Lock()
        self._pages: LRUCache[str, bytes] = LRUCache(max_bytes, getsizeof=len)

    def get(self, key: str) -> bytes | None:
        """Return the page if it is kept."""
        with self._lock:
            page: bytes | None = self._pages.get(key)
            return page

    def keep(self, key: str, page: bytes) -> None:
        """Keep a page."""
        with self._lock:
            if len(page) <= self._pages.maxsize:
                self._pages[key] = page


ANSWERS = AnswerCache(settings.BEACONPOINT_ANSWER_BYTES)


class SlowQuestions:
    """The questions that were stopped lately."""

    def __init__(self, most: int = 1000, seconds: float = TOO_SLOW_SECONDS) -> None:
        self._lock = threading.Lock()
        self._reasons: TTLCache[str, str] = TTLCache(most, seconds)

    def get(self, key: str) -> str | None:
        """Return why a question was stopped; None if it was not, or not lately."""
        with self._lock:
            reason: str | None = self._reasons.get(key)
            return reason

    def note(self, key: str, reason: str) -> None:
        """Remember a question that was stopped."""
        with self._lock:
            self._reasons[key] = reason


SLOW_QUESTIONS = SlowQuestions()


class PagesBeingMade:
    """The pages that somebody is making now, so that nobody else makes the same one at the same time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: dict[str, threading.Event] = {}

    @contextmanager
    def make_alone(self, key: str) -> Iterator[threading.Event | None]:
        """Yield None if the caller is to make the page, and otherwise an event that is set once somebody has tried."""
        with self._lock:
            other = self._made.get(key)
            if other is None:
                self._made[key] = threading.Event()
        try:
            yield other
        finally:
            if other is None:
                with self._lock:
                    self._made.pop(key).set()


PAGES_BEING_MADE = PagesBeingMade()

# Each question that has a place may ask two more in the meantime.
_THREADS = ThreadPoolExecutor(2 * (settings.BEACONPOINT_QUESTIONS + 1), "question")


_ASKED: ContextVar[list[Future[Any]]] = ContextVar("asked")


def meanwhile(question: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> Future[T]:
    """Start a question while the caller asks others; `result()` waits for its answer."""
    # The context has the time limit of the request, and the notes for its log line.
    context = copy_context()
    future = _THREADS.submit(lambda: context.run(question, *arguments, **options))
    _ASKED.get([]).append(future)
    return future


@contextmanager
def ending_together() -> Iterator[None]:
    """Wait in the end for every question that was started within, also after an error.

    A request that leaves a lane must leave no question running: its place goes to another one.
    """
    asked: list[Future[Any]] = []
    token = _ASKED.set(asked)
    try:
        yield
    finally:
        _ASKED.reset(token)
        for future in asked:
            future.cancel()
        wait(asked)
