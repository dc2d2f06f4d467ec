"""Which code system a code of a Medicare file is of."""

import re

CODE = re.compile(r"[0-9A-Z]{5}")
"""A HCPCS code of either level."""

_LEVEL_TWO = re.compile(r"[A-Z]\d{4}")


def code_type(code: str) -> str:
    """HCPCS for level II codes (a letter and four digits), CPT for all others: the labels payers use."""
    return "HCPCS" if _LEVEL_TWO.fullmatch(code) else "CPT"
