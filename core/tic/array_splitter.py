"""Split an in-network file into its root's values and chunks of whole array elements, in memory that does not grow.

Nothing here builds JSON values. A window slides over the bytes. The ends of an array's elements are found in one of two
ways: carefully, by counting brackets outside of strings with numpy, or quickly, by searching for the exact bytes that
stood between the first elements (`}]}]},{"negotiation_arrangement":`). A quick cut may be wrong, because those bytes
may also occur within an element. But it never goes unnoticed: up to a wrong cut the text is not a sequence of JSON
values, so decoding it fails. The file is then split again, carefully. See docs/decisions/0007-quick-cuts.md.
"""

import json
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from pickle import PickleBuffer
from typing import Any

from core.runtime.errors import CUT_SHORT, NotJsonError, PayerFileError
from core.tic.bracket_scan import BracketScan
from core.tic.decode import ITEM_KEYS
from core.tic.key_spelling import standard_key

CHUNK_BYTES = 4 << 20
"""A chunk of elements is about this long; an element longer than that is a chunk of its own."""

DEFINITION_CHUNKS = 8
"""A chunk of group definitions is this many times shorter: a byte of them takes several times as long to read, and a
filter on providers waits for the last of them, so every worker should get some."""

GIANT_BYTES = 24 << 20
"""An element of in_network longer than this is taken apart: its negotiated_rates come chunk by chunk."""

ROOT_VALUE_LIMIT = 4 << 20
"""A value of the root, outside the streamed arrays, is dropped if it is longer than this. The longest that is used is a
list of some thousands of plans."""

ITEM_VALUE_LIMIT = 64 << 20
"""A value of a giant item, such as its bundled_codes, is dropped if it is longer than this."""

TEXT_LIMIT = 64 << 20
"""A string or number of the root longer than this is refused: the window would have to hold all of it."""

STREAMED = ("in_network", "provider_references")
"""The arrays of an in-network file's root that come in chunks."""

_SPACE = re.compile(rb"[ \t\r\n]*")
# Possessive quantifiers (`++`): the window may hold only the beginning of a string, and then nested quantifiers that
# backtrack would try every way to divide it.
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_SCALAR = re.compile(rb"[^\s,\]}\[{\":]++")
_CLOSING = re.compile(rb"[\]}][\]}\s]*\Z")
_OPENING = re.compile(rb'\s*,\s*\{\s*"[^"\\]*"\s*:')
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class RootValue:
    """A key of the root object with its value's JSON text (None if it was too long to keep)."""

    key: str
    text: bytes | None


@dataclass(frozen=True)
class ElementChunk:
    """Whole elements of one of the streamed arrays, separated by commas; no text for an empty array."""

    array: str
    text: bytes | memoryview
    """Bytes, or a view of what was read, or of memory that this process shares with the one that read the file."""
    offset: int
    """Where the text begins, in bytes from the beginning of the JSON."""
    head: bytes | None = None
    """Of a giant item: its other values, as one JSON object; the chunk's elements are then its negotiated_rates."""
    first: bool = True
    """Whether a giant item begins with this chunk."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the text as a buffer, which need not be copied into the pickle."""
        return ElementChunk, (self.array, PickleBuffer(self.text), self.offset, self.head, self.first)


class ArraySplitter:
    """Read JSON text and yield its parts in the order of the file.

    `name` is the file's and `kind` what it should be, for error messages; `blocks` are the JSON in order, each of any
    size. The arrays of `streamed` come in chunks; giant items are put aside in files below `directory`. Unless
    `careful`, cuts may be wrong (see above). Raises NotJsonError if the text is not one JSON object.
    """

    def __init__(
        self,
        name: str,
        blocks: Iterator[bytes],
        streamed: tuple[str, ...] = STREAMED,
        kind: str = "an in-network file",
        *,
        directory: Path | None = None,
        careful: bool = True,
        chunk_bytes: int = CHUNK_BYTES,
        giant_bytes: int = GIANT_BYTES,
        root_value_limit: int = ROOT_VALUE_LIMIT,
    ) -> None:
        self._name = name
        self._blocks = blocks
        self._streamed = streamed
        self._kind = kind
        self._directory = directory
        self._careful = careful
        self._chunk_bytes = chunk_bytes
        self._giant_bytes = giant_bytes
        self._root_value_limit = root_value_limit
        self._window = b""
        self._window_offset = 0  # of the window's first byte in the JSON
        self._at = 0  # of the next byte in the window

    def parts(self) -> Iterator[RootValue | ElementChunk]:
        """Yield the values of the root object and the chunks of its streamed arrays."""
        self._open()
        if self._peek() != b"{":
            raise self._error("expected one JSON object")
        for key in self._read_keys():
            name = standard_key(key, self._streamed) or key
            if self._peek() == b"[" and name in self._streamed:
                yield from self._split_array(name)
            else:
                yield RootValue(name, self._read_value(self._root_value_limit))
        if self._peek():
            raise self._error("expected nothing after the end of the JSON object")

    # --- the window -------------------------------------------------------------------------------------------

    def _read_more(self, wanted: int = 0) -> bool:
        """Move the window on to the next byte and read until it has `wanted` bytes, but at least one block.

        Return False at the end of the file.
        """
        # The blocks are joined once: appending each to the window would copy the window as many times.
        parts = [self._window[self._at :]]
        size = len(parts[0])
        more = True
        while more and (len(parts) == 1 or size < wanted):
            block = next(self._blocks, b"")
            more = bool(block)
            parts.append(block)
            size += len(block)
        self._window_offset += self._at
        self._window = b"".join(parts)
        self._at = 0
        return more

    def _open(self) -> None:
        self._read_more(4)
        if self._window.startswith(_BOM):
            self._at = len(_BOM)
        if self._window[:2] in {b"\xff\xfe", b"\xfe\xff"}:
            raise PayerFileError(
                f"{self._name}: UTF-16 text; expected JSON in UTF-8; convert it first (iconv -t UTF-8)"
            )
        if not self._peek():
            raise PayerFileError(f"{self._name}: the file is empty; expected one JSON object of {self._kind}")

    def _peek(self) -> bytes:
        """Skip white space and return the next byte, without reading past it; empty at the end of the file."""
        while True:
            match = _SPACE.match(self._window, self._at)
            self._at = match.end() if match else self._at
            if self._at < len(self._window):
                return self._window[self._at : self._at + 1]
            if not self._read_more():
                return b""

    def _error(self, expected: str) -> NotJsonError:
        offset = self._window_offset + self._at
        if self._at >= len(self._window):
            return NotJsonError(
                f"{self._name}: the JSON ends at byte {offset:,} in the middle of the file's object ({expected}); "
                f"{CUT_SHORT}"
            )
        found = self._window[self._at : self._at + 20].decode("utf-8", "replace")
        return NotJsonError(f"{self._name}: not {self._kind}: {expected} at byte {offset:,}, found {found!r}")

    # --- single values ----------------------------------------------------------------------------------------

    def _read_keys(self) -> Iterator[str]:
        """Move past an object, and yield each key. The caller moves past its value before it asks for the next."""
        self._at += 1
        if self._peek() == b"}":
            self._at += 1
            return
        while True:
            yield self._read_key()
            separator = self._peek()
            if separator not in {b",", b"}"}:
                raise self._error('expected "," or "}"')
            self._at += 1
            if separator == b"}":
                return

    def _read_key(self) -> str:
        if self._peek() != b'"':
            raise self._error("expected a key in double quotes")
        text = self._read_value(ROOT_VALUE_LIMIT) or b'""'
        if self._peek() != b":":
            raise self._error('expected ":"')
        self._at += 1
        self._peek()
        try:
            return str(json.loads(text.decode("utf-8", "replace"), strict=False))
        except ValueError:
            return text[1:-1].decode("utf-8", "replace")

    def _read_value(self, limit: int) -> bytes | None:
        """Move past the next value and return its text, or None if that is longer than `limit`."""
        first = self._peek()
        if first in {b"{", b"["}:
            return self._read_nested(limit)
        pattern = _STRING if first == b'"' else _SCALAR
        while True:
            match = pattern.match(self._window, self._at)
            # A number at the end of the window may go on behind it; a string ends with its quote.
            if match and (first == b'"' or match.end() < len(self._window)):
                self._at = match.end()
                return match[0] if len(match[0]) <= limit else None
            if not match and first != b'"':
                raise self._error("expected a value")
            if not self._read_more():
                self._at = len(self._window)
                raise self._error("expected the end of a value")
            if len(self._window) > TEXT_LIMIT:
                raise self._error("expected a shorter text")

    def _read_nested(self, limit: int) -> bytes | None:
        """Move past an object or array and return its text, or None if that is longer than `limit`.

        What is too long to keep is dropped window by window, so that it never has to fit into memory.
        """
        kept: list[bytes] | None = []
        scan = BracketScan()
        while True:
            end = scan.find_end_of_value(self._window, self._at)
            stop = len(self._window) if end is None else end
            if kept is not None:
                kept.append(self._window[self._at : stop])
                if sum(map(len, kept)) > limit:
                    kept = None
            self._at = stop
            if end is not None:
                return None if kept is None else b"".join(kept)
            if not self._read_more():
                raise self._error("expected the end of a value")

    # --- chunks of elements -----------------------------------------------------------------------------------

    def _split_array(self, array: str) -> Iterator[ElementChunk]:
        self._at += 1
        if self._peek() == b"]":
            yield ElementChunk(array, b"", self._window_offset + self._at)
            self._at += 1
            return
        seam: _Seam | None = None
        size = self._chunk_bytes // DEFINITION_CHUNKS if array == "provider_references" else self._chunk_bytes
        while True:
            cut = self._find_cut(size, seam, giants=array == "in_network")
            if cut is None:
                yield from self._split_giant()
                closed = False
            else:
                end, closed = cut
                if end == self._at:
                    raise self._error(f"expected an element of {array}")
                text = memoryview(self._window)[self._at : end]  # copied once, when it leaves for a worker
                yield ElementChunk(array, text, self._window_offset + self._at)
                # The first cut is always careful: it is where the seam is learned. Writers print every element in the
                # same way, so one seam serves for the whole array.
                if not self._careful and not closed:
                    seam = seam or _Seam.find(self._window, end)
                self._at = end
            if closed or self._peek() == b"]":
                self._at += 1
                return
            if self._peek() != b",":
                raise self._error(f'expected "," or "]" between the elements of {array}')
            self._at += 1
            self._peek()

    def _find_cut(self, size: int, seam: "_Seam | None", *, giants: bool) -> tuple[int, bool] | None:
        """Return where the last whole element within `size` bytes ends, and whether the array's own bracket follows.

        Return None if `giants` are to be taken apart and one begins here.
        """
        wanted, more = max(size, 1), True
        while True:
            if more and len(self._window) - self._at < wanted:
                more = self._read_more(wanted)
            stop = self._at + wanted
            # Only in the first window: an element that does not fit into it is measured by its brackets.
            if seam and wanted == size:
                end = seam.find_last_end(self._window, self._at, stop)
                if end is not None:
                    return end, False
            end, closed = BracketScan().find_end_of_elements(self._window, self._at, stop)
            if end is not None:
                return end, closed
            if not more and stop >= len(self._window):
                self._at = len(self._window)
                raise self._error("expected the end of an element")
            if giants and wanted > self._giant_bytes and self._peek() == b"{":
                return None
            # Doubling, so that all scans of a long element but the last add up to less than the last.
            wanted *= 2

    def _split_giant(self) -> Iterator[ElementChunk]:
        """Yield the chunks of one item's negotiated_rates.

        They wait on disk until the item's end: every chunk carries the item's other values, such as its billing code,
        and those may come after the rates.
        """
        offset = self._window_offset + self._at
        head: dict[str, bytes] = {}
        with tempfile.TemporaryFile(dir=self._directory) as aside:
            chunks: list[tuple[int, int]] = []
            for key in self._read_keys():
                if self._peek() == b"[" and standard_key(key, ITEM_KEYS) == "negotiated_rates":
                    # If the key is repeated, the rates of all its lists count.
                    for chunk in self._split_array(key):
                        aside.write(chunk.text)
                        chunks.append((len(chunk.text), chunk.offset))
                else:
                    head[key] = self._read_value(ITEM_VALUE_LIMIT) or b'"too long to keep"'
            text = b"{%b}" % b",".join(b"%b:%b" % (json.dumps(key).encode(), value) for key, value in head.items())
            aside.seek(0)
            for number, (size, start) in enumerate(chunks or [(0, offset)]):
                yield ElementChunk("in_network", aside.read(size), start, text, number == 0)


@dataclass(frozen=True)
class _Seam:
    """The bytes between two elements, from the first one's closing brackets to the second one's first key."""

    text: bytes
    closing: int
    """How many of the bytes belong to the first element."""

    @classmethod
    def find(cls, text: bytes, end: int) -> "_Seam | None":
        """Return the seam after the element that ends at `end`, if it looks like one that will occur again."""
        before = _CLOSING.search(text, max(0, end - 200), end)
        after = _OPENING.match(text, end)
        if not before or not after:
            return None
        return cls(before[0] + after[0], len(before[0]))

    def find_last_end(self, text: bytes, at: int, stop: int) -> int | None:
        """Return the end of the last element that a seam follows between `at`, where an element begins, and `stop`."""
        # `rfind` runs at memory speed: this one line is why quick cuts are quick.
        start = text.rfind(self.text, at, stop)
        return None if start < 0 else start + self.closing
