"""National Provider Identifiers: ten digits, the first of which is 1 or 2."""

import re
from typing import Any

from core.fields.texts.text import parse_text, parse_whole_number

NPI_PATTERN = "[12][0-9]{9}"
"""An NPI, as a regular expression without anchors."""

FIRST_NPI, LAST_NPI = 1_000_000_000, 2_999_999_999
"""The range of NPIs as numbers: the same rule as NPI_PATTERN, for values that are already whole numbers."""

_NPI = re.compile(NPI_PATTERN)
_ZERO = re.compile(r"0+(\.0*)?")


def is_npi(text: str) -> bool:
    """Return whether a text has the form of an NPI. The check digit is not checked: dq_check counts wrong ones."""
    return _NPI.fullmatch(text) is not None


def parse_npi(value: Any) -> str | None:
    """Return an NPI as text, or None for anything else; `means_tin_only` tells which of those are not mistakes."""
    found = parse_text(value)
    if found is None or is_npi(found):
        return found
    digits = parse_whole_number(found)
    return digits if digits and is_npi(digits) else None


def means_tin_only(value: Any) -> bool:
    """Return whether a value in the place of an NPI says that the contract is with the tax ID alone.

    That is what zeros, a blank, and a word for a missing value say.
    """
    found = parse_text(value)
    if found is None:
        return value is None or isinstance(value, str)
    return _ZERO.fullmatch(found) is not None
