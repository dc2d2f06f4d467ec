"""Text, numbers and lists as payers write them: the rules that every other field rule builds on.

Values arrive as the JSON decoder returns them: text, whole numbers, Decimals (the lenient decoder's fractions), floats,
booleans, None, or lists and objects where a scalar belongs. No rule raises: each returns None, or an empty collection,
for a value that says nothing. The rules are described in docs/normalization.md.
"""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from core.fields.texts.clean_text import SHORTENED, clean_text, cleaned, shorten

MAX_INTEGER_BITS = 4096
"""Longer whole numbers are written in scientific notation: Python refuses to print one of more than 4,300 digits."""

MAX_EXPONENT = 400
"""Decimals beyond this power of ten are left in scientific notation: `1E+999999999` has a billion zeros."""

_NO_VALUE = frozenset(("nan", "none", "null", "n/a", "#n/a", "<na>"))
"""What pandas, Python, databases, and spreadsheets write for a value that is missing, in lower case."""

_LONGEST_NO_VALUE = max(map(len, _NO_VALUE))
_WHOLE_NUMBER = re.compile(r"([0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)(?:\.0*)?")
_WITH_EXPONENT = re.compile(r"([0-9])(?:\.([0-9]+))?[eE]\+?([0-9]{1,2})")


def write_number(value: float | Decimal) -> str:
    """Return the one text of a number: 12, 12.0 and 1.2e1 are `12`, and 690.64470 is `690.6447`."""
    if isinstance(value, int):
        return str(value) if abs(value).bit_length() < MAX_INTEGER_BITS else f"{Decimal(value):e}"
    # `repr` is the shortest text that reads back as the same double, so 0.1 stays 0.1.
    number = value if isinstance(value, Decimal) else Decimal(repr(value))
    if not number.is_finite() or abs(number.adjusted()) > MAX_EXPONENT:
        return str(number).lower()
    text = f"{number:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def parse_text(value: Any) -> str | None:
    """Return a scalar as trimmed text on one line, or None.

    None stands for a blank, a word for a missing value, a boolean, and an object. A list of one stands for its element.
    """
    if isinstance(value, str):
        # Nearly every text is printable, and then there is nothing to remove. This runs for each text of a file.
        found = value.strip() if value.isprintable() else clean_text(value)
        return None if not found or (len(found) <= _LONGEST_NO_VALUE and says_nothing(found)) else found
    # A bool is an int to Python, and `true` is not a code, a name or an id.
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return parse_text(value[0]) if isinstance(value, list) and len(value) == 1 else None
    return write_number(value)


def says_nothing(text: str) -> bool:
    """Return whether a trimmed text is a word that software writes for a missing value: nan, None, null, N/A."""
    return len(text) <= _LONGEST_NO_VALUE and text.lower() in _NO_VALUE


def parse_whole_number(text: str) -> str | None:
    """Return the digits of a whole number as a spreadsheet may write it, or None where the text is not one.

    123456789.0, 123,456,789 and 1.23456789E8 are 123456789. 1.2E8 is not accepted: digits were rounded away.
    """
    match = _WHOLE_NUMBER.fullmatch(text)
    if match:
        return match[1].replace(",", "")
    match = _WITH_EXPONENT.fullmatch(text)
    if match and len(match[2] or "") == int(match[3]):
        return match[1] + (match[2] or "")
    return None


def fit_text(value: Any, max_length: int) -> tuple[str | None, int]:
    """Return a scalar as text of at most `max_length` characters, and what was done to it: SHORTENED, CLEANED."""
    found = parse_text(value)
    if found is None:
        return None, 0
    if len(found) <= max_length and type(value) is str and value.isprintable():
        return found, 0
    return shorten(found, max_length), cleaned(value) | (SHORTENED if len(found) > max_length else 0)


def parse_lower(value: Any) -> str | None:
    """Return a scalar as trimmed text in lower case."""
    found = parse_text(value)
    return found.lower() if found else None


def parse_upper(value: Any) -> str | None:
    """Return a scalar as trimmed text in upper case."""
    found = parse_text(value)
    return found.upper() if found else None


def is_digits(text: str) -> bool:
    """Return whether a text consists of the digits 0 to 9, of which it has at least one."""
    # `isdecimal` alone also accepts the digits of other scripts, such as Arabic-Indic ones.
    return text.isdecimal() and text.isascii()


def as_list(value: Any) -> list[Any]:
    """Return a list as it is, null as an empty list, and a scalar as a list of one, which is what payers mean by it."""
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


def iterate_texts(value: Any) -> Iterator[str]:
    """Yield the text of each scalar of a list, or of a scalar by itself, without those that say nothing."""
    for element in as_list(value):
        found = parse_text(element)
        if found:
            yield found
