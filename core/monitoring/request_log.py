"""Give every request an id, count it, and write one log line about it."""

import logging
import re
import secrets
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from whitenoise.middleware import WhiteNoiseFileResponse

from core.pages.shared.lanes.admission import stated_address
from core.runtime import metrics, request_notes
from core.runtime.request_notes import RequestNotes

_log = logging.getLogger("beaconpoint.request")

_PROXY_ID = re.compile(r"[0-9a-f]{32}\Z")
"""An id as nginx makes it."""

_LONGEST = 1_000
"""Characters of a path or a query string in a log line. The journal cuts lines of 48 KB."""

_LONGEST_ADDRESS = 45
"""Characters of an IPv6 address with an IPv4 address at its end."""

GetResponse = Callable[[HttpRequest], HttpResponseBase]


class RequestLog:
    """The outermost middleware behind the gate: what it measures is all that Django does with a visitor's request."""

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer a request, count the answer, and log it when its last byte has been handed over."""
        began = time.perf_counter()
        notes = request_notes.start_notes(_choose_id(request))
        response = self._get_response(request)
        page = name_page(request, response)
        ready = time.perf_counter() - began
        metrics.REQUESTS.labels(page, str(response.status_code)).inc()
        metrics.REQUEST_SECONDS.labels(page).observe(ready)
        response["X-Request-ID"] = notes.request_id
        # The server closes a response in every case, also if the client is gone before the end of a download.
        response._resource_closers.append(partial(_finish, request, response, notes, page, began, ready))  # type: ignore[attr-defined]
        return response


def name_page(request: HttpRequest, response: HttpResponseBase) -> str:
    """Return the name of the page that answered. There are as many names as the site has addresses."""
    if isinstance(response, WhiteNoiseFileResponse):
        return "static"
    match = request.resolver_match
    if match is None:
        return "none"
    return match.view_name if match.url_name else match.route


def _choose_id(request: HttpRequest) -> str:
    """Return the proxy's id of a request, so that its log and ours agree; a new one without a proxy."""
    given = request.headers.get("X-Request-ID", "") if settings.BEACONPOINT_BEHIND_PROXY else ""
    return given if _PROXY_ID.match(given) else secrets.token_hex(16)


def _finish(
    request: HttpRequest, response: HttpResponseBase, notes: RequestNotes, page: str, began: float, ready: float
) -> None:
    fields: dict[str, Any] = {
        "request_id": notes.request_id,
        # The API changes HEAD to GET in the request. The log has the method that the client sent.
        "method": str(request.META.get("REQUEST_METHOD", ""))[:20],
        "path": request.path[:_LONGEST],
        "query": str(request.META.get("QUERY_STRING", ""))[:_LONGEST],
        "page": page,
        "status": response.status_code,
        "ready_ms": round(ready * 1000, 1),
        "duration_ms": round((time.perf_counter() - began) * 1000, 1),
        "rows": notes.rows,
        "kept": notes.kept,
        "generation": notes.generation,
    }
    if settings.BEACONPOINT_LOG_ADDRESSES:
        fields["address"] = stated_address(request)[:_LONGEST_ADDRESS]
    request_notes.end_notes()
    _log.info("request", extra=fields)
