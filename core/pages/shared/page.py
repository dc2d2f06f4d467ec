"""What all pages share: the store's snapshot, the form, caching, and what is shown when something is wrong."""

import hashlib
import time
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotModified
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from core import open_store
from core.fields.states import STATES
from core.pages.forms import MarketForm, QueryForm
from core.pages.shared import urls
from core.pages.shared.answer_cache import ANSWERS, TooBusy, admitted
from core.queries import coverage
from core.queries.codes import CodeTitle, find_possible_codes
from core.queries.rules.market import FILTERS, Market
from core.runtime.errors import BeaconError
from core.store.connection import QueryTimeout, Snapshot

PAGE_ROWS = 50
"""Rows of a table on one page."""

_STARTED_AT = "beaconpoint.started"

F = TypeVar("F", bound=QueryForm)
View = Callable[..., HttpResponseBase]


def page(view: View) -> View:
    """A view of the store: `view(request, db, …)`. Handles GET and HEAD, an empty store, caching, load and errors.

    An address has one spelling: another one is sent there. A page that was made before of the same generation is given
    again; so many are made at a time, and others wait.
    """

    @require_safe
    @wraps(view)
    def wrapped(request: HttpRequest, **path: str) -> HttpResponseBase:
        request.META[_STARTED_AT] = time.perf_counter()
        asked = urls.said(request.GET.dict())
        given = [(name, value) for name, values in request.GET.lists() for value in values]
        as_file = request.GET.get("format", "html") != "html"
        if given != asked and not as_file:
            return redirect(request.get_full_path().partition("?")[0] + urls.query(asked))
        try:
            db = open_store.snapshot()
            return render(request, "empty.html", status=503) if db is None else _answer(request, db, view, path)
        except QueryTimeout as error:
            return _too_long(request, str(error))
        except TooBusy as error:
            response = sorry(request, 503, "Too busy just now", [("", f"{error}.")])
            response["Retry-After"] = str(TooBusy.retry_after)
        except BeaconError as error:
            response = sorry(request, 503, "The data cannot be read just now", [("", str(error))])
        return response

    return wrapped


def _answer(request: HttpRequest, db: Snapshot, view: View, path: dict[str, str]) -> HttpResponseBase:
    """The view's answer, or the one that was given before."""
    tag = etag(db, request)
    if tag in request.headers.get("If-None-Match", "").split(", "):
        response: HttpResponseBase = HttpResponseNotModified()
    elif (kept := ANSWERS.get(tag)) is not None:
        response = HttpResponse(kept)
    else:
        with admitted():
            response = view(request, db, **path)
        if isinstance(response, HttpResponse) and response.status_code == 200:
            ANSWERS.keep(tag, response.content)
    if response.status_code in {200, 304}:
        response["ETag"] = tag
        response["Cache-Control"] = "no-cache"
    return response


def _too_long(request: HttpRequest, why: str) -> HttpResponse:
    """The page for a question that was stopped, with narrower ones to ask instead."""
    given = request.GET.dict()
    narrower = [
        (f"only {label}", urls.changed(request.path, {**given, "page": None}, **{name: value}))
        for name, value, label in (
            ("billing_class", "professional", "professional rates"),
            ("billing_class", "institutional", "institutional rates"),
            ("modifier", "none", "rates without a modifier"),
        )
        if not given.get(name)
    ]
    problem = f"{why}. Choose fewer rates: name a code, a payer, a class or a provider."
    response = sorry(request, 503, "That took too long", [("", problem)], narrower=narrower)
    response["Retry-After"] = "60"
    return response


def sorry(request: HttpRequest, status: int, title: str, problems: list[tuple[str, str]], **more: Any) -> HttpResponse:
    """A page that says what is wrong: parameter names and sentences."""
    return render(request, "sorry.html", {"title": title, "problems": problems, **more}, status=status)


def wrong(request: HttpRequest, form: QueryForm) -> HttpResponse:
    """The page for a wrong parameter."""
    problems = [(str(request.GET.get(name, "")) and name, why) for name, why in form.problems]
    return sorry(request, 400, "That address cannot be answered", problems)


def context(request: HttpRequest, form: QueryForm, db: Snapshot, **more: Any) -> dict[str, Any]:
    """What every page's template is given: `path` and `parameters` make links to the same page."""
    return {
        "form": form,
        "path": request.path,
        "parameters": form.parameters(),
        "manifest": db.manifest,
        "started": request.META.get(_STARTED_AT),
        "applied": [
            (label, name, form.cleaned_data[name])
            for name, label in FILTERS.items()
            if name in form.fields and form.cleaned_data.get(name)
        ],
        **more,
    }


def choose_market(form: MarketForm, db: Snapshot) -> tuple[Market, list[CodeTitle]]:
    """The market of a valid form, and the codes it may mean where its number stands for different things.

    Where state or month are not given, the newest month with most rates; where the code's system is not given, the
    one that has the code. CPT and HCPCS are one system here: payers label the same code either way.
    """
    loaded = coverage.list_periods(db)
    chosen = form.cleaned_data
    for period in loaded:
        if chosen["state"] in {"", period.state} and chosen["year_month"] in {"", period.year_month}:
            chosen["state"], chosen["year_month"] = period.state, period.year_month
            break
    if loaded:
        chosen["state"] = chosen["state"] or loaded[0].state
        chosen["year_month"] = chosen["year_month"] or loaded[0].year_month
    meant: list[CodeTitle] = []
    if chosen["code"] and not chosen["code_type"]:
        meant = find_possible_codes(db, chosen["code"])
        if len(meant) == 1:
            chosen["code_type"], chosen["code"] = meant[0].code_type, meant[0].code
        if {code.code_type for code in meant} <= {"CPT", "HCPCS"}:
            meant = []
    form.offer("state", [(s, f"{s} {STATES[s]}") for s in sorted({p.state for p in loaded})])
    form.offer("year_month", [(m, m) for m in sorted({p.year_month for p in loaded}, reverse=True)])
    form.offer("payer", [("", "any"), *coverage.list_payers(db)])
    form.offer_fixed()
    form.data = {name: chosen.get(name, "") for name in form.fields}
    return form.market(), meant if len(meant) > 1 else []


def span(number: int) -> tuple[int, int]:
    """How many rows a page of that number has at the most, and how many are before it."""
    return PAGE_ROWS, (number - 1) * PAGE_ROWS


class Paging:
    """Which rows of a table of `total` a page shows."""

    def __init__(self, number: int, total: int) -> None:
        self.total = total
        self.pages = max(-(-total // PAGE_ROWS), 1)
        self.number = number
        self.limit, self.offset = span(number)

    @property
    def beyond(self) -> bool:
        """Whether the page lies behind the last one."""
        return self.number > self.pages

    @property
    def first(self) -> int:
        """The number of the page's first row, from 1."""
        return min(self.offset + 1, self.total)

    @property
    def last(self) -> int:
        """The number of the page's last row."""
        return min(self.offset + self.limit, self.total)

    @property
    def before(self) -> int | None:
        """The page before."""
        return self.number - 1 if 1 < self.number <= self.pages else None

    @property
    def after(self) -> int | None:
        """The page after."""
        return self.number + 1 if self.number < self.pages else None


def etag(db: Snapshot, request: HttpRequest) -> str:
    """The mark of an answer, for `ETag`: another one means another answer."""
    # One process serves one version of the program: the address and the generation are all the answer depends on.
    seen = f"{_STARTED}|{db.root}|{db.manifest.generation}|{db.manifest.created_at}|{request.get_full_path()}"
    return f'W/"{hashlib.md5(seen.encode(), usedforsecurity=False).hexdigest()}"'


_STARTED = hashlib.md5(repr(object()).encode(), usedforsecurity=False).hexdigest()
