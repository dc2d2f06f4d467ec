"""The latest file of each payer: what a market without a month consists of."""

from dataclasses import dataclass, field
from functools import cached_property

from core.store.market.market_months import MarketMonth, MarketMonths

NEVER = ""
"""The month of a payer that has no rates."""


@dataclass(frozen=True)
class PayerMonth:
    """The newest month in which a payer has rates in a state, and how many it has there."""

    payer_slug: str
    reporting_entity_name: str
    year_month: str
    rates: int
    names: tuple[str, ...] = field(repr=False)
    """What the payer's files of the month call it."""


@dataclass(frozen=True)
class LatestFiles:
    """The newest month of each payer of a state. All files of that month belong to it, and none of older months."""

    payers: tuple[PayerMonth, ...]
    months: MarketMonths

    def month_of(self, payer_slug: str) -> str:
        """Return the newest month of a payer; NEVER if it has no rates."""
        return self._by_slug.get(payer_slug, NEVER)

    @property
    def newest(self) -> str:
        """Return the newest of the months; NEVER if nothing is loaded."""
        return self.months[0].year_month if self.months else NEVER

    @property
    def oldest(self) -> str:
        """Return the oldest of the months; NEVER if nothing is loaded."""
        return self.months[-1].year_month if self.months else NEVER

    @property
    def rates(self) -> int:
        """Return how many rates the market has."""
        return sum(one.rates for one in self.payers)

    @cached_property
    def _by_slug(self) -> dict[str, str]:
        return {one.payer_slug: one.year_month for one in self.payers}


NOTHING = LatestFiles((), (MarketMonth(NEVER),))
"""A state of which nothing is loaded."""
