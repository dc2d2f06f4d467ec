"""The questions about where providers practice and what they are."""

from abc import ABC, abstractmethod
from typing import Unpack

import polars as pl

from core.python_api.arguments import Filters, check_one_of, parse_market
from core.python_api.frames import frame_of
from core.queries.market.market import Market
from core.queries.profiles import KINDS, PLACES, Breakdown, break_down
from core.store.connection import Snapshot


class ProfileQuestions(ABC):
    """Methods of a RateStore."""

    @abstractmethod
    def _snapshot(self) -> Snapshot:
        """Return the newest generation."""

    @abstractmethod
    def _of_one_class(self, market: Market) -> Market:
        """Return the market with its months and the class of most rates."""

    def rates_by(
        self,
        by: str,
        state: str,
        year_month: str | None,
        code: str,
        code_type: str | None = None,
        **filters: Unpack[Filters],
    ) -> pl.DataFrame:
        """Return the spreads of a code's rates in dollars by place or by kind of provider.

        `by` is "county", "metro", "city", "zip", "specialty", or "entity" (individual or organization). A rate counts
        once for each value that a provider of its group has.
        """
        market = self._of_one_class(parse_market(state, year_month, code, code_type, filters))
        kind = check_one_of("by", by, (*PLACES, *KINDS))
        return frame_of(Breakdown, break_down(self._snapshot(), market, kind)[1])
