"""Negotiated rates: dollars, or a percentage, as payers write them."""

import math
import re
from decimal import Decimal
from typing import Any

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def parse_rate(value: Any) -> float | None:
    """Return a rate: a number, or text that is one, finite and not negative, or a list of one such value, else None."""
    if isinstance(value, list):
        return parse_rate(value[0]) if len(value) == 1 else None
    if isinstance(value, str):
        trimmed = value.strip()
        # `float` would also accept 1_000, nan and the digits of other scripts.
        if not _NUMBER.fullmatch(trimmed):
            return None
        number = float(trimmed)
    elif isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    else:
        try:
            number = float(value)
        except (OverflowError, ValueError):  # 10**400, and a signaling NaN
            return None
    if not math.isfinite(number) or number < 0:
        return None
    return number + 0.0  # -0.0 + 0.0 is 0.0: one zero, so one fact_uid
