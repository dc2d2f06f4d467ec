"""The questions about states' workers' compensation schedules."""

from abc import ABC, abstractmethod
from typing import Unpack, cast

import polars as pl

from core.fields.codes.billing_code import parse_code, parse_code_system
from core.python_api.arguments import Filters, check_month, check_one_of, check_state, parse_market
from core.python_api.frames import ALL_ROWS, frame_of
from core.queries.rules.market import Market
from core.queries.yardstick import below_schedule, compensation, medicare
from core.store.connection import Snapshot


class CompensationQuestions(ABC):
    """Methods of a RateStore."""

    @abstractmethod
    def _snapshot(self) -> Snapshot:
        """Return the newest generation."""

    @abstractmethod
    def _of_one_class(self, market: Market) -> Market:
        """Return the market with its months, and with the class of most rates if it is of a code and names none."""

    def compensation(
        self,
        state: str,
        code: str = "",
        code_type: str = "",
        *,
        year_month: str | None = None,
        limit: int | None = None,
    ) -> pl.DataFrame:
        """Return what a state's workers' compensation schedule says about a code: all modifiers and amounts.

        Without a code system, `code` may be the beginning of one; without a code, return the whole schedule. The
        release is the one in effect in `year_month`, or the newest. No row if the state has none.
        """
        db = self._snapshot()
        release = compensation.choose_compensation_release(
            compensation.list_compensation_releases(db),
            check_state(state),
            check_month(year_month) if year_month else "",
        )
        system = parse_code_system(code_type) or ""
        wanted = (parse_code(system, code) or code).upper() if system else code.strip().upper()
        found = (
            compensation.list_compensation_amounts(db, release, system, wanted, limit or ALL_ROWS, 0)[1]
            if release
            else []
        )
        return frame_of(compensation.CompensationAmount, found)

    def compensation_summary(
        self,
        state: str,
        year_month: str | None,
        code: str | None = None,
        code_type: str | None = None,
        **filters: Unpack[Filters],
    ) -> pl.DataFrame:
        """Return the percentiles of the percents of the state's workers' compensation schedule by payer."""
        market = self._of_one_class(parse_market(state, year_month, code, code_type, filters))
        found = medicare.summarize_percents(self._snapshot(), market, medicare.COMPENSATION)
        return frame_of(medicare.PercentSpread, found)

    def below_schedule(
        self,
        by: str,
        state: str,
        year_month: str | None,
        code: str | None = None,
        code_type: str | None = None,
        *,
        limit: int | None = None,
        **filters: Unpack[Filters],
    ) -> pl.DataFrame:
        """Return who accepts less than the state's workers' compensation schedule, most such rates first.

        `by` is "organizations", "payers", or "codes".
        """
        market = self._of_one_class(parse_market(state, year_month, code, code_type, filters))
        kind = cast(below_schedule.BelowBy, check_one_of("by", by, below_schedule.ROW_TYPES))
        found = below_schedule.list_below_schedule(self._snapshot(), market, kind, limit or ALL_ROWS, 0)[1]
        return frame_of(below_schedule.ROW_TYPES[kind], found)
