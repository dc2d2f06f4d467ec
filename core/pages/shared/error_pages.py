"""The pages for what cannot be answered."""

import logging
from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.text import capfirst

from core.pages.forms.query_form import FORMATS, QueryForm
from core.pages.shared import urls
from core.pages.shared.answer_cache import TOO_SLOW_SECONDS
from core.pages.shared.lanes.admission import TooBusy
from core.runtime.errors import BeaconError
from core.runtime.request_notes import current_request_id
from core.store.connection import QueryTimeout, QueryTooLarge
from core.store.generations.integrity.damage import DamagedFileError
from core.store.kept_reader import GenerationNotKept

_log = logging.getLogger(__name__)

_NOT_TYPED = frozenset({"page", "sort", "table", "format"})
"""Parameters that come from links."""

_FILE_FORMATS = frozenset(FORMATS) - {"html"}

_PASTED = ("lines", "npis", "codes")
"""Parameters that visitors paste, which may have what is wrong in them."""

_NOT_READ = (403, 413)
"""The answers to forms that are refused before they are read."""

Problems = list[tuple[str, str]]
"""Names of parameters (or empty text) and a sentence about each."""

_UNREADABLE_RETRY_SECONDS = 30

WHY_UNREADABLE = "The rates cannot be read at the moment. Please try again later."
"""What visitors are told if there is nothing that they may know."""

_NARROWER = (
    ("billing_class", "professional", "Professional rates only"),
    ("billing_class", "institutional", "Institutional rates only"),
    ("modifier", "none", "Rates without a modifier only"),
)


def sorry(request: HttpRequest, status: int, title: str, problems: Problems, **more: Any) -> HttpResponse:
    """Return a page that says what is wrong. What was posted can be corrected or sent again from it.

    Whoever asks for a file gets plain text: a program would read a page as rows.
    """
    if request.GET.get("format") in _FILE_FORMATS:
        return _write_plainly(status, title, problems, more.get("narrower", []))
    posted = [] if request.method != "POST" or status in _NOT_READ else _list_posted(request)
    context = {
        "title": title,
        "problems": problems,
        "request_id": current_request_id(),
        "path": request.path,
        "posted": posted,
        "had_file": bool(posted and request.FILES),
        **more,
    }
    return render(request, "messages/sorry.html", context, status=status)


def _write_plainly(status: int, title: str, problems: Problems, narrower: Sequence[tuple[str, str]]) -> HttpResponse:
    """Return what is wrong as plain text: a line for each problem, and one for each question to ask instead."""
    lines = [title, *(f"{name}: {why}" if name else why for name, why in problems)]
    lines += [f"{label}: {address}" for label, address in narrower]
    request_id = current_request_id()
    lines += [f"Request {request_id}"] if request_id else []
    text = "".join(f"{line}\n" for line in lines)
    return HttpResponse(text, status=status, content_type="text/plain; charset=utf-8")


def _list_posted(request: HttpRequest) -> list[tuple[str, str, bool]]:
    """Return the names and values of a form that was posted, and which are shown to be corrected."""
    # A file cannot be given back to a browser.
    given = [(name, str(value)) for name, value in request.POST.items() if value and name not in _NOT_TYPED]
    return [(name, value, name in _PASTED) for name, value in given]


def invalid_query(request: HttpRequest, problems: Problems) -> HttpResponse:
    """Return the page for parameters that are not valid."""
    return sorry(request, 400, "This address is not valid", problems)


def invalid_form(request: HttpRequest, form: QueryForm) -> HttpResponse:
    """Return the page for a form that is not valid, with what an address says, so that it can be corrected.

    Only parameters of the query string are named.
    """
    given = {**request.GET.dict(), **request.POST.dict()}
    problems = [(str(given.get(name, "")) and name, why) for name, why in form.problems]
    wrong = {name for name, _ in problems}
    typed = [
        (name, form.fields[name].label or name, value, name in wrong)
        for name, value in request.GET.items()
        if value and name in form.fields and name not in _NOT_TYPED
    ]
    return sorry(request, 400, "This address is not valid", problems, typed=typed)


def why_stopped(error: QueryTimeout | QueryTooLarge) -> str:
    """Return what visitors are told of a question that was stopped, and log what the operator can do about it."""
    if isinstance(error, QueryTimeout):
        return str(error)
    _log.warning("%s", error.for_operator)
    return "the question is about too many rates to be answered"


def timed_out(request: HttpRequest, error: QueryTimeout | QueryTooLarge) -> HttpResponse:
    """Return the page for a question that was stopped, with narrower ones to ask instead."""
    given = request.GET.dict()
    narrower = [
        (label, urls.changed(request.path, {**given, "page": None}, **{name: value}))
        for name, value, label in _NARROWER
        if not given.get(name)
    ]
    advice = "Try fewer rates: choose a code, a payer, a billing class, or a provider."
    problem = f"{capfirst(why_stopped(error))}. {advice}"
    title = "This took too long" if isinstance(error, QueryTimeout) else "This was too much at once"
    response = sorry(request, 503, title, [("", problem)], narrower=narrower)
    response["Retry-After"] = str(TOO_SLOW_SECONDS)
    return response


def not_kept(request: HttpRequest, error: GenerationNotKept) -> HttpResponse:
    """Return the page for a generation that cannot be read: 410 if it has been deleted, 404 if it has never been."""
    newest = urls.changed(request.path, {**request.GET.dict(), "generation": None})
    title = "This data is no longer kept" if error.was_there else "There is no such data"
    advice = "A month in the address, year_month=2025-08, names data that is kept longer."
    narrower = [("The same page of the newest data", newest)]
    problems = [("generation", f"{error}. {advice}")]
    return sorry(request, 410 if error.was_there else 404, title, problems, narrower=narrower, instead=True)


def too_busy(request: HttpRequest, error: TooBusy) -> HttpResponse:
    """Return the page for a question that found no place in its lane, or whose client asks too many at once."""
    title = "Too busy right now" if error.status == 503 else "One question at a time"
    response = sorry(request, error.status, title, [("", f"{error}.")])
    response["Retry-After"] = str(error.retry_after)
    return response


def nothing_loaded(request: HttpRequest) -> HttpResponse:
    """Return the page for a store without data."""
    if request.GET.get("format") in _FILE_FORMATS:
        return _write_plainly(503, "No rates yet", [], [])
    return render(request, "messages/empty.html", {"request_id": current_request_id()}, status=503)


def why_unreadable(error: BeaconError) -> str:
    """Return what visitors are told of a store that cannot be read."""
    if isinstance(error, DamagedFileError):
        found = error.damage
        return f"A file of the table {found.table} is damaged ({found.path}). {WHY_UNREADABLE}"
    return WHY_UNREADABLE


def unreadable(request: HttpRequest, error: BeaconError) -> HttpResponse:
    """Return the page for a store that cannot be read. What to do about it is in the log and in /readyz."""
    response = sorry(request, 503, "Temporarily unavailable", [("", why_unreadable(error))])
    response["Retry-After"] = str(_UNREADABLE_RETRY_SECONDS)
    return response
