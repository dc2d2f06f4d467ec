"""The pages for addresses that are none, and for defects of ours."""

from django.http import HttpRequest, HttpResponse

from core.pages.shared.page import sorry


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """The page for an address that is none."""
    return sorry(request, 404, "There is no such page", [("", f"{request.path} is no address of this site.")])


def failed(request: HttpRequest) -> HttpResponse:
    """The page for a defect; what went wrong is in the log."""
    why = "This is a defect of the site, not of your question. What happened is in the server's log."
    return sorry(request, 500, "Something went wrong here", [("", why)])
