"""Billing codes of five characters: which code system one belongs to, told by its shape."""

import re

_LEVEL_ONE = re.compile(r"[0-9]{4}[0-9A-Z]")
_DENTAL = re.compile(r"D[0-9]{4}")
_LEVEL_TWO = re.compile(r"[A-V][0-9]{4}")


def system(code: str) -> str | None:
    """CPT (level I of HCPCS, copyright AMA), CDT (the D codes, copyright ADA) or HCPCS (all other level II codes).

    None for what has the shape of none of them, such as a state's own codes.
    """
    if _LEVEL_ONE.fullmatch(code):
        return "CPT"
    if _DENTAL.fullmatch(code):
        return "CDT"
    return "HCPCS" if _LEVEL_TWO.fullmatch(code) else None
