"""Text that is safe to write to a terminal."""

import io
import re
from typing import TextIO

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Characters that move the cursor, change colors, rename the window, or reverse the line, and unpaired surrogates."""


def printable(text: str) -> str:
    """Return the text with U+FFFD in place of each control character, except for tabs and line breaks.

    The names of payers, plans, codes, and zip members come from payers' files. None of them may write escape sequences
    to a terminal.
    """
    return _CONTROL.sub("\ufffd", text)


def accept_any_text(stream: TextIO) -> None:
    """Let a stream write `\\u2192` for a character that its encoding lacks, instead of failing.

    Windows gives output that goes to a file or another program an encoding of 256 characters.
    """
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")
