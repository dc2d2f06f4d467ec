"""Pages that were made before, and a limit on how many are made at the same time."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

from cachetools import LRUCache
from django.conf import settings

from core.runtime.errors import BeaconError

P = ParamSpec("P")
T = TypeVar("T")


class TooBusy(BeaconError):
    """All slots for answering questions are taken; there will be room again soon."""

    retry_after = 3
    """Seconds after which to ask again."""


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

_SLOTS = threading.BoundedSemaphore(settings.BEACONPOINT_QUESTIONS)
# Each question that has a slot may ask one more in the meantime.
_THREADS = ThreadPoolExecutor(2 * settings.BEACONPOINT_QUESTIONS, "question")


def meanwhile(question: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> Future[T]:
    """Start a question while the caller asks others; `result()` waits for its answer."""
    return _THREADS.submit(question, *arguments, **options)


@contextmanager
def admitted() -> Iterator[None]:
    """Take a slot for answering a question. Raise TooBusy if none becomes free in time."""
    if not _SLOTS.acquire(timeout=settings.BEACONPOINT_QUERY_SECONDS):
        raise TooBusy("Many questions are being answered right now. Please try again in a few seconds")
    try:
        yield
    finally:
        _SLOTS.release()
