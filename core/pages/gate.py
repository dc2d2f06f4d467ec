"""What comes before everything else: health checks are answered, and requests for hosts that are not ours are not."""

from collections.abc import Callable

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.log import log_response

from core.pages import health

_HEALTH_CHECKS = {"/healthz": health.healthz, "/readyz": health.readyz}

_LONGEST_HOST = 100
"""Characters of an unknown host in the log."""


class Gate:
    """The first middleware.

    A health check comes from the machine itself, by http and by address. It must not depend on the site's public name
    or be sent to https.

    Scanners ask every server on the web for any host they can think of. They learn nothing, and the log gets one line
    without a traceback.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer a health check, refuse an unknown host, and let everything else pass."""
        check = _HEALTH_CHECKS.get(request.path_info)
        if check is not None:
            return check(request)
        try:
            request.get_host()
        except DisallowedHost:
            refusal = HttpResponse(status=400)
            host = request.META.get("HTTP_HOST", "")[:_LONGEST_HOST]
            # By Django's own function, which then writes no second line about the status.
            log_response("refused: %s is not a host of this site", host, response=refusal, request=request)
            return refusal
        return self._get_response(request)
