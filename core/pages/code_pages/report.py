"""A report of a code on one sheet of paper: the answer, a chart, payers, sources, and how to cite it."""

from django.http import HttpResponseBase

from core.pages.forms.market_forms import ReportForm
from core.pages.shared.page import MarketQuery, market_page
from core.pages.shared.words.answer_words import describe_answer
from core.queries.code_answer import AnswerSpread, answer_code, spread_by_terms
from core.queries.coverage import list_sources
from core.queries.facets import count_choices
from core.queries.find import codes
from core.queries.yardstick.medicare_amounts import count_amount_lines, find_amounts

MAX_PAYERS, MAX_ROWS, MAX_SOURCES, MAX_LINES = 5, 12, 6, 3
"""What fits one sheet: payers of the chart and of the table, files, and amounts. Those with most rates come first."""


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
    return query.render(
        "pages/report.html",
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
