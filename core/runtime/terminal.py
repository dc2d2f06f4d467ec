"""What may be written to a terminal."""

import re

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Characters that move the cursor, colour, rename the window or turn the line round; and those no terminal can take."""


def printable(text: str) -> str:
    """The text with a mark (U+FFFD) for each control character but tabs and line breaks.

    Payers' files name payers, plans, codes and members of zip files; by such a name nobody should be able to write
    escape sequences to a terminal.
    """
    return _CONTROL.sub("\ufffd", text)
