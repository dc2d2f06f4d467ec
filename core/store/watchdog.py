"""Interrupt questions that take too long, from one thread for all of them: DuckDB 1.5 has no time limit of its own.

A thread for each question, as threading.Timer has, costs a page with 17 questions some milliseconds.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_LOG = logging.getLogger(__name__)


AGAIN_SECONDS = 0.5
"""How long after an interrupt the next one comes."""


class Watchdog:
    """Calls `interrupt` of what is watched when its time is over, and again until it has ended.

    Once is not enough: DuckDB forgets an interrupt that comes between two questions, or while one is being planned,
    when it begins the next.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._watched: dict[int, tuple[float, Callable[[], None]]] = {}
        self._number = 0
        self._wakes_at = 0.0
        self._process = 0

    @contextmanager
    def watch(self, seconds: float, interrupt: Callable[[], None]) -> Iterator[None]:
        """Call `interrupt` if what is done within takes longer than `seconds`."""
        deadline = time.monotonic() + seconds
        with self._changed:
            self._number += 1
            number = self._number
            self._watched[number] = deadline, interrupt
            if self._process != os.getpid():
                # The first question of the process, or of a child: threads do not survive a fork.
                self._process, self._wakes_at = os.getpid(), deadline
                threading.Thread(target=self._keep_watch, name="watchdog", daemon=True).start()
            elif deadline < self._wakes_at:
                self._changed.notify()
        try:
            yield
        finally:
            # With the lock, so that nothing is interrupted after this: the connection may answer another question.
            with self._changed:
                self._watched.pop(number, None)

    def _keep_watch(self) -> None:
        with self._changed:
            while True:
                now = time.monotonic()
                for number, (deadline, interrupt) in list(self._watched.items()):
                    if deadline <= now:
                        self._watched[number] = now + AGAIN_SECONDS, interrupt
                        try:
                            interrupt()
                        except Exception:  # noqa: BLE001 - if this thread ended, no later question would have a time limit
                            _LOG.exception("a question that takes too long cannot be interrupted")
                first = min((deadline for deadline, _ in self._watched.values()), default=now + 3600)
                self._wakes_at = first
                self._changed.wait(first - now)


WATCHDOG = Watchdog()
