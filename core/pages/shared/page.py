"""What all pages share: the form, the snapshot, the market, caching, and the answers to what goes wrong.

A page is a function of one PageQuery, decorated with `page`; a page about a market is a function of one MarketQuery,
decorated with `market_page`.
"""

import logging
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import wraps
from typing import Any, TypeVar

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from core import open_store
from core.pages.citation import asked_generation, name_site
from core.pages.forms.market_forms import MarketForm
from core.pages.forms.place_fields import with_miles
from core.pages.forms.query_form import QueryForm
from core.pages.shared import urls
from core.pages.shared.answer_cache import ANSWERS, PAGES_BEING_MADE, SLOW_QUESTIONS, ending_together
from core.pages.shared.conditional import UNFINISHED, answer_tag, conditional_answer
from core.pages.shared.downloads import hold_until_sent
from core.pages.shared.error_pages import (
    invalid_form,
    invalid_query,
    not_kept,
    nothing_loaded,
    timed_out,
    too_busy,
    unreadable,
)
from core.pages.shared.lanes.admission import DOWNLOADS, HEAVY_QUESTIONS, QUESTIONS, Lane, TooBusy, client_of
from core.pages.shared.lanes.weights import HEAVY_ROWS, Weigh, weigh_question
from core.pages.shared.market_choice import (
    InvalidChoice,
    MarketChoice,
    choose_from_form,
    form_with_market,
)
from core.pages.shared.market_query import MarketQuery
from core.pages.shared.page_query import STARTED_AT, PageQuery
from core.queries import coverage
from core.queries.find.codes import count_codes
from core.queries.market.market import Market
from core.runtime.errors import BeaconError
from core.runtime.metrics import count_lookup
from core.runtime.request_notes import note_kept
from core.store.connection import QueryTimeout, QueryTooLarge, Snapshot, time_limit
from core.store.kept_reader import GenerationNotKept
from core.vocabulary.services import FAMILIAR_CODES

__all__ = [
    "MarketQuery",
    "PageQuery",
    "ask_for_code",
    "choose_from_form",
    "form_with_market",
    "market_page",
    "page",
]

_log = logging.getLogger(__name__)

F = TypeVar("F", bound=QueryForm)
M = TypeVar("M", bound=MarketForm)
View = Callable[..., HttpResponseBase]


def page(form: type[F], weigh: Weigh = weigh_question) -> Callable[[Callable[..., HttpResponseBase]], View]:
    """Decorate a function of a PageQuery (and the parts of the path) as a page whose query string is `form`.

    An address has one spelling, and other spellings are redirected to it, as are addresses with parameters that the
    page does not have. A page made before from the same generation
    is sent again. Others are made in the lane that they belong to by what they cost, which `weigh` estimates.
    """

    parameters = frozenset(form().fields)

    def decorate(view: Callable[..., HttpResponseBase]) -> View:
        @require_http_methods(["GET", "HEAD", *(["POST"] if "codes" in parameters else [])])
        @wraps(view)
        def wrapped(request: HttpRequest, **path: str) -> HttpResponseBase:
            request.META[STARTED_AT] = time.perf_counter()
            if request.method == "POST":
                return _go_to_address(request, form)
            canonical = [
                (name, value) for name, value in urls.said(with_miles(request.GET.dict())) if name in parameters
            ]
            given = [(name, value) for name, values in request.GET.lists() for value in values]
            as_file = request.GET.get("format", "html") != "html"
            if given != canonical and not as_file:
                return redirect(request.get_full_path().partition("?")[0] + urls.query(canonical))
            try:
                return _answer(request, form, weigh, lambda query: view(query, **path))
            except (TooBusy, BeaconError) as error:
                return _answer_failed(request, error)

        wrapped.parameters = parameters  # type: ignore[attr-defined]
        return wrapped

    return decorate


def _answer_failed(request: HttpRequest, error: TooBusy | BeaconError) -> HttpResponse:
    """Return the page for a question that was not answered."""
    if isinstance(error, (QueryTimeout, QueryTooLarge)):
        return timed_out(request, error)
    if isinstance(error, GenerationNotKept):
        return not_kept(request, error)
    if isinstance(error, TooBusy):
        return too_busy(request, error)
    _log.error("%s: %s", request.path, error.for_operator)
    return unreadable(request, error)


def market_page(
    form: type[M], action: str, *, needs_code: bool = False, choose: Callable[..., MarketChoice] | None = None
) -> Callable[[Callable[..., HttpResponseBase]], View]:
    """Decorate a function of a MarketQuery as a page about a market.

    `choose(form, db, **path)` returns the market that is meant. A number that stands for several codes, or a missing
    one where the page needs a code, is answered with a page to choose from; `action` is the page to go on to.
    """

    def decorate(view: Callable[..., HttpResponseBase]) -> View:
        @page(form)
        @wraps(view)
        def wrapped(query: PageQuery[M], **path: str) -> HttpResponseBase:
            try:
                choice = (choose or choose_from_form)(query.form, query.db, **path)
            except InvalidChoice as error:
                return invalid_query(query.request, error.problems)
            with ExitStack() as resources:
                shown = form_with_market(query.form, choice, query.db)
                asked = MarketQuery(query.request, query.db, shown, choice, resources)
                if choice.meanings or (needs_code and not choice.market.code):
                    return ask_for_code(asked, action)
                return view(asked, **path)

        return wrapped

    return decorate


def ask_for_code(query: MarketQuery[M], action: str, **context: Any) -> HttpResponse:
    """Return the page on which to choose a code, or what a number means if it stands for several codes.

    `context` is what the page shows besides, so that it has an answer too.
    """
    market, meanings = query.market, query.choice.meanings
    if query.wants_file:
        # A program that expects a file should notice.
        several = ", ".join(f"{code.code_type} {code.code}" for code in meanings)
        why = f"can be {several}: choose one with code_type" if several else "choose a billing code"
        return invalid_query(query.request, [("code", why)])
    loaded = coverage.count_market_rates(query.db, market)
    of_state = Market(market.state, market.year_month, latest=market.latest)
    familiar = [] if meanings else count_codes(query.db, of_state, FAMILIAR_CODES)
    return query.render(
        "messages/choose.html", meanings=meanings, action=action, loaded=loaded, familiar=familiar, **context
    )


def _go_to_address(request: HttpRequest, form: type[QueryForm]) -> HttpResponse:
    """Redirect a form that was posted to the address of its answer.

    A pasted list of 200 codes with quotes is too long for an address as it is; shortened, it fits and can be shared.
    """
    filled = form(request.POST)
    if not filled.is_valid():
        return invalid_form(request, filled)
    response = redirect(urls.changed(request.path, filled.parameters()))
    response.status_code = 303
    return response


def _answer(
    request: HttpRequest, form: type[F], weigh: Weigh, make: Callable[[PageQuery[F]], HttpResponseBase]
) -> HttpResponseBase:
    """Return a page from the generation that is asked for, or the newest: 304, the page made before, or a new one."""
    db = open_store.snapshot_for_site(generation=asked_generation(request))
    if db is None:
        return nothing_loaded(request)
    tag = answer_tag(db, request)

    def kept_or_made() -> HttpResponseBase:
        kept = ANSWERS.get(tag)
        count_lookup("pages", found=kept is not None)
        if kept is not None:
            note_kept()
            return HttpResponse(kept)
        filled = form(request.GET)
        if not filled.is_valid():
            return invalid_form(request, filled)
        return _make_once(request, _choose_lane(db, filled, weigh), filled, tag, make)

    return name_site(request, conditional_answer(request, tag, kept_or_made))


def _make_once(
    request: HttpRequest, lane: Lane, form: F, tag: str, make: Callable[[PageQuery[F]], HttpResponseBase]
) -> HttpResponseBase:
    """Return a new page, or the same page that somebody else is making, once it is there. A file is everybody's own."""
    if reason := SLOW_QUESTIONS.get(tag):
        raise QueryTimeout(reason)
    with ExitStack() as making:
        if lane is not DOWNLOADS:
            other = making.enter_context(PAGES_BEING_MADE.make_alone(tag))
            if other is not None:
                lane.wait_for(other)
                if kept := ANSWERS.get(tag):
                    note_kept()
                    return HttpResponse(kept)
        try:
            return _make_in_lane(request, lane, form, tag, make)
        except QueryTimeout as error:
            SLOW_QUESTIONS.note(tag, str(error))
            raise


def _choose_lane(db: Snapshot, form: F, weigh: Weigh) -> Lane:
    if form.cleaned_data["format"] != "html":
        return DOWNLOADS
    return HEAVY_QUESTIONS if weigh(db, form) > HEAVY_ROWS else QUESTIONS


def _make_in_lane(
    request: HttpRequest, lane: Lane, form: F, tag: str, make: Callable[[PageQuery[F]], HttpResponseBase]
) -> HttpResponseBase:
    """Return a page that is made once there is a place in its lane. A file keeps the place until it is sent."""
    with ExitStack() as leaving:
        place = leaving.enter_context(lane.enter(client_of(request)))
        db = open_store.snapshot_for_site(heavy=lane is not QUESTIONS, generation=asked_generation(request))
        if db is None:
            return nothing_loaded(request)
        with time_limit(lane.limits.seconds), ending_together():
            response = make(PageQuery(request, db, form))
        if isinstance(response, StreamingHttpResponse):
            if request.method == "HEAD":
                response.streaming_content = ()
            else:
                hold_until_sent(response, place, lane.limits.seconds)
                leaving.pop_all()
        elif (
            isinstance(response, HttpResponse)
            and response.status_code == 200
            and response.get("Cache-Control") != UNFINISHED
        ):
            ANSWERS.keep(tag, response.content)
        return response
