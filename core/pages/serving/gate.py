"""Refuse requests for hosts that are not this site, before anything else is done."""

from collections.abc import Callable

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.log import log_response

_LONGEST_HOST = 100
"""Characters of an unknown host in the log."""


class Gate:
    """The first middleware.

    Scanners ask every server on the web for any host they can think of. They learn nothing, and the log gets one line
    without a traceback.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Refuse an unknown host, and let everything else pass."""
        try:
            request.get_host()
        except DisallowedHost:
            refusal = HttpResponse(status=400)
            host = request.META.get("HTTP_HOST", "")[:_LONGEST_HOST]
            # By Django's own function, which then writes no second line about the status.
            log_response("refused: %s is not a host of this site", host, response=refusal, request=request)
            return refusal
        return self._get_response(request)
