"""What the page of a code shows where its market has no rates: where there are some."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from core.pages.shared.page import MarketQuery
from core.queries import coverage
from core.queries.find import codes
from core.queries.market.which_filter_emptied import RatesWithoutFilter

NEARBY_CODES = 8


@dataclass(frozen=True)
class NoRates:
    """What there is instead of rates: the first of these that is not empty is shown.

    They are how many rates there are without each filter, where the code has rates, codes nearby, and what is loaded at
    all. The links are to the same page if it is one of a code's tabs.
    """

    page: str
    filters: Sequence[tuple[RatesWithoutFilter, str]]
    loaded_in: Sequence[codes.CodePeriod] = field(default_factory=list)
    near: Sequence[codes.CodeCount] = field(default_factory=list)
    periods: Sequence[coverage.Period] = field(default_factory=list)


def find_instead(query: MarketQuery[Any], page: str) -> NoRates:
    """Return what there is instead of rates."""
    db, market = query.db, query.market
    if filters := query.list_freed():
        return NoRates(page, filters)
    if not market.code:
        return NoRates(page, [], periods=coverage.list_periods(db))
    if loaded_in := codes.list_code_periods(db, market.code_type, market.code):
        return NoRates(page, [], loaded_in)
    if near := codes.find_nearby_codes(db, market, NEARBY_CODES):
        return NoRates(page, [], near=near)
    return NoRates(page, [], periods=coverage.list_periods(db))
