"""Addresses of an API with resources that go wrong: one that takes too long, and one with a defect."""

from django.urls import include, path
from ninja import Router

from core.api import site
from core.api.protocol.resources import Answer, AnswerFields, ResourceRequest, resource
from core.pages.forms import QueryForm
from tests.stores import ENDLESS

router = Router(tags=["Odd"])


@resource(router, "/endless", QueryForm, Answer)
def endless(request: ResourceRequest) -> AnswerFields:
    """A question without end."""
    return {"rows": request.db.rows(ENDLESS)}


@resource(router, "/fine", QueryForm, Answer)
def fine(_request: ResourceRequest) -> AnswerFields:
    """A question that is answered at once."""
    return {}


@resource(router, "/broken", QueryForm, Answer)
def broken(_request: ResourceRequest) -> AnswerFields:
    """A defect."""
    raise ZeroDivisionError("the secret of the defect")


urlpatterns = [path("api/v1/", include(site.url_patterns(site.create_api(router))))]
