"""Split the codes into ranges of about equal size, so that one range at a time fits in memory."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple


class CodeRange(NamedTuple):
    """The first and the last code of a range."""

    first: str
    last: str


def split_codes(counted: Iterable[tuple[str, int]], rows: int) -> Iterator[CodeRange]:
    """Yield ranges that cover the codes (sorted, each with its number of rows) once.

    A range has at most `rows` rows, unless it is one code.
    """
    first = last = ""
    held = 0
    for code, count in counted:
        if held and held + count > rows:
            yield CodeRange(first, last)
            held = 0
        first = first if held else code
        last, held = code, held + count
    if held:
        yield CodeRange(first, last)
