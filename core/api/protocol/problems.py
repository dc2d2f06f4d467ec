"""Errors as RFC 9457 defines them: `application/problem+json`, each kind with an address that explains it."""

import json
from typing import Any

from django.http import HttpResponse
from pydantic import BaseModel, Field

from core.queries.find.codes import CodeTitle
from core.runtime.request_notes import current_request_id

CONTENT_TYPE = "application/problem+json"

KINDS = {
    "wrong-parameter": (400, "Invalid parameter", "A parameter is missing, unknown, given twice, or not valid."),
    "ambiguous-code": (400, "Ambiguous code", "The code exists in several code systems: choose one with code_type."),
    "no-such-address": (404, "No such address", "The API has no resource at this address."),
    "not-found": (404, "Not found", "The provider, payer, run or earlier month is not in the data."),
    "method-not-allowed": (405, "Method not allowed", "The resource is read with GET or HEAD."),
    "not-acceptable": (406, "Not acceptable", "The API answers in application/json only."),
    "cursor-of-other-data": (
        409,
        "The data has changed",
        "New data was loaded after the first page. Start again without `cursor`.",
    ),
    "cursor-not-usable": (
        409,
        "Cursor not valid",
        "This cursor does not belong to this query. Start again without it.",
    ),
    "not-kept": (410, "No longer kept", "The generation of the data that `generation` names has been deleted."),
    "too-broad": (
        400,
        "Query too broad",
        "Too many rates are loaded to compare all of them at once: choose a code, or fewer rates.",
    ),
    "too-many-at-once": (
        429,
        "Too many requests",
        "One client sends too many requests at the same time. Ask again after Retry-After seconds.",
    ),
    "defect": (500, "Internal error", "Something went wrong on the server. The error has been logged."),
    "too-slow": (
        503,
        "Query timed out",
        "The query took too much time or memory. Add a code, a payer or other filters.",
    ),
    "too-busy": (503, "Server busy", "Too many queries are running. Try again after Retry-After seconds."),
    "unavailable": (503, "Data unavailable", "The data cannot be read. Try again after Retry-After seconds."),
    "nothing-loaded": (503, "No data loaded", "No rates have been loaded yet."),
}
"""Each kind of problem: its status, title and meaning."""


class ParameterError(BaseModel):
    """A parameter that is not valid."""

    parameter: str = Field(description="Name of the parameter.", examples=["state"])
    detail: str = Field(
        description="What was given and what is expected.",
        examples=["'ZZ' is not a state: two letters, such as GA"],
    )


class ProblemDetails(BaseModel):
    """What went wrong (RFC 9457)."""

    type: str = Field(description="Kind of problem: an address that explains it.", examples=["/api/docs#not-found"])
    title: str = Field(description="Kind of problem, in a few words.", examples=["Not found"])
    status: int = Field(description="HTTP status.", examples=[404])
    request_id: str = Field(
        "",
        description="Id of the request, also in the header X-Request-ID. Include it in a report.",
        examples=["5f0c1e7a9b3d4c2e8a6f7b1d0c9e3a54"],
    )
    detail: str = Field(description="What went wrong.", examples=["No payer with the key nobody is loaded."])
    errors: list[ParameterError] = Field([], description="The parameters that are not valid.")
    choices: list[CodeTitle] = Field([], description="The codes that an ambiguous code can stand for.")


class Problem(Exception):
    """An error of one of KINDS that becomes the answer. `errors` are names of parameters and sentences."""

    retry_after = 30
    """Seconds after which the client may try again, for problems that pass."""

    def __init__(self, kind: str, detail: str = "", errors: list[tuple[str, str]] | None = None, **more: Any) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.errors = errors or []
        self.more = more

    def response(self) -> HttpResponse:
        """Return the problem as an answer."""
        status, title, meaning = KINDS[self.kind]
        details: dict[str, Any] = {
            "type": f"/api/docs#{self.kind}",
            "title": title,
            "status": status,
            "detail": self.detail or "; ".join(f"{name}: {why}" for name, why in self.errors) or meaning,
            **self.more,
        }
        if request_id := current_request_id():
            details["request_id"] = request_id
        if self.errors:
            details["errors"] = [{"parameter": name, "detail": why} for name, why in self.errors]
        response = HttpResponse(json.dumps(details), status=status, content_type=CONTENT_TYPE)
        response["Cache-Control"] = "no-store"
        if status in {429, 503}:
            response["Retry-After"] = str(self.retry_after)
        return response
