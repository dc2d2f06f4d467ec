"""The normalisation rules for single values: one function a rule, each total.

Values arrive as JSON gave them: text, whole numbers, Decimals (the lenient decoder's fractions), floats, booleans,
None, or lists and objects where a scalar belongs. A function returns None, or an empty collection, for what says
nothing; it never raises. The rules are those of docs/normalisation.md.
"""

import math
import re
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

NEVER = date(9999, 12, 31)
"""The date by which payers say that a rate does not expire."""

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_DECIMAL_TEXT = re.compile(r"-?(0|[1-9]\d*)\.\d+", re.ASCII)
_DATES = (
    re.compile(r"(?P<y>\d{4})[-/](?P<m>\d{1,2})[-/](?P<d>\d{1,2})(?!\d)", re.ASCII),
    re.compile(r"(?P<y>\d{4})(?P<m>\d{2})(?P<d>\d{2})(?!\d)", re.ASCII),
    re.compile(r"(?P<m>\d{1,2})[-/](?P<d>\d{1,2})[-/](?P<y>\d{4})(?!\d)", re.ASCII),
)
_MONTH = re.compile(r"(\d{4})-(\d{2})", re.ASCII)
_PLACE_BREAKS = re.compile(r"""[\s,;|'"\[\]]+""")
_MODIFIER_BREAKS = re.compile(r"[\s,;|]+")
_PADDED = {"REV": 4, "MS-DRG": 3}
_TAX_NUMBERS = frozenset(("ein", "npi"))
_NO_PLACES = frozenset(("", "NULL", "N", "U", "L"))


def number_text(value: float | Decimal) -> str:
    """One text for a number however it was written: 12, 12.0 and 1.2e1 are `12`, 690.64470 is `690.6447`."""
    if isinstance(value, int):
        return str(value) if abs(value).bit_length() < 4096 else f"{Decimal(value):e}"
    number = value if isinstance(value, Decimal) else Decimal(repr(value))
    if not number.is_finite() or abs(number.adjusted()) > 400:
        return str(number).lower()
    text = f"{number:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text


def text(value: Any) -> str | None:
    """A scalar as trimmed text; None for a blank, a boolean, a list or an object."""
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    return number_text(value)


def lower(value: Any) -> str | None:
    """A scalar as trimmed text in lower case."""
    found = text(value)
    return found.lower() if found else None


def upper(value: Any) -> str | None:
    """A scalar as trimmed text in capitals."""
    found = text(value)
    return found.upper() if found else None


def code_type(value: Any) -> str | None:
    """A code system in capitals; RC, the payers' word for revenue codes, is REV."""
    found = upper(value)
    return "REV" if found == "RC" else found


def code(system: str, value: Any) -> str | None:
    """A billing code in capitals, padded with zeros where its system asks for it."""
    found = upper(value)
    if found and found.isdecimal() and found.isascii():
        return found.zfill(_PADDED.get(system, 0))
    return found


def codes(value: str) -> tuple[str, ...]:
    """A billing code of a system that is not told, in each way in which a system may write it."""
    return tuple(sorted({found for system in ("", *_PADDED) if (found := code(system, value))}))


def rate(value: Any) -> float | None:
    """A rate: a number, or text that is one, not negative and finite. None for all else."""
    if isinstance(value, str):
        trimmed = value.strip()
        if not _NUMBER.fullmatch(trimmed):
            return None
        number = float(trimmed)
    elif isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    else:
        try:
            number = float(value)
        except (OverflowError, ValueError):
            return None
    if not math.isfinite(number) or number < 0:
        return None
    return number + 0.0  # -0.0 + 0.0 is 0.0


def day(value: Any) -> date | None:
    """A date written 2025-08-01, 2025-06-23T00:00:00-05:00, 2025/8/1, 20250801 or, the American way, 2/4/2026.

    The day is taken as written; a time zone does not move it.
    """
    found = text(value)
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


def expiration(value: Any) -> str | None:
    """An expiration date as YYYY-MM-DD; None where there is none, or it is 9999-12-31, or it cannot be read."""
    found = day(value)
    return None if found is None or found == NEVER else found.isoformat()


def year_month(value: Any) -> str | None:
    """The month, YYYY-MM, of a file's last_updated_on; None where it cannot be read or lies before 2000."""
    found = day(value)
    if found is None:
        match = _MONTH.fullmatch(text(value) or "")
        if not match or not 1 <= int(match[2]) <= 12:
            return None
        found = date(max(int(match[1]), 1), int(match[2]), 1)
    return f"{found:%Y-%m}" if 2000 <= found.year < 2100 else None


def places(value: Any) -> tuple[str, ...]:
    """Places of service: two digits each, distinct, sorted. `value` is a list or a scalar.

    Null, blank and the letters of a null that somebody's software took apart (`['n','u','l']`) are dropped. Text
    that holds several codes, such as "11, 22", is taken apart. What is neither is kept as it is, in capitals.
    """
    found: set[str] = set()
    for scalar in _scalars(value):
        found.update(_PLACE_BREAKS.split(scalar.upper()))
    return tuple(sorted({_two_digits(token) for token in found - _NO_PLACES}))


def modifiers(value: Any) -> str:
    """Modifiers in capitals, distinct, sorted, joined by commas. `value` is a list, a scalar or packed ("TC, 26")."""
    found: set[str] = set()
    for scalar in _scalars(value):
        found.update(_MODIFIER_BREAKS.split(scalar.upper()))
    return ",".join(sorted(found - {"", "NULL"}))


def group_id(value: Any) -> str | None:
    """A provider group's id as one text, so that a definition (690.64470) and its uses ("690.6447") meet."""
    found = text(value)
    if found and isinstance(value, str) and _DECIMAL_TEXT.fullmatch(found):
        return number_text(Decimal(found))
    return found


def tin(kind: Any, value: Any) -> tuple[str, str] | None:
    """A tax number as (tin_type, tin_value); None where it has no digit.

    A type other than `ein` and `npi` is told from the number: ten digits beginning 1 or 2 are an NPI.
    """
    if isinstance(value, str) and value.isdecimal() and value.isascii():
        digits = value
    else:
        digits = "".join(c for c in text(value) or "" if c in "0123456789")
    if not digits:
        return None
    stated = kind if isinstance(kind, str) and kind in _TAX_NUMBERS else lower(kind)
    if stated is None or stated not in _TAX_NUMBERS:
        stated = "npi" if len(digits) == 10 and digits[0] in "12" else "ein"
    return (stated, digits.zfill(9) if stated == "ein" else digits)


def npi(value: Any) -> str | bool | None:
    """An NPI as text: ten digits beginning 1 or 2. None for what says `TIN only` (0, blank); False for all else."""
    if value is None:
        return None
    found = text(value)
    if found is None:
        return None if isinstance(value, str) else False
    if found == "0":
        return None
    valid = len(found) == 10 and found[0] in "12" and found.isdecimal() and found.isascii()
    return found if valid else False


def _two_digits(place: str) -> str:
    return place.zfill(2) if place.isdecimal() and place.isascii() else place


def as_list(value: Any) -> list[Any]:
    """`value` where it is a list, nothing for null, else a list of just it: payers write a scalar for a list of one."""
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


def _scalars(value: Any) -> Iterable[str]:
    for element in as_list(value):
        found = text(element)
        if found:
            yield found
