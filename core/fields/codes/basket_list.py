"""Lists of codes with volumes, as people paste them: `73721 120` on each line, a CSV, or codes alone."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from core.fields.codes.code_list import VOLUME, WantedCode, codes_text, read_codes

_ITEM = re.compile(rf"([^,\s;*]+)({VOLUME.pattern})")
_HEADING = re.compile(r"volume|units|services|count|quantity|qty|times|number", re.IGNORECASE)
_LINE = re.compile(
    r"""\s*"?((?:[A-Za-z][A-Za-z-]*[:\s]\s*)?(?:[A-Za-z][0-9]{4}|[0-9]{4}[0-9A-Za-z]))"?\s*"""
    r"""[,;\t |]\s*"?([1-9][0-9,]*(?:\.[0-9]+)?)"?\s*"""
)
"""A code of five characters and a number."""

_LIKE_A_CODE = re.compile("[0-9]{5}")


@dataclass(frozen=True)
class BasketItem:
    """A code or a range of codes, and how often the service is rendered if that is known."""

    wanted: WantedCode
    volume: float | None = None

    def __str__(self) -> str:
        return str(self.wanted) if self.volume is None else f"{self.wanted}*{self.volume:.15g}"


def read_basket(text: str) -> list[BasketItem]:
    """Return the items of a pasted list or of an address, each code once: its volumes are added.

    A line with a code and a number is a code with its volume, unless all numbers of the text look like codes as well
    and no heading says what they are: `99213 99214` is two codes.
    """
    volumes: dict[WantedCode, float | None] = {}
    for code, volume in [*_with_stars(text), *_lines_with_volumes(text)] or ((text, None),):
        for wanted in read_codes(code):
            before = volumes.get(wanted)
            volumes[wanted] = before if volume is None else (before or 0) + volume
    return [BasketItem(wanted, volume) for wanted, volume in volumes.items()]


def basket_text(items: Iterable[BasketItem]) -> str:
    """Return the one text of a basket, from which `read_basket` returns the same: 73721*120,99213."""
    return ",".join(map(str, items))


def _with_stars(text: str) -> Iterator[tuple[str, float | None]]:
    """Yield the items of a list in which some codes have volumes behind a star."""
    if not _ITEM.search(text):
        return
    for piece in text.split(","):
        code, star, volume = piece.partition("*")
        yield codes_text(read_codes(code)), float(volume) if star and VOLUME.fullmatch(f"*{volume}") else None


def _lines_with_volumes(text: str) -> list[tuple[str, float | None]]:
    """Return the codes and volumes of a text with two columns; nothing if it is not one."""
    lines = [line for line in text.splitlines() if line.strip()]
    titled = bool(lines) and not _LINE.fullmatch(lines[0]) and bool(_HEADING.search(lines[0]))
    found = [_LINE.fullmatch(line) for line in lines[titled:]]
    # Commas on a single line separate codes: 99213,450 is two.
    if not found or not all(found) or (len(lines) == 1 and "," in lines[0]):
        return []
    numbers = [one[2] for one in found if one]
    if not titled and all(_LIKE_A_CODE.fullmatch(number) for number in numbers):
        return []
    return [(one[1], float(one[2].replace(",", ""))) for one in found if one]
