"""An API whose resources go wrong: one takes too long, one raises an unexpected error."""

from django.urls import include, path
from ninja import Router

from core.api import site
from core.api.protocol.resources import Answer, AnswerFields, ResourceRequest, resource
from core.pages.forms.query_form import QueryForm
from tests.stores import ENDLESS

router = Router(tags=["Odd"])


@resource(router, "/endless", QueryForm, Answer)
def endless(request: ResourceRequest) -> AnswerFields:
    """Run a query that never ends."""
    return {"rows": request.db.rows(ENDLESS)}


@resource(router, "/fine", QueryForm, Answer)
def fine(_request: ResourceRequest) -> AnswerFields:
    """Answer at once."""
    return {}


@resource(router, "/broken", QueryForm, Answer)
def broken(_request: ResourceRequest) -> AnswerFields:
    """Raise an unexpected error."""
    raise ZeroDivisionError("the secret of the defect")


urlpatterns = [path("api/v1/", include(site.url_patterns(site.create_api(router))))]
