"""Hosts that give no answer are given up for the rest of a run: thousands of files there would take a minute each."""

import threading
from collections import Counter

from core.fetch.address import Address
from core.runtime.errors import FetchError

MAX_FAILURES = 3
"""Failures in a row, each after all its attempts."""


class HostFailures:
    """Which hosts have failed how often in a row. Used by several threads."""

    def __init__(self) -> None:
        self._failures: Counter[tuple[str, str, int]] = Counter()
        self._lock = threading.Lock()

    def check(self, address: Address) -> None:
        """Raises FetchError where the address's host has been given up."""
        with self._lock:
            if self._failures[address.origin] >= MAX_FAILURES:
                raise FetchError(
                    f"{address.scheme}://{address.netloc}: given up after {MAX_FAILURES} failures in a row, and not "
                    "asked again in this run; try again later"
                )

    def note(self, address: Address, error: FetchError | None = None) -> None:
        """Takes in that the host has given an answer, or the error by which it has not."""
        with self._lock:
            if error and (error.host_failed or error.temporary):
                self._failures[address.origin] += 1
            else:
                self._failures[address.origin] = 0
