"""What a billing code is by its number, in SQL: the rules are those of core/fields/codes."""

from core.fields.codes.accompanying_code import ACCOMPANYING_RANGES
from core.fields.codes.code_family import CODE_SUFFIXES, FIRST_CODES, HCPCS_SYSTEMS, OTHER_CODES, OTHER_SYSTEMS
from core.store.sql import quote


def family_sql(code_type: str = "code_type", code: str = "code") -> str:
    """Return SQL of what family_of says of the columns `code_type` and `code`."""
    # A search among the ranges by halves: the ranges are in order.
    systems = "".join(f" WHEN {quote(system)} THEN {quote(family)}" for system, family in OTHER_SYSTEMS.items())
    suffixes = "".join(f" WHEN {quote(letter)} THEN {quote(family)}" for letter, family in CODE_SUFFIXES.items())
    letters = ", ".join(map(quote, CODE_SUFFIXES))
    return f"""CASE
        WHEN {code_type} NOT IN {HCPCS_SYSTEMS} THEN CASE {code_type}{systems} ELSE {quote(OTHER_CODES)} END
        WHEN NOT regexp_full_match({code}, '.[0-9]{{3}}.') THEN {quote(OTHER_CODES)}
        WHEN {code}[1] BETWEEN '0' AND '9' AND {code}[5] IN ({letters}) THEN CASE {code}[5]{suffixes} END
        ELSE {_between(code, 0, len(FIRST_CODES))} END"""


def accompanying_sql(code_type: str = "code_type", code: str = "code") -> str:
    """Return SQL of what is_accompanying says of the columns `code_type` and `code`."""
    ranges = " OR ".join(f"{code} BETWEEN '{first}' AND '{last}'" for first, last in ACCOMPANYING_RANGES)
    return f"({code_type} IN {HCPCS_SYSTEMS} AND ({ranges}))"


def _between(code: str, first: int, end: int) -> str:
    if end - first == 1:
        return quote(FIRST_CODES[first][1])
    middle = (first + end) // 2
    before, after = _between(code, first, middle), _between(code, middle, end)
    return f"if({code} < {quote(FIRST_CODES[middle][0])}, {before}, {after})"
