"""Text that is safe to write to a terminal."""

import re

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Characters that move the cursor, change colors, rename the window, or reverse the line, and unpaired surrogates."""


def printable(text: str) -> str:
    """Return the text with U+FFFD in place of each control character, except for tabs and line breaks.

    The names of payers, plans, codes, and zip members come from payers' files. None of them may write escape sequences
    to a terminal.
    """
    return _CONTROL.sub("\ufffd", text)
