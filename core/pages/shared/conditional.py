"""Answers that a client need not fetch again: one ETag and one 304, for pages, the API, and its document."""

import hashlib
from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.http import condition

from core.pages.shared.program_version import program_version
from core.store.connection import Snapshot

UNFINISHED = "no-store"
"""The Cache-Control of an answer that lacks what took too long: nobody keeps it, so that the next one may be whole."""


def answer_tag(db: Snapshot, request: HttpRequest) -> str:
    """Return the ETag of the answer to a request: a different tag means a different answer.

    The address, the generation of the data, and the version of the program decide what an answer contains.
    """
    manifest = db.manifest
    parts = f"{program_version()}|{db.root}|{manifest.generation}|{manifest.created_at}|{request.get_full_path()}"
    return f'W/"{hashlib.md5(parts.encode(), usedforsecurity=False).hexdigest()}"'


def conditional_answer(request: HttpRequest, tag: str, make: Callable[[], HttpResponseBase]) -> HttpResponseBase:
    """Return 304 if the client already has the answer with this tag; otherwise make the answer and tag it."""
    response: HttpResponseBase = condition(etag_func=lambda _request: tag)(lambda _request: make())(request)
    if response.get("Cache-Control") == UNFINISHED:
        response.headers.pop("ETag", None)
    elif response.status_code in {200, 304}:
        response["Cache-Control"] = "no-cache"
    else:
        # A client must not keep an error as the answer of this generation.
        response.headers.pop("ETag", None)
    return response
