"""What is new about a question: months that were loaded, and medians that changed notably since the month before."""

from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from typing import Annotated

from core.queries.coverage import Coverage, list_coverage
from core.queries.market.market import Market
from core.queries.over_time.changes import count_movements
from core.queries.over_time.matching import names_organization
from core.queries.over_time.trend import TrendPoint, list_months, list_trend
from core.queries.rules.columns import BillingClass, Month, PayerName, PayerSlug, described
from core.store.connection import Snapshot

NOTABLE_CHANGE = 0.05
"""A median that changes by more than this is news."""

MAX_NEWS = 100
"""The newest of a question's news. A reader that asks once a month misses none."""

MAX_CODES = 25
"""Of a payer or an organization, the codes that changed most from its month before."""


@dataclass(frozen=True)
class News:
    """A month that was loaded, or a median that changed."""

    what: Annotated[str, described("files: a month was loaded; change: a median changed by more than 5%.", "change")]
    loaded_at: Annotated[
        datetime, described("When the newest file of the month was loaded, UTC.", "2025-09-02T06:30:00Z")
    ]
    year_month: Month
    before: Annotated[str | None, described("The month that it changed from; null for files.", "2025-07")]
    reporting_entity_name: PayerName
    payer_slug: PayerSlug
    code_type: Annotated[str | None, described("Code system; null for files.", "CPT")]
    code: Annotated[str | None, described("Billing code; null for files.", "99213")]
    billing_class: BillingClass
    modifier: Annotated[str | None, described("Modifiers of the rates, joined by commas; null for files.", "26")]
    rates: Annotated[int | None, described("Number of rates of the month.", 12)]
    old: Annotated[float | None, described("Median of the month before; null if no single one is behind it.", 100.0)]
    new: Annotated[float | None, described("Median of the month; null if no single one is behind it.", 107.0)]
    change: Annotated[float | None, described("Change of the median: 0.07 is 7% more.", 0.07)]


def list_news(db: Snapshot, market: Market, *, with_changes: bool = True) -> list[News]:
    """Return what is new about a market in any month, newest first.

    With a code the medians are those of the trend, by payer, class, and modifier. With a payer or an organization, but
    no code, they are the median changes of its tax IDs, by code, from its month before. Without
    `with_changes` only months are news.
    """
    loaded = [
        row
        for row in list_coverage(db)
        if row.state == market.state and row.rates and (market.payer or row.payer_slug) == row.payer_slug
    ]
    found = [_files_news(row) for row in loaded]
    at = {(row.payer_slug, row.year_month): row for row in loaded}
    if market.code and with_changes:
        found += _trend_news(list_trend(db, market), market, at)
    elif with_changes and (market.payer or names_organization(market)):
        found += _movement_news(db, market, at)
    found.sort(
        key=lambda one: (one.loaded_at, one.year_month, one.what, abs(one.change or 0), key_of(one)), reverse=True
    )
    return found[:MAX_NEWS]


def key_of(one: News) -> str:
    """Return what identifies a piece of news of a question, whatever is loaded later."""
    names = ("what", "payer_slug", "year_month", "before", "code_type", "code", "billing_class", "modifier")
    return "|".join(str(getattr(one, name) if getattr(one, name) is not None else "") for name in names)


def _files_news(row: Coverage) -> News:
    return News(
        what="files",
        loaded_at=row.loaded_at,
        year_month=row.year_month,
        before=None,
        reporting_entity_name=row.reporting_entity_name,
        payer_slug=row.payer_slug,
        code_type=None,
        code=None,
        billing_class=None,
        modifier=None,
        rates=row.rates,
        old=None,
        new=None,
        change=None,
    )


_Loaded = dict[tuple[str, str], Coverage]


def _trend_news(points: list[TrendPoint], market: Market, at: _Loaded) -> list[News]:
    """Return the notable changes of a code's trend. Its points are sorted by terms, payer, and month."""
    found = []
    for before, point in pairwise(points):
        same_line = (before.terms, before.payer_slug) == (point.terms, point.payer_slug)
        if not same_line or point.change is None or abs(point.change) <= NOTABLE_CHANGE:
            continue
        found.append(
            News(
                what="change",
                loaded_at=at[point.payer_slug, point.year_month].loaded_at,
                year_month=point.year_month,
                before=before.year_month,
                reporting_entity_name=point.reporting_entity_name,
                payer_slug=point.payer_slug,
                code_type=market.code_type or "",
                code=market.code,
                billing_class=point.billing_class,
                modifier=point.modifier,
                rates=point.rates,
                old=before.p50,
                new=point.p50,
                change=point.change,
            )
        )
    return found


def _movement_news(db: Snapshot, market: Market, at: _Loaded) -> list[News]:
    """Return the codes that changed most in the middle, for each payer from its month before to its newest."""
    found = []
    for payer in sorted({slug for slug, _ in at}):
        of_payer = replace(market, payer=payer)
        months = list_months(db, of_payer)
        if len(months) < 2:
            continue
        before, after = months[-2:]
        moved = [
            row
            for row in count_movements(db, replace(of_payer, year_month=after, latest=None), before, ["codes"]).codes
            if row.kind == "dollars" and row.middle is not None and abs(row.middle) > NOTABLE_CHANGE
        ]
        moved.sort(key=lambda row: -abs(row.middle or 0))
        for row in moved[:MAX_CODES]:
            news = replace(_files_news(at[payer, after]), what="change", before=before, rates=None, change=row.middle)
            found.append(replace(news, code_type=row.code_type, code=row.code, modifier=None))
    return found
