"""Dates, and the date on which a rate expires."""

import re
from datetime import date
from typing import Any

from core.fields.texts.text import parse_text

NO_EXPIRATION = date(9999, 12, 31)
"""The date by which payers say that a rate does not expire."""

# A year of four digits decides which way round a date is written. Only the start has to match: a time may follow, but
# not another digit.
_DATES = (
    re.compile(r"(?P<y>\d{4})[-/](?P<m>\d{1,2})[-/](?P<d>\d{1,2})(?!\d)", re.ASCII),
    re.compile(r"(?P<y>\d{4})(?P<m>\d{2})(?P<d>\d{2})(?!\d)", re.ASCII),
    re.compile(r"(?P<m>\d{1,2})[-/](?P<d>\d{1,2})[-/](?P<y>\d{4})(?!\d)", re.ASCII),
)


def parse_date(value: Any) -> date | None:
    """Return a date written 2025-08-01, 2025-06-23T00:00:00-05:00, 2025/8/1, 20250801 or, the US way, 2/4/2026.

    The day is taken as written; a time zone does not move it. Return None for anything else.
    """
    found = parse_text(value)
    if not found:
        return None
    for pattern in _DATES:
        match = pattern.match(found)
        if match:
            try:
                return date(int(match["y"]), int(match["m"]), int(match["d"]))
            except ValueError:
                return None
    return None


def parse_expiration(value: Any) -> str | None:
    """Return an expiration date as YYYY-MM-DD, or None where there is none, it is 9999-12-31, or it is unreadable."""
    found = parse_date(value)
    return None if found is None or found == NO_EXPIRATION else found.isoformat()
