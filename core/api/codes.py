"""Billing codes."""

from ninja import Router

from core.api.protocol.resources import Asked, Found, Page, resource
from core.pages.forms import CodesForm
from core.queries import codes

router = Router(tags=["Codes"])


@resource(router, "/codes", CodesForm, Page[codes.CodeTitle])
def found(asked: Asked) -> Found:
    """Codes, found by number or words.

    Only codes that a loaded rate uses; every one where `q` is left out. The best match is first.
    """
    return asked.by_place(lambda limit, offset: codes.search_codes(asked.db, asked.chosen["q"], limit, offset))
