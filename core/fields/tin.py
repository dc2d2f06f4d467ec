"""Tax identification numbers (TINs): an EIN of nine digits, or the NPI that stands in for one."""

import re
from typing import Any

from core.fields.npi import is_npi
from core.fields.text import is_digits, parse_lower, parse_text

TIN_PATTERN = "[0-9]{9,10}"
"""The digits of an EIN, or of the NPI that stands in for one, as a regular expression without anchors."""

EIN_DIGITS = 9

_TIN_TYPES = frozenset(("ein", "npi"))
_TIN = re.compile(TIN_PATTERN)
_MARKS = re.compile(r"[\s-]")


def parse_tin(kind: Any, value: Any) -> tuple[str, str] | None:
    """Return a tax ID as (tin_type, tin_value), or None where it has no digit.

    A type other than `ein` and `npi` is decided by the number: one that has the form of an NPI is an NPI.
    """
    # Most values are digits and a known type already; this function runs once per provider group of a file.
    if isinstance(value, str) and is_digits(value):
        digits = value
    else:
        digits = "".join(c for c in parse_text(value) or "" if c in "0123456789")
    if not digits:
        return None
    stated = kind if isinstance(kind, str) and kind in _TIN_TYPES else parse_lower(kind)
    if stated is None or stated not in _TIN_TYPES:
        stated = "npi" if is_npi(digits) else "ein"
    # Software that stores an EIN as a number loses its leading zeros.
    return (stated, digits.zfill(EIN_DIGITS) if stated == "ein" else digits)


def possible_tins(text: str) -> set[str]:
    """Return every tin_value that a tax ID as a user writes it may have in the store, as an EIN and as an NPI."""
    return {found[1] for kind in _TIN_TYPES if (found := parse_tin(kind, text))}


def remove_tin_marks(text: str) -> str:
    """Return a tax ID as a user writes it without its dashes and spaces: 12-3456789 is 123456789."""
    return _MARKS.sub("", text)


def is_tin(text: str) -> bool:
    """Return whether a text is the digits of an EIN, or of an NPI that stands in for one."""
    return _TIN.fullmatch(text) is not None
