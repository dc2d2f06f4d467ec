"""Explain a server's refusal and what to do, in one line that quotes nothing that may be secret."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from core.fetch.address import Address
from core.runtime.errors import FetchError

_TEMPORARY = {408, 425, 429, 500, 502, 503, 504}
_GET_NEW_LINK = "get a new link from the payer's table of contents or web page"


def explain_refusal(address: Address, status: int, headers: dict[str, str], body: bytes) -> FetchError:
    """Return the error for a response that is not the file; `body` is its beginning."""
    said = _codes(body)
    if status in {400, 401, 403} and (ended := _end_of_signature(address, body, said)) is not None:
        return FetchError(f"{address}: the link's signature has expired{ended}; {_GET_NEW_LINK}")
    if status in _TEMPORARY:
        after = _retry_after(headers)
        wait = f"; asked to wait {after:,.0f} s" if after else ""
        return FetchError(
            f"{address}: the server cannot serve it now ({status}{wait}); try again later",
            temporary=True, after=after, host_failed=status not in {408, 425, 429},
        )  # fmt: skip
    code = f" {said[0]}" if said else ""
    meaning = {
        401: "the server asks for a user name and password, which a public file does not need; look for the payer's "
        "public link",
        403: f"the server refuses it ({status}{code}): the link may be signed and expired, or cut off at an &; "
        f"{_GET_NEW_LINK}, and put it in quotes",
        404: f"no such file there ({status}): the payer has moved or removed it; {_GET_NEW_LINK}",
        410: f"no longer there ({status}): the payer has removed it; {_GET_NEW_LINK}",
    }.get(status, f"the server answered {status}{code} instead of a file; report it to the payer")
    return FetchError(f"{address}: {meaning}")


def _end_of_signature(address: Address, body: bytes, said: list[str]) -> str | None:
    """Return words for when the signature expired, empty if unknown; None if it is not known to have expired."""
    if at := address.expired_at:
        days = (datetime.now(UTC) - at).days
        return f" on {at:%Y-%m-%d at %H:%M} UTC" + (f", {days:,} days ago" if days else "")
    # In the words of S3, Google and Azure.
    text = body.decode("utf-8", "replace").lower()
    expired = "request has expired" in text or "token has expired" in text or "signature not valid in the spec" in text
    return "" if expired or "ExpiredToken" in said else None


def _codes(body: bytes) -> list[str]:
    """Return the error codes in the response of S3, Azure or the like: single words, nothing else of its text."""
    return [code.decode() for code in re.findall(rb"<Code>\s*([A-Za-z]{3,40})\s*</Code>", body)]


def _retry_after(headers: dict[str, str]) -> float | None:
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        return max((parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds(), 0.0)
    except (ValueError, TypeError):
        return None
