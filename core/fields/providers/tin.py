"""Tax identification numbers (TINs): an EIN of nine digits, or the NPI that stands in for one.

Two kinds of numbers are never kept: placeholders, which would make one organization of unrelated providers, and the
personal numbers of clinicians who bill under their own name (Social Security numbers and ITINs).
"""

import re
from typing import Any, Literal

from core.fields.providers.npi import is_npi
from core.fields.texts.text import is_digits, parse_lower, parse_text, parse_whole_number

_TIN_PATTERN = "[0-9]{9,10}"
"""The digits of an EIN, or of the NPI that stands in for one, as a regular expression without anchors."""

EIN_DIGITS = 9

PLACEHOLDER_PATTERN = f"0*|9{{{EIN_DIGITS},}}"
"""Digits that stand for an unknown number, as a regular expression without anchors: all zeros, or all nines where a
number belongs."""

MAX_TIN_DIGITS = 15
"""Digits of a tax ID as payers write it. What has more is not one."""

TinProblem = Literal["personal_tin", "invalid_tin"]
"""Why a value is not kept as a tax ID: it is a person's number, or it is not a tax number."""

_TIN_TYPES = frozenset(("ein", "npi"))
_PERSONAL_TYPES = frozenset((
    "ssn", "itin", "atin", "socialsecurity", "socialsecuritynumber", "individualtaxpayeridentificationnumber",
))  # fmt: skip
"""Types that declare the number of a person, as letters alone."""

_TIN = re.compile(_TIN_PATTERN)
_PLACEHOLDER = re.compile(PLACEHOLDER_PATTERN)
_MARKS = re.compile(r"[\s-]")
_DASHES = "\u2010-\u2015\u2212-"
_MARKS_IN_FILES = re.compile(rf"[\s{_DASHES}]+")
# Digits may be masked: ***-**-6789. An EIN has its one dash after two digits.
_PERSONAL = re.compile(rf"(?<![0-9])[0-9Xx*#]{{3}}[\s{_DASHES}][0-9Xx*#]{{2}}[\s{_DASHES}][0-9Xx*#]{{4}}(?![0-9])")


def parse_tin(kind: Any, value: Any) -> tuple[str, str] | None:
    """Return a tax ID as (tin_type, tin_value), or None; `tin_problem` tells which of those are mistakes.

    A type other than `ein` and `npi` is decided by the number: one that has the form of an NPI is an NPI.
    """
    # Most values are digits and a known type already; this function runs once per provider group of a file.
    digits = value if isinstance(value, str) and is_digits(value) else _read_digits(value)
    if not digits or len(digits) > MAX_TIN_DIGITS or (digits[0] in "09" and _is_placeholder(digits)):
        return None
    stated = kind if isinstance(kind, str) and kind in _TIN_TYPES else parse_lower(kind)
    if stated is None or stated not in _TIN_TYPES:
        if _is_personal_type(stated):
            return None
        stated = "npi" if is_npi(digits) else "ein"
    # Software that stores an EIN as a number loses its leading zeros.
    return (stated, digits.zfill(EIN_DIGITS) if stated == "ein" else digits)


def tin_problem(kind: Any, value: Any) -> TinProblem | None:
    """Return why a value that `parse_tin` does not accept is left out, or None if it says that no number is known."""
    text = parse_text(value)
    if text is None:
        # A blank, null, [] and {} say nothing; true and a list of several are mistakes.
        return "invalid_tin" if value and not isinstance(value, str) else None
    if not any(c.isalnum() and c != "0" for c in text):
        return None
    return "personal_tin" if _is_personal_type(parse_lower(kind)) or looks_personal(text) else "invalid_tin"


def looks_personal(text: str) -> bool:
    """Return whether a text contains a number written as a Social Security number or ITIN: ###-##-####."""
    return _PERSONAL.search(text) is not None


def possible_tins(text: str) -> set[str]:
    """Return every tin_value that a tax ID as a user writes it may have in the store, as an EIN and as an NPI."""
    return {found[1] for kind in _TIN_TYPES if (found := parse_tin(kind, text))}


def remove_tin_marks(text: str) -> str:
    """Return a tax ID as a user writes it without its dashes and spaces: 12-3456789 is 123456789."""
    return _MARKS.sub("", text)


def is_tin(text: str) -> bool:
    """Return whether a text is the digits of an EIN, or of an NPI that stands in for one."""
    return _TIN.fullmatch(text) is not None


def _read_digits(value: Any) -> str | None:
    """Return the digits of a plain number, with or without dashes and blanks, or None."""
    text = parse_text(value)
    if text is None or text[0] == "-" or looks_personal(text):
        return None
    bare = _MARKS_IN_FILES.sub("", text)
    return bare if is_digits(bare) else parse_whole_number(bare)


def _is_placeholder(digits: str) -> bool:
    return _PLACEHOLDER.fullmatch(digits) is not None


def _is_personal_type(stated: str | None) -> bool:
    return stated is not None and "".join(filter(str.isalpha, stated)) in _PERSONAL_TYPES
