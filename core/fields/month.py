"""The month a file's rates are for, as YYYY-MM."""

import re
from typing import Any

from core.fields.dates import parse_date
from core.fields.texts.text import parse_text

MONTH_PATTERN = "20[0-9]{2}-(0[1-9]|1[0-2])"
"""A month from 2000-01 to 2099-12, as a regular expression without anchors."""

_MONTH = re.compile(MONTH_PATTERN)


def is_month(text: str) -> bool:
    """Return whether a text is a month: YYYY-MM from 2000-01 to 2099-12."""
    return _MONTH.fullmatch(text) is not None


def parse_month(value: Any) -> str | None:
    """Return the month of a file's last_updated_on, or None where it is unreadable or not in this century."""
    found = parse_text(value)
    if found and is_month(found):
        return found
    day = parse_date(found)
    # 0001-01-01 is what some software writes for "never".
    month = day.isoformat()[: len("YYYY-MM")] if day else ""
    return month if is_month(month) else None
