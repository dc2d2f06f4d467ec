"""Lists of billing codes as people paste them: separated by anything, with or without their code systems."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from core.fields.codes.billing_code import padded_codes, parse_code, parse_code_system

MAX_CODES = 1_000
"""The most codes that one list may have."""

_SYSTEMS = frozenset((
    "CPT", "HCPCS", "REV", "RC", "MS-DRG", "R-DRG", "S-DRG", "APS-DRG", "AP-DRG", "APR-DRG", "APC", "NDC", "ICD", "CDT",
    "HIPPS", "LOCAL", "EAPG", "CSTM-ALL",
))  # fmt: skip
_WORD = re.compile(r"(?:([A-Za-z][A-Za-z0-9-]*):)?([0-9A-Za-z](?:[0-9A-Za-z.\-]*[0-9A-Za-z])?)")
VOLUME = re.compile(r"\*[0-9]{1,12}(?:\.[0-9]{1,6})?")
"""How many times a service is rendered, behind its code in an address: 73721*120."""

_ENDS = re.compile(
    r"(?<![\w-])([A-Z]?[0-9]{4}[0-9A-Z]?)\s*(?:-|–|—|\bto\b)\s*([A-Z]?[0-9]{4}[0-9A-Z]?)(?![\w-])", re.IGNORECASE
)
_RANGE = re.compile(r"([A-Z]?)([0-9]{4,5})([A-Z]?)-([A-Z]?)([0-9]{4,5})([A-Z]?)")


@dataclass(frozen=True)
class WantedCode:
    """A code that a user asks for, in one system or, where code_type is None, in every system that has it."""

    code_type: str | None
    code: str

    def __str__(self) -> str:
        return f"{self.code_type}:{self.code}" if self.code_type else self.code

    @property
    def meanings(self) -> list[tuple[str | None, str]]:
        """Return what it may stand for, as code systems and codes: 450 is also revenue code 0450."""
        if self.code_type:
            return [(self.code_type, self.code)]
        return [(None, self.code), *padded_codes(self.code).items()]

    @property
    def ends(self) -> tuple[str, str] | None:
        """Return the first and the last code of a range such as 27440-27447, or None for a single code."""
        found = _RANGE.fullmatch(self.code)
        if not found or (found[1], found[3]) != (found[4], found[6]) or len(found[2]) != len(found[5]):
            return None
        first, last = self.code.split("-")
        return (first, last) if first <= last else None


def read_codes(text: str) -> list[WantedCode]:
    """Return the distinct codes of a text in its order: `99213, CPT:99214; "0450"` or lines of `CPT 99213`.

    The name of a code system by itself applies to the code that follows it. A range such as 27440-27447 is one entry,
    however its dash is written; see `ends`.
    """
    found: dict[WantedCode, None] = {}
    before = ""
    for system, word in _WORD.findall(_ENDS.sub(r"\1-\2", VOLUME.sub(" ", text))):
        if not system and word.upper() in _SYSTEMS:
            before = word
            continue
        code_type = parse_code_system(system or before)
        before = ""
        code = parse_code(code_type or "", word)
        if code:
            found[WantedCode(code_type, code)] = None
    return list(found)


def codes_text(codes: Iterable[WantedCode]) -> str:
    """Return the one text of a list, from which `read_codes` returns the same list: 99213,CPT:99214."""
    return ",".join(map(str, codes))
