"""Which fees come on top of one: a procedure has several, and a rate is one of them.

A professional bills a procedure's code, the facility bills the same code for itself, and anesthesia and the examination
of tissue have codes of their own. The ranges are the sections of CPT as CMS's National Correct Coding Initiative Policy
Manual lists them, one a chapter: surgery 10000 to 69999 and radiology 70000 to 79999. Which anesthesia goes with a
procedure is said for the commonest ones alone. Preventive services are those of 45 CFR 147.130, which most plans pay
in full when the provider is in network.

Numbers of codes and our own words alone are here: descriptors of CPT are copyrighted.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from core.vocabulary.services import plain_names


class Preventive(Enum):
    """Whether a code is a preventive service."""

    NO = "no"
    SOMETIMES = "sometimes"
    """A screening has codes of its own, or a modifier."""
    YES = "yes"


@dataclass(frozen=True)
class Companion:
    """A code that is usually billed beside another one, and its plain name."""

    code: str
    name: str


@dataclass(frozen=True)
class SeparateFees:
    """What comes on top of the fee for a code."""

    is_procedure: bool = False
    """A facility, anesthesia, and pathology have fees of their own."""
    is_imaging: bool = False
    """The picture and its reading have fees of their own where a facility takes the picture."""
    anesthesia: Companion | None = None
    pathology: Companion | None = None
    preventive: Preventive = Preventive.NO
    screenings: tuple[Companion, ...] = ()

    @property
    def says_anything(self) -> bool:
        """Whether there is anything to say."""
        return self.is_procedure or self.is_imaging or self.preventive is not Preventive.NO


_Ranges = tuple[tuple[str, str], ...]

_SURGERY: _Ranges = (("10004", "69990"),)
_NO_PROCEDURES: _Ranges = (("36400", "36425"), ("36591", "36592"))
"""Drawing blood."""

_IMAGING: _Ranges = (("70010", "76499"), ("76506", "76999"), ("77046", "77067"), ("77071", "77086"), ("78012", "78999"))
_COLONOSCOPY: _Ranges = (("45378", "45398"),)

_ANESTHESIA: tuple[tuple[str, _Ranges], ...] = (
    ("00812", (("G0105", "G0105"), ("G0121", "G0121"))),
    ("00811", (*_COLONOSCOPY, ("45330", "45350"))),
    ("00731", (("43191", "43259"),)),
    ("01402", (("27446", "27447"),)),
    ("01400", (("29870", "29889"),)),
    ("01214", (("27130", "27130"),)),
    ("00142", (("66982", "66984"),)),
    ("01961", (("59510", "59515"),)),
    ("01967", (("59400", "59410"),)),
)
_PATHOLOGY: tuple[tuple[str, _Ranges], ...] = (
    ("88305", (("45380", "45385"), ("43239", "43239"), ("43251", "43251"), ("11102", "11107"), ("45331", "45338"))),
)
_SCREENINGS = ("G0121", "G0105")
_PREVENTIVE: _Ranges = (
    ("77067", "77067"), ("77063", "77063"), ("71271", "71271"), ("99381", "99387"), ("99391", "99397"),
    *((code, code) for code in (*_SCREENINGS, "00812")),
)  # fmt: skip


def find_separate_fees(code_type: str | None, code: str | None) -> SeparateFees:
    """Return which fees come on top of that for a code."""
    if code_type not in {"CPT", "HCPCS", None} or not code or len(code) != len("99213"):
        return SeparateFees()
    is_screening = code in _SCREENINGS
    is_colonoscopy = _is_in(code, _COLONOSCOPY)
    preventive = Preventive.YES if _is_in(code, _PREVENTIVE) else Preventive.NO
    return SeparateFees(
        is_procedure=is_screening or (_is_in(code, _SURGERY) and not _is_in(code, _NO_PROCEDURES)),
        is_imaging=_is_in(code, _IMAGING),
        anesthesia=_first_companion(code, _ANESTHESIA),
        pathology=_first_companion(code, _PATHOLOGY),
        preventive=Preventive.SOMETIMES if is_colonoscopy else preventive,
        screenings=tuple(map(_companion, _SCREENINGS)) if is_colonoscopy else (),
    )


def _is_in(code: str, ranges: Iterable[tuple[str, str]]) -> bool:
    # Codes of five characters have the order of text; those of categories II and III end in a letter.
    return any(first <= code <= last for first, last in ranges) and code[1:].isdecimal()


def _first_companion(code: str, of_ranges: Iterable[tuple[str, _Ranges]]) -> Companion | None:
    return next((_companion(companion) for companion, ranges in of_ranges if _is_in(code, ranges)), None)


def _companion(code: str) -> Companion:
    names = plain_names()
    return Companion(code, names.get(("CPT", code)) or names[("HCPCS", code)])
