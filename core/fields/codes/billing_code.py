"""Billing codes and their code systems: how each is written, padded, and told by its shape.

See docs/decisions/0034-code-systems-by-shape.md for the codes whose system the sources label in different ways.
"""

import re
from typing import Any

from core.fields.texts.text import is_digits, parse_upper

CODE_WIDTHS = {"MS-DRG": 3, "REV": 4}
"""The digits of a code, in the systems whose codes are padded with zeros."""

HCPCS_CODE_PATTERN = "[0-9A-Z]{5}"
"""A code of either level of HCPCS (CPT is level I), as a regular expression without anchors."""

HCPCS_WIDTH = 5

_LEVEL_ONE = re.compile("[0-9]{4}[0-9A-Z]")
_DENTAL = re.compile("D[0-9]{4}")
# W to Z are not letters of level II: they were level III, which states and insurers defined for themselves.
_LEVEL_TWO = re.compile("[A-V][0-9]{4}")


def parse_code_system(value: Any) -> str | None:
    """Return a code system in upper case; RC, the payers' word for revenue codes, is REV."""
    found = parse_upper(value)
    return "REV" if found == "RC" else found


def parse_code(system: str, value: Any) -> str | None:
    """Return a billing code in upper case, padded with zeros where its system asks for it."""
    found = parse_upper(value)
    if found and is_digits(found):
        return found.zfill(CODE_WIDTHS.get(system, 0))
    return found


def padded_codes(code: str) -> dict[str, str]:
    """Return the other ways in which a code of an unknown system may be written, by code system.

    450 is also revenue code 0450, and 39 is also MS-DRG 039.
    """
    padded = {system: parse_code(system, code) for system in CODE_WIDTHS}
    return {system: found for system, found in padded.items() if found and found != code}


def code_spellings(value: str) -> tuple[str, ...]:
    """Return a billing code of an unknown system in each way in which a system may write it."""
    code = parse_code("", value)
    return tuple(sorted({code, *padded_codes(code).values()})) if code else ()


def restore_leading_zeros(cell: str) -> str:
    """Return a five-character code with the zeros that a spreadsheet took off: 100 is 00100. A blank stays blank."""
    return cell.zfill(HCPCS_WIDTH) if cell else ""


def code_system_by_shape(code: str) -> str | None:
    """Return the system of a five-character code: CPT, CDT or HCPCS, or None for another shape.

    CPT is level I of HCPCS (copyright AMA), CDT the D codes (copyright ADA), and HCPCS all other codes of level II.
    A code of another shape is a state's or an insurer's own.
    """
    if _LEVEL_ONE.fullmatch(code):
        return "CPT"
    if _DENTAL.fullmatch(code):
        return "CDT"
    return "HCPCS" if _LEVEL_TWO.fullmatch(code) else None


def medicare_code_system(code: str) -> str:
    """Return the system of a code in a Medicare file, which lists HCPCS codes only: CPT for level I, else HCPCS.

    CMS publishes the D codes as part of level II, so that here they are HCPCS.
    """
    return "CPT" if code_system_by_shape(code) == "CPT" else "HCPCS"
