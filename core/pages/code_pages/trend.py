"""What a code is paid over all months that are loaded."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from django.http import HttpResponseBase

from core.pages.charts.trend_chart import choose_scale, draw_trend
from core.pages.code_pages.same_contracts import list_same_contracts
from core.pages.forms.market_forms import TrendForm
from core.pages.shared.page import MarketQuery, market_page
from core.queries.find import codes
from core.queries.market.file_dates import old_months
from core.queries.over_time import trend
from core.queries.over_time.trend import TrendPoint
from core.queries.parties.middle_by_payer import compare_with

MAX_CHARTS, MAX_TOLD = 8, 3
"""The payers that get a chart, those with most rates, and those whose change is told. The table has all."""


@market_page(TrendForm, "trend", needs_code=True)
def show_trend(query: MarketQuery[TrendForm]) -> HttpResponseBase:
    """Show `/trend/`"""
    points = trend.list_trend(query.db, query.market)
    if query.wants_file:
        return query.download(points, TrendPoint, f"trend_{query.market.code}")
    rates: dict[tuple[str | None, str], int] = {}
    for point in points:
        rates[point.terms] = rates.get(point.terms, 0) + point.rates
    terms = sorted(rates, key=lambda one: -rates[one])
    is_measured = query.market.is_measured
    lead = [
        point
        for point in points
        if terms and (point.terms == terms[0] or (is_measured and point.modifier == terms[0][1]))
    ]
    by_payer = _by_payer(lead)
    own_dates = old_months(query.db)
    at_own_dates = [_at_own_dates(of_payer, query.market.state, own_dates) for of_payer in by_payer]
    # One month is no trend: where another payer has several, a sentence says it.
    has_several = any(len(of_payer) > 1 for of_payer in at_own_dates)
    drawn = [of_payer for of_payer in at_own_dates if len(of_payer) > 1 or not has_several][:MAX_CHARTS]
    months = sorted({point.year_month for of_payer in drawn for point in of_payer})
    dates = sorted({point.year_month for point in _at_own_dates(points, query.market.state, own_dates)})
    scale = choose_scale([point for of_payer in drawn for point in of_payer]) if lead else None
    # Where the market is of a measured class, the payers of the lead state different ones.
    of_market = query.market.billing_class if is_measured else None
    slugs = [some[0].payer_slug for some in by_payer[:MAX_TOLD]]
    return query.render(
        "pages/trend.html",
        same_contracts=list_same_contracts(query.db, query.market.in_any_month, slugs, MAX_TOLD),
        code=codes.describe_code(query.db, query.market.code_type, query.market.code),
        points=points,
        lead=(of_market or terms[0][0], terms[0][1]) if terms else None,
        # The page is about all months, so it names none of them, nor the newest file of each payer.
        all_months=dates or trend.list_months(query.db, query.market),
        payer_months=[],
        months=months,
        comparable=any(point.change is not None for point in points),
        charts=[
            (
                of_payer[0],
                of_payer[-1],
                compare_with(of_payer[-1].p50, of_payer[0].p50),
                draw_trend(of_payer, months, scale, number),
            )
            for number, of_payer in enumerate(drawn)
            if scale
        ],
        told=[(of_payer[0], of_payer[-1]) for of_payer in by_payer[:MAX_TOLD]],
        same=find_same_terms(points),
    )


def find_same_terms(points: Sequence[TrendPoint]) -> dict[str, str | None]:
    """Return the columns of the table that are the same in each row, with their value: they are said above it.

    A month without an amount has no basis, which is no other one.
    """
    values: dict[str, set[str | None]] = {
        "reporting_entity_name": {point.reporting_entity_name for point in points},
        "billing_class": {point.billing_class for point in points},
        "modifier": {point.modifier for point in points},
        "basis": {point.basis for point in points if point.basis},
    }
    return {name: next(iter(found), None) for name, found in values.items() if len(found) < 2}


def _at_own_dates(
    points: Sequence[TrendPoint], state: str, own_dates: Mapping[tuple[str, str, str], str]
) -> list[TrendPoint]:
    """Return points at their files' own dates where these are much older than the months they are listed for.

    The amount of Medicare's is that of the listed month, so a point that is moved to another year has none.
    Of several with one date the last one stays: a payer may list a file for many months.
    """
    found: dict[tuple[str, str], TrendPoint] = {}
    for point in points:
        date = own_dates.get((state, point.year_month, point.payer_slug)) or point.year_month
        is_of_year = date[:4] == point.year_month[:4]
        found[point.payer_slug, date] = replace(
            point,
            year_month=date,
            medicare=point.medicare if is_of_year else None,
            basis=point.basis if is_of_year else None,
        )
    return [found[key] for key in sorted(found)]


def _by_payer(points: Sequence[TrendPoint]) -> list[list[TrendPoint]]:
    """Return each payer's points, the payer with most rates first."""
    found: dict[str, list[TrendPoint]] = {}
    for point in points:
        found.setdefault(point.payer_slug, []).append(point)
    return sorted(found.values(), key=lambda one: -sum(point.rates for point in one))
