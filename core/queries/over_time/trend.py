"""What a code is paid in each month that is loaded, by payer and terms, beside Medicare's amount of the month."""

from dataclasses import dataclass, replace
from typing import Annotated

from core.queries.comparison.left_out import counted_in_figures
from core.queries.coverage import list_coverage
from core.queries.market.market import Market
from core.queries.market.market_rates import market_cache
from core.queries.rules.columns import (
    BillingClass,
    Highest,
    Lowest,
    Modifier,
    Month,
    PayerName,
    PayerSlug,
    RateCount,
    RateP10,
    RateP25,
    RateP50,
    RateP75,
    RateP90,
    described,
)
from core.queries.rules.named_rows import read_rows
from core.queries.rules.percentiles import FIVE_PERCENTILES, percentile_columns, percentile_list
from core.queries.yardstick.medicare_amounts import Amount, ScheduleTerms, find_amounts
from core.store.connection import Snapshot

MAX_MONTHS = 24
"""The newest months that a trend shows: each is a question of its own."""


@dataclass(frozen=True)
class TrendPoint:
    """A payer's rates in dollars for a code in one month, of one class and modifier, each rate counted once."""

    year_month: Month
    reporting_entity_name: PayerName
    payer_slug: PayerSlug
    billing_class: BillingClass
    modifier: Modifier
    rates: RateCount
    lowest: Lowest
    p10: RateP10
    p25: RateP25
    p50: RateP50
    p75: RateP75
    p90: RateP90
    highest: Highest
    change: Annotated[
        float | None, described("Median against that of the payer's month before: 0.03 is 3% more.", 0.03)
    ]
    medicare: Annotated[
        float | None,
        described(
            "Amount by the month's own schedule that most rates of the terms are compared with: Medicare's, or that of "
            "the yardstick asked for.",
            86.4,
        ),
    ]
    basis: Annotated[str | None, described("Which amount of Medicare's that is.", "MPFS non-facility")]

    @property
    def terms(self) -> tuple[str | None, str]:
        """What rates have in common that may be in one line."""
        return self.billing_class, self.modifier


def list_months(db: Snapshot, market: Market) -> list[str]:
    """Return the newest months in which the market's state and payer have rates, oldest first."""
    months = {
        row.year_month
        for row in list_coverage(db)
        if row.state == market.state and row.rates and (market.payer or row.payer_slug) == row.payer_slug
    }
    return sorted(months)[-MAX_MONTHS:]


def list_trend(db: Snapshot, market: Market) -> list[TrendPoint]:
    """Return the trend of a market of one code, by class, modifier, payer, and month. Its own month has no effect."""
    points: list[TrendPoint] = []
    for month in list_months(db, market):
        points += list_points(db, replace(market, year_month=month))
    # Text before None, as a class that is not stated comes last.
    points.sort(key=lambda one: (one.billing_class is None, one.billing_class or "", one.modifier, one.payer_slug))
    before: TrendPoint | None = None
    for number, point in enumerate(points):
        if before and (before.terms, before.payer_slug) == (point.terms, point.payer_slug) and before.p50:
            points[number] = replace(point, change=point.p50 / before.p50 - 1)
        before = point
    return points


def list_points(db: Snapshot, market: Market) -> list[TrendPoint]:
    """Return the trend's points of one month, that of the market."""
    with market_cache(db, market) as cached:
        rates, parameters = counted_in_figures(cached, market)
        # A payer may spell its name in several ways. Medicare's amount follows: it depends on the terms alone.
        points = read_rows(
            cached,
            TrendPoint,
            f"""SELECT $of_month AS year_month, * EXCLUDE (percentiles),
                       {percentile_columns("percentiles", FIVE_PERCENTILES)},
                       NULL::DOUBLE AS change, NULL::DOUBLE AS medicare, NULL::VARCHAR AS basis
                FROM (SELECT payer_slug(f.reporting_entity_name) AS payer_slug,
                             max(f.reporting_entity_name) AS reporting_entity_name, f.billing_class,
                             f.billing_code_modifier AS modifier, count(*) AS rates, min(negotiated_rate) AS lowest,
                             {percentile_list("negotiated_rate")} AS percentiles, max(negotiated_rate) AS highest
                      FROM (SELECT *, unnest(range(rate_count)) FROM {rates}) f
                      WHERE rate_kind(f.negotiated_type, f.negotiation_arrangement) = 'dollars' GROUP BY ALL)""",
            {**parameters, "of_month": market.year_month},
        )
        amounts = find_amounts(cached, market)
    commonest = {terms: _commonest_amount(amounts, terms) for terms in {point.terms for point in points}}
    return [replace(point, medicare=commonest[point.terms][0], basis=commonest[point.terms][1]) for point in points]


def _commonest_amount(
    amounts: dict[ScheduleTerms, Amount], terms: tuple[str | None, str]
) -> tuple[float | None, str | None]:
    """Return the amount that most rates of a class and modifier are compared with, and its name."""
    counts: dict[tuple[float, str], int] = {}
    for of, one in amounts.items():
        if (of.billing_class, of.modifier) == terms and one.medicare is not None and one.basis is not None:
            key = one.medicare, one.basis
            counts[key] = counts.get(key, 0) + one.rates
    return max(counts, key=lambda key: (counts[key], key), default=(None, None))
