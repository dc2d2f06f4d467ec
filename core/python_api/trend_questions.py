"""The question about a code over all months."""

from abc import ABC, abstractmethod
from typing import Unpack

import polars as pl

from core.python_api.arguments import Filters, check_state, parse_market
from core.python_api.frames import frame_of
from core.queries.coverage import list_coverage
from core.queries.market.market import Market
from core.queries.over_time.news import News, list_news
from core.queries.over_time.trend import TrendPoint, list_trend
from core.store.connection import Snapshot


class TrendQuestions(ABC):
    """Methods of a RateStore."""

    @abstractmethod
    def _snapshot(self) -> Snapshot:
        """Return the newest generation."""

    @abstractmethod
    def _of_one_class(self, market: Market) -> Market:
        """Return the market with its months and the class of most rates."""

    def trend(self, state: str, code: str, code_type: str | None = None, **filters: Unpack[Filters]) -> pl.DataFrame:
        """Return what a code is paid in each month that is loaded, by class, modifier, and payer, beside Medicare."""
        db = self._snapshot()
        months = [row.year_month for row in list_coverage(db) if row.state == check_state(state)]
        if not months:
            return frame_of(TrendPoint, [])
        market = self._of_one_class(parse_market(state, None, code, code_type, filters))
        return frame_of(TrendPoint, list_trend(db, market))

    def news(
        self, state: str, code: str | None = None, code_type: str | None = None, **filters: Unpack[Filters]
    ) -> pl.DataFrame:
        """Return the months that were loaded, and the medians that changed by more than 5%, newest first.

        Of a code, of a payer (`payer=`), or of an organization.
        """
        market = self._of_one_class(parse_market(state, None, code, code_type, filters))
        return frame_of(News, list_news(self._snapshot(), market.in_any_month))
