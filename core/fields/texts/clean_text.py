"""Characters that no text may contain, and texts that are longer than their column allows.

Every text that comes from a file passes through here: payers' files, tables of contents, registers, fee schedules, code
sets, and the names of files and zip members. See docs/normalization.md.
"""

import hashlib
import re
from typing import Any

LINE_BREAKS = "\t\n\x0b\x0c\r\x85\u2028\u2029"
"""What moves to another line or column. It separates words, so it becomes a space."""

_INVISIBLE_CHARACTERS = (
    "\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f"  # the other control characters: C0, DEL, and C1
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u206a-\u206f"  # marks that reverse the direction of text
    "\u200b\u2060\ufeff"  # spaces of no width. Joiners (U+200C, U+200D) stay: scripts and emoji need them
    "\ufff9-\ufffb"
)
INVISIBLE = f"[{_INVISIBLE_CHARACTERS}]+"
"""What changes how text is shown without being seen, as a regular expression. It is removed."""

FORBIDDEN = re.compile(f"[{LINE_BREAKS}{_INVISIBLE_CHARACTERS}]")
"""A character that no stored text contains."""

_SOME_LINE_BREAKS = re.compile(f"[{LINE_BREAKS}]+")
_SOME_INVISIBLE = re.compile(INVISIBLE)

SHORTENED, CLEANED = 1, 2
"""What may be done to a text, as bits: it was longer than its column allows, and it had control characters."""

ELLIPSIS = "…"
_DIGEST_DIGITS = 32


def has_forbidden(text: str) -> bool:
    """Return whether a text contains control characters, apart from white space at its ends."""
    # `isprintable` is many times as fast as the search, and true for nearly every text.
    return not text.isprintable() and FORBIDDEN.search(text.strip()) is not None


def has_invisible(text: str) -> bool:
    """Return whether a text contains characters that are removed, apart from white space at its ends."""
    return not text.isprintable() and _SOME_INVISIBLE.search(text.strip()) is not None


def remove_forbidden(text: str) -> str:
    """Return a text without control characters, on one line. Its ends are not trimmed."""
    if text.isprintable():
        return text
    return _SOME_LINE_BREAKS.sub(" ", _SOME_INVISIBLE.sub("", text))


def clean_text(text: str) -> str:
    """Return a text on one line, trimmed and without control characters."""
    return remove_forbidden(text).strip()


def shorten(text: str, max_length: int) -> str:
    """Return a text of at most `max_length` characters: a longer one ends with an ellipsis."""
    return text if len(text) <= max_length else text[: max_length - 1] + ELLIPSIS


def clean_name(text: str, max_length: int) -> str:
    """Return a text that is clean and no longer than `max_length`."""
    return shorten(clean_text(text), max_length)


def cleaned(*values: Any) -> int:
    """Return CLEANED if one of the values is a text with control characters, or a list that has one; otherwise 0."""
    for value in values:
        if isinstance(value, list):
            if cleaned(*value):
                return CLEANED
        elif isinstance(value, str) and has_forbidden(value):
            return CLEANED
    return 0


def distinct_id(text: str, max_length: int) -> str:
    """Return an id that is clean and no longer than `max_length`, and differs where the ids differ.

    An id that has to be changed ends with its own hash: two ids that differ in their last character, or in one that is
    not shown, must not become one.
    """
    if len(text) <= max_length and not has_forbidden(text):
        return text
    digest = hashlib.md5(text.encode("utf-8", "replace"), usedforsecurity=False).hexdigest()
    return f"{clean_text(text)[: max_length - _DIGEST_DIGITS - 1]}#{digest}"
