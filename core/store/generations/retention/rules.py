"""Choose the generations that are kept after they were superseded."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import NamedTuple


class GenerationTime(NamedTuple):
    """A generation and when it was published."""

    generation: int
    created_at: datetime


@dataclass(frozen=True)
class Retention:
    """How long superseded generations are kept.

    Kept is what meets any of three rules. `grace`: superseded less than this many seconds ago, so that readers can
    finish. `generations`: the newest so many. `days`: what each of the last days (UTC) ended with, so that many loads
    in one evening leave one generation for that day, and the one that was in use before them stays as well.
    """

    grace: float
    generations: int = 0
    days: int = 0

    def choose_recent(self, generations: Iterable[GenerationTime], now: datetime) -> set[int]:
        """Return the newest generation, and those that readers may still be using."""
        ordered = sorted(generations)
        kept = {ordered[-1].generation} if ordered else set()
        for one, next_one in pairwise(ordered):
            if now - next_one.created_at <= timedelta(seconds=self.grace):
                kept.add(one.generation)
        return kept

    def choose_kept(self, generations: Iterable[GenerationTime], now: datetime) -> set[int]:
        """Return the generations to keep, the newest one among them."""
        ordered = sorted(generations)
        kept = self.choose_recent(ordered, now)
        kept.update(one.generation for one in ordered[-1 - self.generations :])
        midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        for days in range(self.days):
            before = [one.generation for one in ordered if one.created_at <= midnight - timedelta(days=days)]
            kept.update(before[-1:])
        return kept
