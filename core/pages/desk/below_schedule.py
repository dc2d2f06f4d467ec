"""Who is paid less than a state's workers' compensation schedule, for a code or for a payer."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import cast

from django.http import HttpResponseBase

from core.fields.codes.basket_list import read_basket
from core.pages.desk.common_codes import list_common_codes, list_usual_medians
from core.pages.formats import write_age
from core.pages.forms.compensation_form import BelowForm, asked_practice
from core.pages.shared.downloads import ROW_CAP
from core.pages.shared.lanes.weights import is_too_broad
from core.pages.shared.market_choice import MarketChoice, choose_market, with_class
from core.pages.shared.page import MarketQuery, ask_for_code, market_page
from core.pages.shared.paging import PAGE_ROWS, Paging
from core.queries import coverage
from core.queries.baskets.basket_answer import choose_codes
from core.queries.baskets.basket_codes import BasketCode
from core.queries.classes.rate_classes import choose_class_of_codes
from core.queries.find.codes import describe_code
from core.queries.latest import list_payer_months
from core.queries.market.market import Market
from core.queries.market.market_filters import ALL_CLASSES, CLASSES
from core.queries.parties.shared_contracts import find_performing
from core.queries.yardstick.below_rows import BelowSchedule, PayerBelow
from core.queries.yardstick.below_schedule import ROW_TYPES, BelowBy, count_where_listed, list_below_schedule
from core.queries.yardstick.compensation import (
    CompensationRelease,
    list_compensation_amounts,
    list_compensation_releases,
)
from core.store.connection import Snapshot
from core.vocabulary.baskets import named_baskets

NAMED = 3
"""The organizations below the schedule that the answer names."""


def _choose(form: BelowForm, db: Snapshot) -> MarketChoice:
    """Return the market; without a state, that of the first state with rates that has a schedule."""
    asked = form.market()
    if not asked.state:
        loaded = {one.state for one in coverage.list_periods(db)}
        state = next((one.state for one in list_compensation_releases(db) if one.state in loaded), "")
        asked = replace(asked, state=state)
    return choose_market(asked, db)


@market_page(BelowForm, "below_schedule", choose=_choose)
def show_below_schedule(query: MarketQuery[BelowForm]) -> HttpResponseBase:
    """Show `/compensation/below/`"""
    named = named_baskets().get(query.values["basket"])
    listed = choose_codes(query.db, named, read_basket(query.values["codes"]))
    if listed and query.market.classes != ALL_CLASSES:
        of_class = choose_class_of_codes(query.db, query.market.without(CLASSES), [one.code for one in listed])
        query = replace(query, choice=with_class(query.choice, of_class))
    market = query.market
    # A payer or a place narrows a market enough to be looked at without a code.
    is_narrow = market.code or market.payer or market.near or market.zip or market.city or market.county
    if not listed and (not is_narrow or is_too_broad(query.db, market)):
        return _start(query)
    if listed:
        market = market.without("code", "code_type")
    release = query.nearest_compensation_release
    if not query.wants_file and not query.compensation_release and release and (listed or market.code):
        return _show_beside(query, release, listed)
    # The rates of a list are read once by each question: there is no cache of several codes.
    db = query.db if listed else query.cached if market.code else query.compared
    asked = asked_practice(query.values["practice"])
    if query.wants_file:
        by = cast(BelowBy, query.values["table"])
        if by == "modifiers":
            db, market = query.db, market.without("modifier")
        of_state_only = False
        if by == "organizations":
            _, of_state_only = count_where_listed(db, market, listed, of_state_only=asked)
        _, every = list_below_schedule(db, market, by, ROW_CAP, 0, listed, of_state_only=of_state_only)
        return query.download_of_schedule(every, ROW_TYPES[by], f"below_schedule_{by}")
    totals, of_state_only = count_where_listed(db, market, listed, of_state_only=asked)
    paging = Paging(query.values["page"], totals.organization_rows)
    _, organizations = list_below_schedule(
        db, market, "organizations", paging.limit, paging.offset, listed, of_state_only=of_state_only
    )
    _, payers = list_below_schedule(db, market, "payers", PAGE_ROWS, 0, listed)
    of_codes = None if market.code else list_below_schedule(db, market, "codes", PAGE_ROWS, 0, listed)
    return query.render(
        "pages/below_schedule.html",
        market=market,
        code=describe_code(query.db, market.code_type, market.code),
        listed=listed,
        named=named,
        codes_text=query.values["codes"].replace(",", "\n"),
        totals=totals,
        specialties=find_performing(db, market) if totals.organizations_likely is not None else (),
        oldest=_find_oldest(query, [one.payer_slug for one in payers if isinstance(one, PayerBelow)]),
        of_state_only=of_state_only,
        organizations=organizations,
        # Of listed codes, an organization has a row for each, and none for all of them.
        mostly_below=[] if listed or paging.offset else [one for one in organizations if one.is_mostly_below][:NAMED],
        payers=payers,
        codes=of_codes[1] if of_codes else [],
        # Of all codes, each is of the class that its own page opens with, unless the visitor asks for all classes.
        of_each_code=not listed and not market.code,
        modifiers=_list_modifiers(query, market, listed),
        more_codes=max(of_codes[0] - len(of_codes[1]), 0) if of_codes else 0,
        paging=paging,
        answer_rows=totals.rates,
    )


def _find_oldest(query: MarketQuery[BelowForm], payers: Collection[str]) -> str:
    """Return how old the oldest file of these payers is, by its own date where that is older, in words."""
    months = [
        one.file_month or one.year_month
        for one in list_payer_months(query.db, query.market)
        if one.payer_slug in payers
    ]
    return write_age(min(months), datetime.now(UTC).date()) if months else ""


def _start(query: MarketQuery[BelowForm]) -> HttpResponseBase:
    """Show what is known without a code: what payers pay for common ones beside the schedule."""
    release = query.nearest_compensation_release
    if query.wants_file or query.choice.meanings or (query.market.payer and query.compensation_release):
        return ask_for_code(query, "below_schedule")
    common = list_common_codes(query.db, release) if release else None
    return query.render(
        "pages/below_schedule_start.html",
        common=common if common and common.ranges else None,
        release=release,
        states_with_schedule=sorted({one.state for one in list_compensation_releases(query.db)}),
        coming=bool(release and not query.compensation_release),
    )


def _show_beside(
    query: MarketQuery[BelowForm], release: CompensationRelease, listed: Sequence[BasketCode]
) -> HttpResponseBase:
    """Show the payers' medians beside a release that is newer than all rates: who is below it cannot be counted."""
    market = query.market
    code = describe_code(query.db, market.code_type, market.code)
    asked = listed or [BasketCode(market.code or "", (market.code_type or "CPT",), code.name if code else None)]
    _, rows = list_compensation_amounts(query.db, release, "", "", ROW_CAP, 0, asked)
    return query.render(
        "pages/below_schedule_start.html",
        release=release,
        coming=True,
        beside=list_usual_medians(query.db, release, rows, asked),
        code=code,
        listed=listed,
        looked_up=True,
        codes_text=query.values["codes"].replace(",", "\n"),
    )


def _list_modifiers(
    query: MarketQuery[BelowForm], market: Market, listed: Sequence[BasketCode]
) -> Sequence[BelowSchedule]:
    """Return the codes by modifier, if the schedule has an amount for one; the market's own may be one modifier."""
    if not query.compensation_release or not (market.code or listed):
        return []
    code_type, code = market.code_type or "CPT", market.code or ""
    _, scheduled = list_compensation_amounts(query.db, query.compensation_release, code_type, code, ROW_CAP, 0, listed)
    if not any(row.modifier for row in scheduled):
        return []
    return list_below_schedule(query.db, market.without("modifier"), "modifiers", PAGE_ROWS, 0, listed)[1]
