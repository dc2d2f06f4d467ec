"""Addresses for monitoring."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from core import open_store
from core.runtime.errors import BeaconError


@require_safe
def healthz(_request: HttpRequest) -> HttpResponse:
    """Answer `/healthz`: the process is alive."""
    return HttpResponse("alive\n", content_type="text/plain")


@require_safe
def readyz(_request: HttpRequest) -> HttpResponse:
    """Answer `/readyz`: the store can be read; 503 with the reason if it cannot."""
    try:
        db = open_store.snapshot()
        if db is None:
            return HttpResponse("nothing is loaded\n", status=503, content_type="text/plain")
        db.rows("SELECT count(*) FROM dim_batch")
    except BeaconError as error:
        return HttpResponse(f"{error}\n", status=503, content_type="text/plain")
    return HttpResponse(f"ready, generation {db.manifest.generation}\n", content_type="text/plain")
