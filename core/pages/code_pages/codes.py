"""Codes, found by number or words."""

from django.http import HttpResponseBase

from core.pages.forms.query_form import CodeListForm
from core.pages.shared.downloads import ROW_CAP
from core.pages.shared.page import PageQuery, page
from core.pages.shared.paging import Paging, span
from core.queries.find.code_index import FoundCode
from core.queries.find.codes import correct_spelling, list_asked_codes, search_codes
from core.queries.market.market import Market
from core.vocabulary.services import FAMILIAR_CODES


@page(CodeListForm)
def show_codes(query: PageQuery[CodeListForm]) -> HttpResponseBase:
    """Show `/codes/`"""
    db, text, number, state = query.db, query.values["q"], query.values["page"], query.values["state"]
    limit, offset = (ROW_CAP, 0) if query.wants_file else span(number)
    asked_first = not text and query.values["sort"] == "asked"
    total, found = (
        list_asked_codes(db, limit, offset, FAMILIAR_CODES, state)
        if asked_first
        else search_codes(db, text, limit, offset, state)
    )
    instead = correct_spelling(db, text) if not total else None
    if instead:
        total, found = search_codes(db, instead, limit, offset, state)
    if query.wants_file:
        return query.download(found, FoundCode, "codes")
    return query.render(
        "pages/codes.html",
        q=text,
        state=state,
        linked_market=Market(state, "") if state else None,
        instead=instead,
        found=found,
        asked_first=asked_first,
        paging=Paging(number, total),
    )
