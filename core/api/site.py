"""The API as the site serves it: its resources, its document, and a problem for all that goes wrong."""

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, re_path
from ninja import NinjaAPI, Router
from ninja.errors import ValidationError
from ninja.renderers import JSONRenderer
from ninja.responses import NinjaJSONEncoder

from core.api import (
    changes,
    codes,
    coverage,
    facets,
    medicare,
    organizations,
    payers,
    providers,
    quality,
    rates,
    search,
)
from core.api.protocol.parameters import wrong
from core.api.protocol.problems import Problem
from core.pages.shared.answer_cache import TooBusy
from core.rows import RowEncoder
from core.runtime.errors import BeaconError
from core.store.connection import QueryTimeout

_log = logging.getLogger(__name__)


class _Encoder(RowEncoder, NinjaJSONEncoder):
    """Write rows as downloads write them, and pydantic's models as ninja does."""


class _Renderer(JSONRenderer):
    encoder_class = _Encoder


def new(*routers: Router) -> NinjaAPI:
    """An API of those resources, which tells all that goes wrong as a problem."""
    made = NinjaAPI(
        title="BeaconPoint Health",
        version="1",
        urls_namespace="api",
        openapi_url=None,
        docs_url=None,
        renderer=_Renderer(),
    )
    for kind in (Problem, ValidationError, BeaconError, Exception):
        made.add_exception_handler(kind, _told)
    for router in routers:
        made.add_router("", router)
    return made


def _told(request: HttpRequest, error: Any) -> HttpResponse:
    """What went wrong, as a problem. What is a defect of ours goes to the log, and nothing of it to the client."""
    if isinstance(error, ValidationError):
        error = wrong(request, error)
    elif isinstance(error, QueryTimeout):
        error = Problem("too-slow", f"{error}. Ask for less: name a code, a payer or other filters.")
    elif isinstance(error, TooBusy):
        error = Problem("too-busy", f"{error}.")
        error.retry_after = TooBusy.retry_after
    elif isinstance(error, BeaconError):
        error = Problem("unavailable", str(error))
    elif not isinstance(error, Problem):
        _log.error("%s", request.path, exc_info=error)
        error = Problem("defect")
    response: HttpResponse = error.response()
    return response


_RESOURCES = (coverage, search, codes, rates, facets, medicare, organizations, providers, payers, changes, quality)
api = new(*(module.router for module in _RESOURCES))


def patterns(of: NinjaAPI = api) -> list[URLPattern]:
    """The addresses of an API, by default of this one."""
    of_ninja = [pattern for pattern in of.urls[0] if isinstance(pattern, URLPattern)]
    for pattern in of_ninja:
        pattern.callback = _guarded(pattern.callback)
    return [*of_ninja, re_path("", _guarded(_nowhere))]


def _nowhere(_request: HttpRequest) -> HttpResponse:
    raise Http404


def _guarded(view: Callable[..., Any]) -> Callable[..., HttpResponse]:
    """A view that answers GET and HEAD, and other methods and wrong addresses with a problem."""

    @wraps(view)
    def guarded(request: HttpRequest, **parts: Any) -> HttpResponse:
        head = request.method == "HEAD"
        if request.method not in {"GET", "HEAD"}:
            return Problem("method-not-allowed", f"{request.method} is not allowed; expected GET or HEAD").response()
        request.method = "GET"
        try:
            response: HttpResponse = view(request, **parts)
        except Http404:
            why = f"{request.path} is no address of the API; /api/docs lists them, without a slash at the end"
            response = Problem("no-such-address", why).response()
        request.method = "HEAD" if head else "GET"
        if head and not response.streaming:
            response["Content-Length"] = str(len(response.content))
            response.content = b""
        return response

    return guarded
