"""Long lists of codes as short texts: an address has room for 4,000 characters, and browsers and servers cut the rest.

A short list is `~` and the sorted, distinct codes, deflated, in base64 for addresses. So the same codes have the same
text however they were pasted, and nothing needs to be stored for an address to be shared.
"""

import base64
import binascii
import zlib

_SIGN = "~"
LONGEST_PLAIN = 240
"""Characters of a list that stays readable in an address: some forty codes."""

LONGEST_LIST = 60_000
"""Characters of a list. A text that inflates to more is refused before it fills the memory."""


def shorten_list(text: str) -> str:
    """Return a list of codes joined by commas as an address has it: itself if it is short, or short already."""
    if not LONGEST_PLAIN < len(text) <= LONGEST_LIST or text.startswith(_SIGN):
        return text
    codes = ",".join(sorted(set(text.split(","))))
    return _SIGN + base64.urlsafe_b64encode(zlib.compress(codes.encode(), 9)).decode().rstrip("=")


def lengthen_list(text: str) -> str:
    """Return the list of codes that an address means. Raise ValueError if it is cut short or not ours."""
    if not text.startswith(_SIGN):
        return text
    packed = text.removeprefix(_SIGN)
    inflate = zlib.decompressobj()
    try:
        found = inflate.decompress(base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4)), LONGEST_LIST)
        if not inflate.eof:
            raise ValueError("the list is cut short")
        return found.decode()
    except (binascii.Error, zlib.error, UnicodeDecodeError) as error:
        raise ValueError("the list is damaged") from error
