"""Who accepts less than a state's workers' compensation schedule, for a code or for a payer."""

from typing import cast

from django.http import HttpResponseBase

from core.pages.forms.compensation_form import BelowForm
from core.pages.shared.downloads import ROW_CAP
from core.pages.shared.lanes.weights import is_too_broad
from core.pages.shared.page import MarketQuery, ask_for_code, market_page
from core.pages.shared.paging import PAGE_ROWS, Paging
from core.queries.find import codes
from core.queries.yardstick.below_schedule import ROW_TYPES, BelowBy, count_below_schedule, list_below_schedule


@market_page(BelowForm, "below_schedule")
def show_below_schedule(query: MarketQuery[BelowForm]) -> HttpResponseBase:
    """Show `/compensation/below/`"""
    market = query.market
    if not (market.code or market.payer) or is_too_broad(query.db, market):
        return ask_for_code(query, "below_schedule")
    if query.wants_file:
        by = cast(BelowBy, query.values["table"])
        _, every = list_below_schedule(query.cached, market, by, ROW_CAP, 0)
        return query.download_of_schedule(every, ROW_TYPES[by], f"below_schedule_{by}")
    totals = count_below_schedule(query.cached, market)
    paging = Paging(query.values["page"], totals.organizations)
    _, organizations = list_below_schedule(query.cached, market, "organizations", paging.limit, paging.offset)
    _, payers = list_below_schedule(query.cached, market, "payers", PAGE_ROWS, 0)
    listed, of_codes = (0, []) if market.code else list_below_schedule(query.cached, market, "codes", PAGE_ROWS, 0)
    return query.render(
        "pages/below_schedule.html",
        code=codes.describe_code(query.db, market.code_type, market.code),
        totals=totals,
        organizations=organizations,
        payers=payers,
        codes=of_codes,
        more_codes=max(listed - len(of_codes), 0),
        paging=paging,
        answer_rows=totals.rates,
    )
