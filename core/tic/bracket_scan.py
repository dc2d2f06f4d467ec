"""Find where JSON values and array elements end, by counting brackets outside of strings with numpy."""

import numpy as np
import numpy.typing as npt

# Tables by byte value, for the bracket scan: which bytes matter, and by how much each changes the depth.
_IS_MARK = np.zeros(256, np.bool_)
_IS_MARK[list(b'"{}[]')] = True
_DEPTH = np.zeros(256, np.int8)
_DEPTH[list(b"{[")] = 1
_DEPTH[list(b"}]")] = -1


class BracketScan:
    """Count brackets outside of strings, continuing from one piece of text to the next.

    The state between pieces is the depth, whether a string is open, and whether the next byte is escaped.
    """

    def __init__(self) -> None:
        self._depth = 0
        self._inside = False
        self._escaping = False

    def find_end_of_value(self, text: bytes, at: int) -> int | None:
        """Return where the value that began with the first piece ends, which is where every bracket is closed."""
        positions, depths = self._depths(text, at, len(text))
        closed = np.flatnonzero(depths <= 0)
        return int(positions[closed[0]]) + 1 if len(closed) else None

    def find_end_of_elements(self, text: bytes, at: int, stop: int) -> tuple[int | None, bool]:
        """Return where the last whole element of an array ends before `stop`; the first one begins at `at`.

        The flag tells whether the array's closing bracket stands there.
        """
        positions, depths = self._depths(text, at, stop)
        # Depth 0 is within the array, between elements; below 0, the array itself has been closed.
        beyond = np.flatnonzero(depths < 0)
        if len(beyond):
            return int(positions[beyond[0]]), True
        whole = np.flatnonzero(depths == 0)
        return (int(positions[whole[-1]]) + 1, False) if len(whole) else (None, False)

    def _depths(self, text: bytes, at: int, stop: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Return the positions of brackets outside of strings, and the depth after each.

        This is the inner loop of a careful split, so each step is one pass of numpy over fewer and fewer bytes:

        1. keep quotes and brackets, and drop those that a backslash escapes;
        2. a running exclusive-or over the quotes tells which brackets are within a string;
        3. a running sum of +1 and -1 over the brackets that are left is the depth.
        """
        octets = np.frombuffer(text, np.uint8, min(stop, len(text)) - at, at)
        is_mark = _IS_MARK.take(octets)
        # The usual chunk has no backslash, and finding that out costs far less than looking for escaped bytes.
        if self._escaping or text.find(b"\\", at, stop) >= 0:
            is_mark[self._escaped(octets)] = False
        positions = np.flatnonzero(is_mark)
        marks = octets[positions]
        quotes = marks == ord('"')
        inside = np.logical_xor.accumulate(quotes)
        if self._inside:
            inside = ~inside
        outside = ~(quotes | inside)
        # int64: a malformed file may nest deeper than a byte counts.
        depths = self._depth + np.cumsum(_DEPTH.take(marks[outside]), dtype=np.int64)
        if len(depths):
            self._depth = int(depths[-1])
        if len(inside):
            self._inside = bool(inside[-1])
        return positions[outside] + at, depths

    def _escaped(self, octets: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
        """Return the positions of escaped bytes: those after an odd number of backslashes in a row."""
        slashes = np.flatnonzero(octets == ord("\\"))
        count = np.arange(len(slashes))
        # The position of the first backslash of each one's row: the last "first" up to it.
        first = np.ones(len(slashes), np.bool_)
        first[1:] = np.diff(slashes) != 1
        start = slashes[np.maximum.accumulate(np.where(first, count, 0))]
        # A row's first, third … backslash escapes what follows, unless the piece before ended with one that escapes the
        # first of this piece: then it is the second, fourth …
        shifted = (start == 0) & self._escaping
        escaped = slashes[(slashes - start) % 2 == shifted] + 1
        if self._escaping:
            escaped = np.append(escaped, 0)
        self._escaping = bool(len(escaped)) and bool((escaped == len(octets)).any())
        within: npt.NDArray[np.int64] = escaped[escaped < len(octets)]
        return within
