"""What is not loaded: it is counted, and listed with its place in the file."""

from collections import Counter
from typing import NamedTuple

from core.load.batch.rejects import LEFT_OUT
from core.load.staging.spool_set import SpoolSet


class RatePosition(NamedTuple):
    """Where a rate is in the file, for the list of rejects."""

    seq: int
    rate: int


class LeftOut:
    """Lists what is left out in a spool. `notes` count what has no price, and so no row."""

    def __init__(self, spools: SpoolSet, notes: Counter[str]) -> None:
        self.rejected: Counter[tuple[int, str]] = Counter()
        """Rejected rows by the filters that may want them, a bit each, and by reason."""
        self._spools = spools
        self._notes = notes

    def reject(self, reason: str, rows: int, position: RatePosition, price: int, value: str | None, mask: int) -> None:
        """Reject a price of a rate, which would have been `rows` rows. `value` is what is wrong with it."""
        self.rejected[mask, reason] += rows
        self._spools.rejects.add(reason, position.seq, position.rate, price, value, rows)

    def leave_out(self, reason: str, seq: int, rate: int | None = None) -> None:
        """Leave out something that has no price."""
        self._notes[LEFT_OUT[reason]] += 1
        self._spools.rejects.add(reason, seq, rate, None, None, 0)
