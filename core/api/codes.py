"""Resources about billing codes."""

from ninja import Router

from core.api.protocol.resources import AnswerFields, Page, ResourceRequest, resource
from core.pages.forms.query_form import CodesForm
from core.queries.find import codes
from core.queries.find.code_index import FoundCode

router = Router(tags=["Codes"])


@resource(router, "/codes", CodesForm, Page[FoundCode])
def search_codes(request: ResourceRequest) -> AnswerFields:
    """Find billing codes by number or by words, best match first.

    Only codes that a loaded rate uses; all of them if `q` is omitted.
    """
    return request.page_at_offset(
        lambda limit, offset: codes.search_codes(request.db, request.values["q"], limit, offset)
    )
