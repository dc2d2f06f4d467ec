"""What all pages share: the form, the snapshot, the market, caching, and the answers to what goes wrong.

A page is a function of one PageQuery, decorated with `page`; a page about a market is a function of one MarketQuery,
decorated with `market_page`.
"""

import logging
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property, wraps
from typing import Any, Generic, TypeVar

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from core import open_store
from core.fields.places.states import STATES
from core.pages.formats import write_months
from core.pages.forms.market_forms import MarketForm
from core.pages.forms.query_form import QueryForm
from core.pages.shared import urls
from core.pages.shared.admission import DOWNLOADS, HEAVY_QUESTIONS, QUESTIONS, Lane, TooBusy, client_of
from core.pages.shared.answer_cache import ANSWERS, PAGES_BEING_MADE, SLOW_QUESTIONS, ending_together
from core.pages.shared.conditional import UNFINISHED, answer_tag, conditional_answer
from core.pages.shared.downloads import download, hold_until_sent
from core.pages.shared.error_pages import (
    invalid_form,
    invalid_query,
    nothing_loaded,
    timed_out,
    too_busy,
    unreadable,
)
from core.pages.shared.labels import filter_label
from core.pages.shared.market_choice import (
    InvalidChoice,
    MarketChoice,
    choose_from_form,
    form_with_market,
)
from core.pages.shared.weights import HEAVY_ROWS, Weigh, count_market_rates, weigh_question
from core.queries import coverage
from core.queries.find.code_titles import code_titles
from core.queries.latest import are_far_apart, list_payer_months
from core.queries.parties.filter_names import name_of_value
from core.queries.profiles import name_places
from core.queries.rules.market import Market, market_cache, uses_own_areas
from core.queries.rules.market_filters import AREA, BASIS, FILTERS
from core.queries.yardstick.compensation import (
    CompensationRelease,
    choose_compensation_release,
    list_compensation_releases,
)
from core.runtime.errors import BeaconError
from core.runtime.metrics import count_lookup
from core.runtime.request_notes import note_kept
from core.store.connection import QueryTimeout, QueryTooLarge, Snapshot, time_limit
from core.workbook import About, SourceFile

_log = logging.getLogger(__name__)

_STARTED_AT = "beaconpoint.started"

F = TypeVar("F", bound=QueryForm)
M = TypeVar("M", bound=MarketForm)
View = Callable[..., HttpResponseBase]


@dataclass(frozen=True)
class PageQuery(Generic[F]):
    """A question to a page: the request, the snapshot to ask, and the form, which is valid."""

    request: HttpRequest
    db: Snapshot
    form: F

    @property
    def values(self) -> dict[str, Any]:
        """The values of the form's fields."""
        return self.form.cleaned_data

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters of links to the same page."""
        return self.form.parameters()

    @property
    def wants_file(self) -> bool:
        """Whether a table is asked for as a file."""
        return bool(self.values["format"] != "html")

    def download(self, rows: Iterable[Any], row_type: type[Any], name: str) -> HttpResponseBase:
        """Return the rows as a file in the format that is asked for."""
        return download(rows, row_type, name, self.values["format"], lambda: self._about(name), self._constants())

    def _constants(self) -> dict[str, str | None]:
        """Return what a file of rows says in columns of its own, see `Constants`."""
        return {}

    def _about(self, name: str) -> About:
        """Return what a workbook says about itself."""
        page = self.request.path + urls.query(urls.said({**self.parameters, "format": None, "table": None}))
        return About(
            title=f"BeaconPoint Health: {name.replace('_', ' ')}",
            address=self.request.build_absolute_uri(page),
            choices=self._choices(),
            sources=self._sources(),
            generation=self.db.manifest.generation,
            made_at=datetime.now(UTC),
        )

    def _choices(self) -> list[tuple[str, str]]:
        """Return what was chosen, in a visitor's words."""
        return []

    def _sources(self) -> list[SourceFile]:
        """Return the payers' files that the rows come from, where they are the files of one market."""
        return []

    def render(self, template: str, status: int = 200, **context: Any) -> HttpResponse:
        """Return the page. `path` and `parameters` let templates link to the same page with other parameters."""
        return render(self.request, template, {**self._context(), **context}, status=status)

    def _context(self) -> dict[str, Any]:
        return {
            "form": self.form,
            "path": self.request.path,
            "parameters": self.parameters,
            "manifest": self.db.manifest,
            "titles": code_titles(self.db),
            "started": self.request.META.get(_STARTED_AT),
        }


@dataclass(frozen=True)
class MarketQuery(PageQuery[M]):
    """A question about a market. The form contains the market that was chosen, not only what was asked for."""

    choice: MarketChoice
    _resources: ExitStack = field(repr=False)

    @property
    def market(self) -> Market:
        """The market that the question is about."""
        return self.choice.market

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters of links to the same page: they name the class of rates that was chosen."""
        return {**super().parameters, **{name: getattr(self.market, name) for name in sorted(self.choice.filled)}}

    @cached_property
    def cached(self) -> Snapshot:
        """The snapshot with the market's rates in memory: the same answers, sooner. Made when it is first needed."""
        return self._resources.enter_context(market_cache(self.db, self.market))

    @cached_property
    def cached_by_area(self) -> Snapshot:
        """The snapshot with the market's rates in memory, counted by area if they are compared in their own areas."""
        if not uses_own_areas(self.db, self.market):
            return self.cached
        return self._resources.enter_context(market_cache(self.db, self.market, areas=True))

    @cached_property
    def compensation_release(self) -> CompensationRelease | None:
        """The release of the state's workers' compensation schedule that is in effect in the market's month."""
        releases = list_compensation_releases(self.db)
        return choose_compensation_release(releases, self.market.state, self.market.newest_month)

    def download(self, rows: Iterable[Any], row_type: type[Any], name: str) -> HttpResponseBase:
        """Return the rows as a file whose name says of which state and month they are."""
        return super().download(rows, row_type, f"{name}_{self.market.state}_{self.market.one_month or 'latest'}")

    def _constants(self) -> dict[str, str | None]:
        market = self.market
        names = ("state", "code_type", "code", "billing_class", "modifier")
        of_market = {name: getattr(market, name) for name in names}
        return {"year_month": market.one_month or None, **of_market, "payer_slug": market.payer}

    def _choices(self) -> list[tuple[str, str]]:
        market = self.market
        code = [("Code", f"{market.code_type} {market.code}")] if market.code else []
        filters = [(label, value) for label, _, value in self._applied(self.parameters)]
        return [("State", STATES[market.state]), ("Month", write_months(market)), *code, *filters]

    def _sources(self) -> list[SourceFile]:
        market = self.market
        return [
            SourceFile(**vars(one)) for one in coverage.list_sources(self.db, market.state, market.months, market.payer)
        ]

    def _applied(self, parameters: dict[str, Any]) -> list[tuple[str, str, str]]:
        """Return the label, the name, and the value in words of each filter that is set."""
        names = {("payer", slug): name for slug, name in coverage.list_payers(self.db)}
        names |= {(name, str(parameters.get(name))): label for name, label in name_places(self.db, self.market).items()}
        applied = [
            (one.label, name, names.get((name, value)) or name_of_value(self.db, name, value) or value)
            for name, one in FILTERS.items()
            if (value := parameters.get(name))
        ]
        if parameters.get(BASIS):
            applied.append((filter_label(BASIS), BASIS, parameters[BASIS].upper()))
        if parameters.get(AREA):
            applied.append((filter_label(AREA), AREA, parameters[AREA]))
        return applied

    @property
    def names_in_tabs(self) -> set[str]:
        """The filters that the tabs of the classes show."""
        chosen = [one for one in self.choice.classes if one.chosen] if len(self.choice.classes) > 1 else []
        return {name for one in chosen for name, value in one.filters.items() if value}

    def _context(self) -> dict[str, Any]:
        context = super()._context()
        not_in_tabs = {k: v for k, v in context["parameters"].items() if k not in self.names_in_tabs}
        applied, release = self._applied(not_in_tabs), self.compensation_release
        earlier = coverage.has_earlier_month(self.db, self.market.state, self.market.payer)
        months = list_payer_months(self.db, self.market) if not self.market.one_month else []
        return {
            **context,
            "payer_months": months,
            "months_are_far_apart": are_far_apart(self.market.month_names),
            "market": self.market,
            "classes": self.choice.classes,
            "applied": applied,
            "compensation_release": release,
            "has_earlier_month": earlier,
        }


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
            request.META[_STARTED_AT] = time.perf_counter()
            if request.method == "POST":
                return _go_to_address(request, form)
            canonical = [(name, value) for name, value in urls.said(request.GET.dict()) if name in parameters]
            given = [(name, value) for name, values in request.GET.lists() for value in values]
            as_file = request.GET.get("format", "html") != "html"
            if given != canonical and not as_file:
                return redirect(request.get_full_path().partition("?")[0] + urls.query(canonical))
            try:
                return _answer(request, form, weigh, lambda query: view(query, **path))
            except (QueryTimeout, QueryTooLarge) as error:
                return timed_out(request, error)
            except TooBusy as error:
                return too_busy(request, error)
            except BeaconError as error:
                _log.error("%s: %s", request.path, error.for_operator)
                return unreadable(request, error)

        wrapped.parameters = parameters  # type: ignore[attr-defined]
        return wrapped

    return decorate


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


def ask_for_code(query: MarketQuery[M], action: str) -> HttpResponse:
    """Return the page on which to choose a code, or what a number means if it stands for several codes."""
    market, meanings = query.market, query.choice.meanings
    if query.wants_file:
        # A program that expects a file should notice.
        several = ", ".join(f"{code.code_type} {code.code}" for code in meanings)
        why = f"can be {several}: choose one with code_type" if several else "choose a billing code"
        return invalid_query(query.request, [("code", why)])
    loaded = count_market_rates(query.db, market)
    return query.render("messages/choose.html", meanings=meanings, action=action, loaded=loaded)


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
    """Return a page from the newest generation: 304, the page made before, or a new one."""
    db = open_store.snapshot_for_site()
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

    return conditional_answer(request, tag, kept_or_made)


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
        db = open_store.snapshot_for_site(heavy=lane is not QUESTIONS)
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
