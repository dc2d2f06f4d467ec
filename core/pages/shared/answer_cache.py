"""Answers that were given before, and how many questions are answered at the same time."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

from django.conf import settings

from core.runtime.errors import BeaconError

P = ParamSpec("P")
T = TypeVar("T")


class TooBusy(BeaconError):
    """As many questions as may be answered at the same time are being answered; later there is room again."""

    retry_after = 3
    """Seconds after which to ask again."""


class Answers:
    """Pages by what they depend on, the generation among it: the ones asked for last, up to so many bytes."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._bytes = 0
        self._lock = threading.Lock()
        self._pages: OrderedDict[str, bytes] = OrderedDict()

    def get(self, key: str) -> bytes | None:
        """The page, where it is kept."""
        with self._lock:
            page = self._pages.get(key)
            if page is not None:
                self._pages.move_to_end(key)
            return page

    def keep(self, key: str, page: bytes) -> None:
        """Keeps a page, and lets go of those not asked for the longest."""
        with self._lock:
            self._bytes += len(page) - len(self._pages.pop(key, b""))
            self._pages[key] = page
            while self._bytes > self._most:
                self._bytes -= len(self._pages.popitem(last=False)[1])


ANSWERS = Answers(settings.BEACONPOINT_ANSWER_BYTES)
_PLACES = threading.BoundedSemaphore(settings.BEACONPOINT_QUESTIONS)


_THREADS = ThreadPoolExecutor(2 * settings.BEACONPOINT_QUESTIONS, "question")


def meanwhile(question: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> Future[T]:
    """Asks a question while the caller asks others; `result()` of what is given waits for the answer."""
    return _THREADS.submit(question, *arguments, **options)


@contextmanager
def admitted() -> Iterator[None]:
    """A place among the questions that are being answered. Raises TooBusy where none gets free in time."""
    if not _PLACES.acquire(timeout=settings.BEACONPOINT_QUERY_SECONDS):
        raise TooBusy("Many questions are being answered just now. Ask again in a few seconds")
    try:
        yield
    finally:
        _PLACES.release()
