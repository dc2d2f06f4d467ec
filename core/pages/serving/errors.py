"""The pages for addresses that do not exist, and for defects."""

from django.http import HttpRequest, HttpResponse

from core.pages.shared.error_pages import sorry


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001 - Django's
    """Return the page for an address that does not exist."""
    return sorry(request, 404, "Page not found", [("", f"{request.path} does not exist on this site.")], lost=True)


def failed(request: HttpRequest) -> HttpResponse:
    """Return the page for a defect. The cause is in the log."""
    why = "This is an error on our side, not in your question. Please try again later."
    return sorry(request, 500, "Something went wrong", [("", why)])
