"""The families of professional services that contracts give multiples of their own, by code number."""

from bisect import bisect_right

OTHER_SERVICES = "other services"

_FIRST_CODES = (
    ("00100", OTHER_SERVICES),  # anesthesia, which no multiple of this schedule prices
    ("10004", "surgery"),
    ("70010", "imaging"),
    ("80047", "laboratory and pathology"),
    ("90281", "medicine"),
    ("97010", "physical therapy"),
    ("97800", "medicine"),
    ("99091", "medicine"),
    ("99202", "evaluation and management"),
    ("99500", "medicine"),
    ("A0000", OTHER_SERVICES),
)
"""The first code of each family, in order. Five digits sort before a letter; 0042T and the like are below 10004."""

_STARTS = [first for first, _ in _FIRST_CODES]

FAMILIES = (*dict.fromkeys(name for _, name in _FIRST_CODES if name != OTHER_SERVICES), OTHER_SERVICES)
"""The families, in the order of their codes."""


def family_of(code: str) -> str:
    """Return the family of a CPT or HCPCS code, by its number alone."""
    if len(code) != len("99213") or not code[-1:].isdigit():
        return OTHER_SERVICES  # 0042T: a code of category II or III; of three or four digits, another system's
    return _FIRST_CODES[max(bisect_right(_STARTS, code) - 1, 0)][1]
