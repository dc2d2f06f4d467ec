"""The questions about states' workers' compensation schedules."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Unpack, cast

import polars as pl

from core.fields.codes.billing_code import parse_code, parse_code_system
from core.python_api.arguments import Filters, check_month, check_one_of, check_state, parse_market
from core.python_api.basket_questions import codes_of
from core.python_api.frames import ALL_ROWS, frame_of
from core.queries.classes.rate_classes import choose_class_of_codes
from core.queries.latest import with_latest
from core.queries.market.market import Market
from core.queries.market.market_filters import ALL_CLASSES, CLASSES
from core.queries.yardstick import below_schedule, compensation, medicare
from core.queries.yardstick.schedule_medians import ScheduleMedian, list_schedule_medians
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
        codes: str | Iterable[str] = (),
        year_month: str | None = None,
        limit: int | None = None,
    ) -> pl.DataFrame:
        """Return what a state's workers' compensation schedule says about a code: all modifiers and amounts.

        Without a code system, `code` may be the beginning of one; without a code, return the whole schedule. `codes`
        are those of a named basket, or a list. The release is the one in effect in `year_month`, or the newest. No row
        if the state has none.
        """
        db = self._snapshot()
        release = _release(db, state, year_month)
        listed = codes_of(db, codes)[1] if codes else []
        system = parse_code_system(code_type) or ""
        wanted = (parse_code(system, code) or code).upper() if system else code.strip().upper()
        found = (
            compensation.list_compensation_amounts(db, release, system, wanted, limit or ALL_ROWS, 0, listed)[1]
            if release
            else []
        )
        return frame_of(compensation.CompensationAmount, found)

    def compensation_medians(
        self, state: str, codes: str | Iterable[str], *, year_month: str | None = None
    ) -> pl.DataFrame:
        """Return what payers pay for a named basket or some codes, beside the amounts of a state's schedule.

        A row for each code, payer, and who is paid. The medians are those of each payer's latest file, beside
        the release in effect in its month, or in `year_month`.
        """
        db = self._snapshot()
        release, listed = _release(db, state, year_month), codes_of(db, codes)[1]
        found = []
        if release:
            _, amounts = compensation.list_compensation_amounts(db, release, "", "", ALL_ROWS, 0, listed)
            found = list_schedule_medians(db, release, amounts, listed, by_month=not year_month)
        return frame_of(ScheduleMedian, found)

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
        codes: str | Iterable[str] = (),
        limit: int | None = None,
        **filters: Unpack[Filters],
    ) -> pl.DataFrame:
        """Return who accepts less than the state's workers' compensation schedule, most such rates first.

        `by` is "organizations", "payers", "codes", or "modifiers": rates of one class, with every modifier. `codes` are
        those of a named basket, or a list: organizations then have a row for each code.
        """
        if codes:
            return self._below_of_list(by, parse_market(state, year_month, None, None, filters), codes, limit)
        market = self._of_one_class(parse_market(state, year_month, code, code_type, filters))
        kind = cast(below_schedule.BelowBy, check_one_of("by", by, below_schedule.ROW_TYPES))
        if kind == "modifiers":
            market = market.without("modifier")
        found = below_schedule.list_below_schedule(self._snapshot(), market, kind, limit or ALL_ROWS, 0)[1]
        return frame_of(below_schedule.ROW_TYPES[kind], found)

    def _below_of_list(self, by: str, market: Market, codes: str | Iterable[str], limit: int | None) -> pl.DataFrame:
        db = self._snapshot()
        kind = cast(below_schedule.BelowBy, check_one_of("by", by, below_schedule.ROW_TYPES))
        market, listed = with_latest(db, market), codes_of(db, codes)[1]
        if market.classes != ALL_CLASSES:
            market = choose_class_of_codes(db, market.without(CLASSES), [one.code for one in listed]).market
        if kind == "modifiers":
            market = market.without("modifier")
        found = below_schedule.list_below_schedule(db, market, kind, limit or ALL_ROWS, 0, listed)[1]
        return frame_of(below_schedule.ROW_TYPES[kind], found)


def _release(db: Snapshot, state: str, year_month: str | None) -> compensation.CompensationRelease | None:
    return compensation.choose_compensation_release(
        compensation.list_compensation_releases(db),
        check_state(state),
        check_month(year_month) if year_month else "",
    )
