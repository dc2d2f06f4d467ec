"""Give up hosts that do not answer for the rest of a run: each of thousands of files there would take a minute."""

import threading
from collections import Counter

from core.fetch.address import Address
from core.runtime.errors import FetchError

MAX_FAILURES = 3
"""Failures in a row, each after all attempts, before a host is given up."""


class HostFailures:
    """How often each host has failed in a row. Several threads may use it."""

    def __init__(self) -> None:
        self._failures: Counter[tuple[str, str, int]] = Counter()
        self._lock = threading.Lock()

    def check(self, address: Address) -> None:
        """Raise FetchError if the address's host has been given up."""
        with self._lock:
            if self._failures[address.origin] >= MAX_FAILURES:
                raise FetchError(
                    f"{address.scheme}://{address.netloc}: given up after {MAX_FAILURES} failures in a row for the "
                    "rest of this run; try again later"
                )

    def record(self, address: Address, error: FetchError | None = None) -> None:
        """Record that the host has answered, or the error if it has not."""
        with self._lock:
            if error and (error.host_failed or error.temporary):
                self._failures[address.origin] += 1
            else:
                self._failures[address.origin] = 0
