"""Billing code modifiers, such as 26 (the reading of a scan) and TC (the scan itself)."""

import re
from typing import Any

from core.fields.text import iterate_texts

MODIFIER_PATTERN = "[0-9A-Z]{1,10}"
"""One modifier in upper case, as a regular expression without anchors. The standard has two characters, payers more."""

MODIFIER_EXPECTED = "a modifier such as 26"
"""What a message says was expected where a text is not a modifier."""

# ASCII, because the upper case of some other letters is an ASCII letter: that of the dotless i is I.
_MODIFIER = re.compile(MODIFIER_PATTERN, re.IGNORECASE | re.ASCII)
_SEPARATORS = re.compile(r"[\s,;|]+")


def parse_modifiers(value: Any) -> str:
    """Return modifiers in upper case, distinct, sorted and joined by commas; the empty text for none.

    `value` is a list, a scalar, or text with several modifiers ("TC, 26").
    """
    found: set[str] = set()
    for scalar in iterate_texts(value):
        found.update(_SEPARATORS.split(scalar.upper()))
    return ",".join(sorted(found - {"", "NULL"}))


def parse_modifier(text: str) -> str | None:
    """Return one modifier as a user writes it in upper case, or None where it is not one."""
    found = text.strip()
    return found.upper() if _MODIFIER.fullmatch(found) else None
