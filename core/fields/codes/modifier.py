"""Billing code modifiers, such as 26 (the reading of a scan) and TC (the scan itself)."""

import re
from typing import Any

from core.fields.texts.text import iterate_texts, says_nothing

MODIFIER_PATTERN = r"[^\s\x00-\x1f\x7f-\x9fa-z,;|]+"
"""One modifier in upper case, as a regular expression without anchors. The standard ones are two letters or digits, but
whatever a payer publishes between two separators is one."""


_SEPARATORS = re.compile(r"[\s,;|]+")
_FRACTION = re.compile(r"(?<=^[0-9]{2})\.0+$")  # 26.0, from a spreadsheet


def parse_modifiers(value: Any) -> str:
    """Return modifiers in upper case, distinct, sorted and joined by commas; the empty text for none.

    `value` is a list, a scalar, or text with several modifiers ("TC, 26").
    """
    found: set[str] = set()
    for scalar in iterate_texts(value):
        found.update(_SEPARATORS.split(scalar.upper()))
    return ",".join(sorted({_FRACTION.sub("", token) for token in found if token and not says_nothing(token)}))
