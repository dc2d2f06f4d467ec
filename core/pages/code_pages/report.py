"""A report of a code on one sheet of paper: the answer, a chart, payers, sources, and how to cite it."""

from django.http import HttpResponseBase

from core.pages.forms.market_forms import ReportForm
from core.pages.shared.page import MarketQuery, market_page
from core.pages.shared.words.answer_words import describe_answer
from core.queries.code_answer import AnswerSpread, answer_code, spread_by_terms
from core.queries.coverage import list_sources
from core.queries.facets import count_choices
from core.queries.find import codes
from core.queries.over_time.trend import list_trend
from core.queries.parties.organizations import Organization, count_totals, list_organizations
from core.queries.rules.market import Market
from core.queries.yardstick.medicare_amounts import count_amount_lines, find_amounts
from core.store.connection import Snapshot

MAX_PAYERS, MAX_ROWS, MAX_SOURCES, MAX_LINES = 5, 12, 6, 3
"""What fits one sheet: payers of the chart and of the table, files, and amounts. Those with most rates come first."""


MAX_EXTREMES, MAX_MOVES = 3, 3
"""The organizations that are paid the most and the least, and the payers whose last change is named."""


def _list_extremes(db: Snapshot, market: Market) -> tuple[int, list[Organization], list[Organization]]:
    """Return how many organizations there are, and those with the highest and the lowest medians."""
    total = 0 if market.classes else count_totals(db, market).organizations
    shown = min(MAX_EXTREMES, total // 2)
    if not shown:
        return total, [], []
    best, worst = (list_organizations(db, market, order, shown, 0) for order in ("-p50", "p50"))
    return total, best, worst


@market_page(ReportForm, "report", needs_code=True)
def show_report(query: MarketQuery[ReportForm]) -> HttpResponseBase:
    """Show `/report/`"""
    db, market = query.db, query.market
    spreads = spread_by_terms(query.cached_by_area, market)
    if query.wants_file:
        return query.download(spreads, AnswerSpread, f"report_{market.code}")
    amounts = find_amounts(query.cached, market)
    settings = next((one.settings for one in query.choice.classes if one.chosen), []) if not market.classes else []
    modifiers = count_choices(query.cached, market)["modifier"]
    answer = describe_answer(
        spreads,
        modifiers,
        amounts,
        settings,
        query.find_labels(),
        most_payers=MAX_PAYERS,
        most_amounts=MAX_LINES,
    )
    found = answer_code(spreads)
    payers = found.payers if found else []
    there = {one.reporting_entity_name for one in payers}
    every = list_sources(db, market.state, market.months, market.payer)
    files = {(one.payer, one.file): one for one in every if one.payer in there}
    total, best, worst = _list_extremes(query.cached, market) if found else (0, [], [])
    moves = {point.payer_slug: point for point in list_trend(db, market) if point.change is not None} if found else {}
    return query.render(
        "pages/report.html",
        organizations=total,
        best=best,
        worst=worst,
        # The last change of each payer: points are in the order of months.
        moves=[moves[one.payer_slug] for one in payers if one.payer_slug in moves][:MAX_MOVES],
        code=codes.describe_code(db, market.code_type, market.code),
        answer=answer,
        labels=answer.labels if answer else [],
        found=found,
        payers=payers[:MAX_ROWS],
        more_payers=max(len(payers) - MAX_ROWS, 0),
        amounts=count_amount_lines(amounts)[:MAX_LINES],
        sources=list(files.values())[:MAX_SOURCES],
        more_sources=max(len(files) - MAX_SOURCES, 0),
        answer_rows=sum(row.rates for row in spreads if row.reporting_entity_name is None),
    )
