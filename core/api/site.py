"""The API as the site serves it: its resources, and a problem for everything that goes wrong."""

import logging
from collections.abc import Callable, Sequence
from functools import wraps
from importlib import import_module
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, re_path
from ninja import NinjaAPI, Router
from ninja.errors import HttpError, ValidationError

from core.api.protocol.parameters import invalid_parameters
from core.api.protocol.problems import Problem
from core.pages.shared.error_pages import why_stopped, why_unreadable
from core.pages.shared.lanes.admission import TooBusy
from core.runtime.errors import BeaconError
from core.store.connection import QueryTimeout, QueryTooLarge
from core.store.generations.manifest import StoreError

_log = logging.getLogger(__name__)


def create_api(*routers: Router) -> NinjaAPI:
    """Return an API of these resources that answers every error with a problem."""
    # The document and its page are our own: ninja's load scripts from elsewhere.
    created = NinjaAPI(title="BeaconPoint Health", version="1", urls_namespace="api", openapi_url=None, docs_url=None)
    for kind in (Problem, ValidationError, HttpError, RequestDataTooBig, BeaconError, Exception):
        created.add_exception_handler(kind, _answer_error)
    for router in routers:
        created.add_router("", router)
    return created


def _answer_error(request: HttpRequest, error: Any) -> HttpResponse:
    """Return the problem of an error. Unexpected errors are logged, and the client learns nothing about them."""
    if isinstance(error, ValidationError):
        error = invalid_parameters(request, error)
    elif isinstance(error, HttpError):
        error = Problem("wrong-parameter", errors=[("body", "expected an object in JSON")])
    elif isinstance(error, RequestDataTooBig):
        error = Problem("wrong-parameter", errors=[("body", "too large")])
    elif isinstance(error, (QueryTimeout, QueryTooLarge)):
        error = Problem("too-slow", f"{why_stopped(error)}. Add a code, a payer or other filters.")
    elif isinstance(error, TooBusy):
        refusal = Problem("too-busy" if error.status == 503 else "too-many-at-once", f"{error}.")
        refusal.retry_after = error.retry_after
        error = refusal
    elif isinstance(error, StoreError):
        # What to do about it is for the operator, as in /readyz.
        _log.error("%s: %s", request.path, error)
        error = Problem("unavailable", why_unreadable(error))
    elif isinstance(error, BeaconError):
        error = Problem("unavailable", str(error))
    elif not isinstance(error, Problem):
        _log.error("%s", request.path, exc_info=error)
        error = Problem("defect")
    response: HttpResponse = error.response()
    return response


_RESOURCES = (
    "coverage", "search", "codes", "rates", "facets", "medicare", "desk.compensation", "desk.contract_rule",
    "desk.baskets", "desk.clinic", "parties.organizations", "places", "parties.providers", "parties.groups",
    "parties.roll_ups", "parties.plans", "parties.payers", "changes", "trend", "quality",
)  # fmt: skip
"""The modules of this package that have a router, in the order of the documentation."""

api = create_api(*(import_module(f"core.api.{name}").router for name in _RESOURCES))


def url_patterns(of: NinjaAPI = api) -> list[URLPattern]:
    """Return the addresses of an API. Any other address below them is answered with a problem."""
    posted = {
        path.lstrip("/")
        for _, router in of._routers
        for path, view in router.path_operations.items()
        if any("POST" in operation.methods for operation in view.operations)
    }
    of_ninja = [pattern for pattern in of.urls[0] if isinstance(pattern, URLPattern)]
    for pattern in of_ninja:
        takes = ("GET", "HEAD", "POST") if str(pattern.pattern) in posted else ("GET", "HEAD")
        pattern.callback = _answer_methods(pattern.callback, takes)
    return [*of_ninja, re_path("", _answer_methods(_no_such_address, ("GET", "HEAD")))]


def _no_such_address(_request: HttpRequest) -> HttpResponse:
    raise Http404


def _answer_methods(view: Callable[..., Any], methods: Sequence[str]) -> Callable[..., HttpResponse]:
    """Return a view that answers other methods, and addresses that do not exist, with a problem.

    ninja knows no HEAD: the view sees GET, and the body is dropped.
    """

    @wraps(view)
    def answer(request: HttpRequest, **path_values: Any) -> HttpResponse:
        is_head = request.method == "HEAD"
        if request.method not in methods:
            refused = Problem("method-not-allowed", f"{request.method} is not allowed: use {' or '.join(methods)}.")
            response: HttpResponse = refused.response()
            response["Allow"] = ", ".join(methods)
            return response
        if is_head:
            request.method = "GET"
        try:
            response = view(request, **path_values)
        except Http404:
            why = f"The API has no resource at {request.path}. /api/docs lists them; none ends with a slash."
            response = Problem("no-such-address", why).response()
        if is_head:
            request.method = "HEAD"
        if is_head and not response.streaming:
            response["Content-Length"] = str(len(response.content))
            response.content = b""
        return response

    return answer
