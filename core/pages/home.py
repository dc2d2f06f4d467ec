"""The first page: one box for everything, and what is loaded."""

from datetime import UTC, datetime

from django.http import HttpResponseBase

from core.fields.places.states import STATES
from core.pages.forms.query_form import HomeForm
from core.pages.search_results import show_results
from core.pages.shared.conditional import UNFINISHED
from core.pages.shared.page import PageQuery, page
from core.pages.worked_questions import WorkedQuestion, work_questions
from core.queries import coverage
from core.queries.expired_contracts import list_expired_payers
from core.queries.latest import list_payer_months, with_latest
from core.queries.loaded_files import list_shared_files
from core.queries.market.market import Market
from core.queries.payers.loaded_payers import count_dollars, count_loaded, newest_of_each_payer, rows_of_payers
from core.store.connection import QueryTimeout, Snapshot
from core.store.query_limits import seconds_left, time_limit
from core.vocabulary.search_text import read_search

MAX_RATES_FOR_EXAMPLES = 100_000_000
"""Counting the rates of a larger month by code takes too long for a first page."""

PART_OF_TIME = 0.6
"""How much of the page's time the worked questions may take."""


@page(HomeForm)
def show_home(query: PageQuery[HomeForm]) -> HttpResponseBase:
    """Show `/`, and `/?q=…`: what the text may stand for, in a state if one is chosen."""
    state = query.values["state"]
    if query.values["q"]:
        text = query.values["q"]
        return show_results(query, f"{text}, {state}" if state and not read_search(text).state else text)
    db = query.db
    loaded = coverage.list_coverage(db)
    if query.wants_file:
        return query.download(loaded, coverage.Coverage, "coverage")
    periods = coverage.list_periods(db)
    newest = next((one for one in periods if state in {"", one.state}), None)
    countable = newest is not None and newest.rates <= MAX_RATES_FOR_EXAMPLES
    shown = with_latest(db, Market(newest.state, "")) if newest else None
    shared = list_shared_files(db)
    # A file of several states is one: its rates are counted once, wherever the page says how many there are.
    counted = count_loaded(db)
    files_shown = list_payer_months(db, shown) if shown else []
    payers_loaded = rows_of_payers(newest_of_each_payer(loaded, count_dollars(db)), shared)
    worked = _work_questions(db, shown) if shown and countable else []
    response = query.render(
        "pages/home.html",
        loaded=loaded,
        newest=newest,
        state=state,
        states=sorted({(one.state, STATES[one.state]) for one in periods}, key=lambda one: one[1]),
        missing=STATES[state] if state and newest is None else "",
        last_loaded_at=max((row.loaded_at for row in loaded), default=None),
        files_shown=files_shown,
        worked=worked or [],
        expired=list_expired_payers(db, shown, datetime.now(UTC).date()) if shown and worked else [],
        # What is so of all of them is said once.
        elsewhere=worked[0].elsewhere if worked and len({one.elsewhere for one in worked}) == 1 else "",
        payers_loaded=payers_loaded,
        answer_rows=counted.different,
        counted=counted,
        shared=shared,
        payers=len({row.payer_slug for row in loaded}),
    )
    if worked is None:
        response["Cache-Control"] = UNFINISHED
    return response


def _work_questions(db: Snapshot, market: Market) -> list[WorkedQuestion] | None:
    """Return the worked questions; None if they take too long, which is no reason for a first page that fails.

    They have a part of the page's time: the rest is for what the page cannot do without.
    """
    try:
        with time_limit(PART_OF_TIME * seconds_left(db.limits.seconds)):
            return work_questions(db, market)
    except QueryTimeout:
        return None
