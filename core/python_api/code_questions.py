"""The questions about the rates of one code."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Unpack

import polars as pl

from core.python_api.arguments import Filters, check_one_of, parse_market
from core.python_api.frames import ALL_ROWS, frame_of
from core.queries import histogram, rates
from core.queries.classes.rate_classes import RateClass, choose_class
from core.queries.find import codes
from core.queries.find.code_index import FoundCode
from core.queries.latest import with_latest
from core.queries.market.market import Market
from core.queries.rates_against_medicare import (
    RateAgainstMedicare,
    SummaryAgainstMedicare,
    list_against_medicare,
    summarize_against_medicare,
)
from core.store.connection import Snapshot


class CodeQuestions(ABC):
    """Methods of a RateStore."""

    @abstractmethod
    def _snapshot(self) -> Snapshot:
        """Return the newest generation."""

    @abstractmethod
    def _market(
        self, state: str, year_month: str | None, code: str | None, code_type: str | None, filters: Mapping[str, Any]
    ) -> Market:
        """Return the market that arguments describe, with its months and the class of most rates."""

    def codes(self, text: str = "", *, limit: int | None = None) -> pl.DataFrame:
        """Return the billing codes that begin with a number, or whose description contains each word of a text."""
        return frame_of(FoundCode, codes.search_codes(self._snapshot(), text, limit or ALL_ROWS)[1])

    def rate_classes(
        self, state: str, year_month: str | None, code: str, code_type: str | None = None, **filters: Unpack[Filters]
    ) -> pl.DataFrame:
        """Return the classes of a code's rates, most rates first, and which of them the other methods answer for.

        A class is a billing class, a component (the whole service, 26, TC), and, for facilities, a setting if the rates
        differ in it. Pass `classes="all"` to any method for all of them together.
        """
        market = with_latest(self._snapshot(), parse_market(state, year_month, code, code_type, filters))
        return frame_of(RateClass, choose_class(self._snapshot(), market).classes)

    def rates(
        self,
        state: str,
        year_month: str | None,
        code: str,
        code_type: str | None = None,
        *,
        sort: str = "rate",
        limit: int | None = None,
        **filters: Unpack[Filters],
    ) -> pl.DataFrame:
        """Return every negotiated rate of a code, each rate once however many NPIs share it.

        `kind` says what the figure is: only `dollars` are dollars for one service.
        """
        market = self._market(state, year_month, code, code_type, filters)
        order = check_one_of("sort", sort, rates.ORDERS)
        return frame_of(
            RateAgainstMedicare, list_against_medicare(self._snapshot(), market, order, limit or ALL_ROWS, 0)
        )

    def rate_summary(
        self, state: str, year_month: str | None, code: str, code_type: str | None = None, **filters: Unpack[Filters]
    ) -> pl.DataFrame:
        """Return the percentiles of a code's rates by kind, payer, billing class, and modifier."""
        market = self._market(state, year_month, code, code_type, filters)
        return frame_of(SummaryAgainstMedicare, summarize_against_medicare(self._snapshot(), market))

    def rate_histogram(
        self, state: str, year_month: str | None, code: str, code_type: str | None = None, **filters: Unpack[Filters]
    ) -> pl.DataFrame:
        """Return the bins of a histogram of a code's dollars, from their 1st to their 99th percentile."""
        market = self._market(state, year_month, code, code_type, filters)
        return frame_of(histogram.Bin, histogram.build_histogram(self._snapshot(), market).bins)
