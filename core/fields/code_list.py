"""Lists of billing codes as people paste them: separated by anything, with or without their system."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from core.fields import normalize

MAX_CODES = 200
"""So many codes one list may have."""

_SYSTEMS = frozenset((
    "CPT", "HCPCS", "REV", "RC", "MS-DRG", "R-DRG", "S-DRG", "APS-DRG", "AP-DRG", "APR-DRG", "APC", "NDC", "ICD", "CDT",
    "HIPPS", "LOCAL", "EAPG", "CSTM-ALL",
))  # fmt: skip
_WORD = re.compile(r"(?:([A-Za-z][A-Za-z0-9-]*):)?([0-9A-Za-z](?:[0-9A-Za-z.\-]*[0-9A-Za-z])?)")


@dataclass(frozen=True)
class WantedCode:
    """A code that is asked for, in one system or, where code_type is None, in whichever has it."""

    code_type: str | None
    code: str

    def __str__(self) -> str:
        return f"{self.code_type}:{self.code}" if self.code_type else self.code

    @property
    def meanings(self) -> list[tuple[str | None, str]]:
        """What it may stand for: 450 is also revenue code 0450, and 39 the MS-DRG 039."""
        if self.code_type:
            return [(self.code_type, self.code)]
        padded = {(system, normalize.code(system, self.code)) for system in ("REV", "MS-DRG")}
        return [(None, self.code), *sorted((s, c) for s, c in padded if c and c != self.code)]


def read_codes(text: str) -> list[WantedCode]:
    """The codes of a text, each once, in its order: `99213, CPT:99214; "0450"` or lines of `CPT 99213`.

    The name of a system that stands alone is the next code's.
    """
    found: dict[WantedCode, None] = {}
    before = ""
    for system, word in _WORD.findall(text):
        if not system and word.upper() in _SYSTEMS:
            before = word
            continue
        code_type = normalize.code_type(system or before)
        before = ""
        code = normalize.code(code_type or "", word)
        if code:
            found[WantedCode(code_type, code)] = None
    return list(found)


def codes_text(codes: Iterable[WantedCode]) -> str:
    """The one text of a list, which `read` gives back: 99213,CPT:99214."""
    return ",".join(map(str, codes))
