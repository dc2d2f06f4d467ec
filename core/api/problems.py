"""What goes wrong, told as RFC 9457 has it: `application/problem+json`, each kind with an address that explains it."""

import json
from typing import Any

from django.http import HttpResponse
from pydantic import BaseModel, Field

from core.queries.codes import CodeTitle

CONTENT_TYPE = "application/problem+json"

KINDS = {
    "wrong-parameter": (400, "Wrong parameter", "A parameter is missing, unknown, given twice or not as expected."),
    "ambiguous-code": (400, "Ambiguous code", "The number stands for several codes: say which with code_type."),
    "no-such-address": (404, "No such address", "The API has no resource at this address."),
    "not-found": (404, "Not in the data", "No provider, payer, run or earlier month is loaded that is as asked for."),
    "method-not-allowed": (405, "Method not allowed", "The API is read only: GET and HEAD."),
    "not-acceptable": (406, "Not acceptable", "The API answers in application/json alone."),
    "cursor-of-other-data": (
        409,
        "The data has changed",
        "New data was loaded after the walk began: begin again.",
    ),
    "cursor-not-usable": (409, "Cursor not usable", "The cursor is none that this question has given: begin again."),
    "defect": (500, "A defect of ours", "What happened is in the server's log."),
    "too-slow": (503, "The question takes too long", "It was stopped: ask for less, by code, payer or other filters."),
    "too-busy": (503, "Too busy just now", "Many questions are being answered: try again as Retry-After says."),
    "unavailable": (503, "The data cannot be read just now", "Try again after the seconds that Retry-After says."),
    "nothing-loaded": (503, "Nothing is loaded yet", "The store has no data: load some with `manage.py ingest_mrf`."),
}
"""Each kind of problem: its status, its title and its meaning."""


class Fault(BaseModel):
    """One parameter that is wrong."""

    parameter: str
    detail: str = Field(description="What was given, and what was expected.")


class ProblemDetails(BaseModel):
    """What went wrong (RFC 9457)."""

    type: str = Field(description="Which kind of problem it is: an address that explains it.")
    title: str
    status: int
    detail: str
    errors: list[Fault] = Field([], description="The parameters that are wrong.")
    choices: list[CodeTitle] = Field([], description="The codes that an ambiguous number may stand for.")


class Problem(Exception):
    """Ends an answer with a problem of one of KINDS. `errors` are names of parameters and sentences."""

    retry_after = 30
    """Seconds after which to ask again, where that may help."""

    def __init__(self, kind: str, detail: str = "", errors: list[tuple[str, str]] | None = None, **more: Any) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.errors = errors or []
        self.more = more

    def response(self) -> HttpResponse:
        """The problem as an answer."""
        status, title, meaning = KINDS[self.kind]
        told: dict[str, Any] = {
            "type": f"/api/docs#{self.kind}",
            "title": title,
            "status": status,
            "detail": self.detail or "; ".join(f"{name}: {why}" for name, why in self.errors) or meaning,
            **self.more,
        }
        if self.errors:
            told["errors"] = [{"parameter": name, "detail": why} for name, why in self.errors]
        response = HttpResponse(json.dumps(told), status=status, content_type=CONTENT_TYPE)
        response["Cache-Control"] = "no-store"
        if status == 503:
            response["Retry-After"] = str(self.retry_after)
        if status == 405:
            response["Allow"] = "GET, HEAD"
        return response
