"""Read the text of a search: codes, ranges, modifiers, numbers, ZIP codes, and states, and the words that are left.

Payers, cities, and services are found in the words, by what is loaded: see `find_payers`, `find_city`, and
`find_services`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from core.fields.codes.billing_code import HCPCS_WIDTH, code_system_by_shape, parse_code, parse_code_system
from core.fields.codes.code_list import WantedCode
from core.fields.places.states import STATES
from core.fields.providers.npi import is_npi
from core.fields.providers.tin import is_tin, remove_tin_marks
from core.fields.texts.text import is_digits

MAX_PIECES = 60
"""More pieces of a text than this are not read."""

_PIECE = re.compile(r"[^\s,;:()]+|,")
_EDGES = "#®\"'“”.!?*"
_SYSTEM_NAME = r"cpt4?|hcpcs|ms-?drg|apr-?drg|drg|revenue|rev|rc|cdt|ndc|apc"
_SYSTEM = re.compile(rf"(?:{_SYSTEM_NAME})", re.IGNORECASE)
_SYSTEM_WITH_CODE = re.compile(rf"({_SYSTEM_NAME})[-#®]?([0-9][0-9A-Z]{{1,4}}|[A-V][0-9]{{4}})(.*)", re.IGNORECASE)
_CODE = "[0-9]{4}[0-9A-Z]|[A-V][0-9]{4}"
_RANGE = re.compile(rf"({_CODE})[-–—]({_CODE})", re.IGNORECASE)
_CODE_WITH_MODIFIERS = re.compile(rf"({_CODE})((?:[-/.+][0-9A-Z]{{2}})*)", re.IGNORECASE)
_SHORT_CODE = re.compile(r"[0-9]{1,4}")
_ZIP = re.compile(r"([0-9]{5})-[0-9]{4}")
_TAX_ID = re.compile(r"[0-9]{2}-?[0-9]{7}")
_SLASHES = re.compile(rf"(?:{_CODE})(?:/(?:{_CODE}))+", re.IGNORECASE)
_MODIFIER_WORDS = {"mod", "modifier", "modifiers"}
_BETWEEN_CODES = {"code", "codes", ",", "&", "and", "or"}
_RANGE_WORDS = {"to", "thru", "through", "-", "–", "—"}
_MODIFIERS_BY_THEMSELVES = re.compile("[2-9][0-9]|TC|LT|RT", re.IGNORECASE)
"""Modifiers that are one after a blank as well. Other two letters are rather a state."""

_SYSTEMS = {"REVENUE": "REV", "DRG": "MS-DRG", "MSDRG": "MS-DRG", "APRDRG": "APR-DRG", "CPT4": "CPT"}
_ALSO_WORDS = frozenset((
    "al", "as", "co", "ct", "de", "hi", "id", "in", "la", "ma", "me", "md", "mo", "mt", "nd", "ok", "or", "pa", "sc",
    "sd", "va", "wa",
))  # fmt: skip
"""States whose two letters are also a word or an abbreviation: they are a state in capitals or after a comma."""
_MORE_OFTEN_WORDS = frozenset({"ct"})
"""States whose two letters are a word in capitals too: CT is a scan. They are a state after a comma."""
_STATE_NAMES = {name.lower(): state for state, name in STATES.items()}
_LONGEST_STATE_NAME = max(len(name.split()) for name in _STATE_NAMES)


@dataclass(frozen=True)
class CodeSpan:
    """Codes from the first to the last, both included."""

    first: str
    last: str


@dataclass
class SearchText:
    """What the text of a search says. Each part is empty or None if the text does not say it."""

    codes: list[WantedCode] = field(default_factory=list)
    ranges: list[CodeSpan] = field(default_factory=list)
    modifiers: list[str] = field(default_factory=list)
    numbers: list[str] = field(default_factory=list)
    """NPIs and tax IDs, as digits."""
    zip_code: str | None = None
    """The ZIP code of a ZIP+4. Five digits by themselves are in `codes`: only what is loaded tells which they are."""
    state: str | None = None
    words: list[str] = field(default_factory=list)
    """The words that are left, as they were typed."""

    @property
    def says_codes(self) -> bool:
        """Return whether the text names codes by number."""
        return bool(self.codes or self.ranges)


def read_search(text: str) -> SearchText:
    """Return what a text says: "CPT 73721-26 75201", "27440-27447", "drg 470 TX", "healthscope 73721"."""
    found = SearchText()
    pieces = list(_pieces(text))
    digits = remove_tin_marks(text)
    if is_tin(digits) and not all(map(_is_code_or_more, pieces)):
        found.numbers.append(digits)
        return found
    position, system = 0, None
    while position < len(pieces):
        piece, after = pieces[position], pieces[position + 1 : position + 3]
        used, system = _read_piece(found, piece, after, system, pieces[position - 1] if position else "")
        position += used
    _take_state_name(found)
    return found


def _pieces(text: str) -> Iterator[str]:
    for piece in _PIECE.findall(text)[:MAX_PIECES]:
        bare = piece.strip(_EDGES)
        if _SLASHES.fullmatch(bare):
            yield from bare.split("/")
        elif bare:
            yield bare


def _read_piece(
    found: SearchText, piece: str, after: list[str], system: str | None, before: str
) -> tuple[int, str | None]:
    """Read one piece into `found`; return how many pieces were read, and the code system that the next code has."""
    lower = piece.lower()
    if _SYSTEM.fullmatch(piece) and any(map(_has_digit, after)):
        return 1, _system_of(piece)
    if lower == "ms" and after and after[0].lower() == "drg":
        return 1, None
    if lower in _BETWEEN_CODES and (system or (after and _is_code(after[0]))):
        return 1, system
    if lower in _MODIFIER_WORDS and after and len(after[0]) == 2:
        found.modifiers.append(after[0].upper())
        return 2, system
    return _read_code(found, piece, after, system) or _read_other(found, piece, before)


def _read_code(found: SearchText, piece: str, after: list[str], system: str | None) -> tuple[int, str | None] | None:
    glued = _SYSTEM_WITH_CODE.fullmatch(piece)
    if glued:
        system = _system_of(glued[1])
        _add_code(found, system, glued[2])
        _add_modifiers(found, glued[3])
        return 1, system
    if system and _SHORT_CODE.fullmatch(piece):
        _add_code(found, system, piece)
        return 1, system
    return _read_range(found, piece, after) or _read_plain_code(found, piece, system)


def _read_range(found: SearchText, piece: str, after: list[str]) -> tuple[int, str | None] | None:
    ends = _RANGE.fullmatch(piece)
    if ends:
        found.ranges.append(_range(ends[1], ends[2]))
        return 1, None
    if _is_code(piece) and len(after) == 2 and after[0].lower() in _RANGE_WORDS and _is_code(after[1]):
        found.ranges.append(_range(piece, after[1]))
        return 3, None
    return None


def _read_plain_code(found: SearchText, piece: str, system: str | None) -> tuple[int, str | None] | None:
    code = _CODE_WITH_MODIFIERS.fullmatch(piece)
    if code:
        _add_code(found, system, code[1])
        _add_modifiers(found, code[2])
        return 1, system
    if found.codes and _MODIFIERS_BY_THEMSELVES.fullmatch(piece):
        found.modifiers.append(piece.upper())
        return 1, system
    return None


def _read_other(found: SearchText, piece: str, before: str) -> tuple[int, str | None]:
    postal = _ZIP.fullmatch(piece)
    if postal:
        found.zip_code = postal[1]
    elif is_npi(piece) or _TAX_ID.fullmatch(piece):
        found.numbers.append(remove_tin_marks(piece))
    elif piece != ",":
        if found.state is None and _is_state(piece, before):
            found.state = piece.upper()
        else:
            found.words.append(piece)
    return 1, None


def _is_state(piece: str, before: str) -> bool:
    if piece.upper() not in STATES or piece.lower() in _MORE_OFTEN_WORDS:
        return piece.upper() in STATES and before == ","
    in_capitals = piece.isupper() and not before.isupper()
    return before == "," or in_capitals or piece.lower() not in _ALSO_WORDS


def _take_state_name(found: SearchText) -> None:
    """Move the name of a state from the words: "knee mri new mexico". Words before it may make it a city's."""
    words = [word.lower() for word in found.words]
    for length in range(_LONGEST_STATE_NAME, 0, -1):
        name = " ".join(words[-length:])
        if found.state is None and len(words) >= length and name in _STATE_NAMES:
            found.state = _STATE_NAMES[name]
            del found.words[-length:]
            return


def _system_of(name: str) -> str | None:
    upper = name.upper().replace("-", "")
    return _SYSTEMS.get(upper) or parse_code_system(name)


def _add_code(found: SearchText, system: str | None, text: str) -> None:
    code = parse_code(system or "", text)
    if code and WantedCode(system, code) not in found.codes:
        found.codes.append(WantedCode(system, code))


def _add_modifiers(found: SearchText, text: str) -> None:
    found.modifiers.extend(
        modifier for modifier in re.findall("[0-9A-Z]{2}", text.upper()) if modifier not in found.modifiers
    )


def _range(first: str, last: str) -> CodeSpan:
    return CodeSpan(*sorted((first.upper(), last.upper())))


def _is_code(piece: str) -> bool:
    return len(piece) == HCPCS_WIDTH and code_system_by_shape(piece.upper()) is not None


def _is_code_or_more(piece: str) -> bool:
    return _is_code(piece) or _RANGE.fullmatch(piece) is not None or _ZIP.fullmatch(piece) is not None


def _has_digit(piece: str) -> bool:
    return any(is_digits(letter) for letter in piece)
