"""Cuts an in-network file into its root's values and runs of whole array elements, in memory that does not grow.

Nothing here builds JSON values. A window slides over the bytes. Where an array's elements end is found in one of two
ways: carefully, by counting brackets outside of strings with numpy, or quickly, by looking for the very bytes that
stood between the first elements (`}]}]},{"negotiation_arrangement":`). A quick cut may be wrong, but never goes
unnoticed: up to a wrong cut the text is no sequence of JSON values, so whoever decodes it fails. Then the file is cut
once more, carefully. See docs/decisions/0007-quick-cuts.md.
"""

import json
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.runtime.errors import NotJsonError, PayerFileError

RUN_BYTES = 4 << 20
"""A run of elements is about this long; an element longer than that is a run of its own."""

GIANT_BYTES = 24 << 20
"""An element of in_network longer than this is taken apart: its negotiated_rates come run by run."""

ROOT_VALUE_LIMIT = 1 << 20
"""A value of the root that this program does not know is not kept when longer than this."""

ITEM_VALUE_LIMIT = 64 << 20
"""A value of a giant item, such as its bundled_codes, is not kept when longer than this."""

STREAMED = frozenset(("in_network", "provider_references"))

_SPACE = re.compile(rb"[ \t\r\n]*")
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_CLOSING = re.compile(rb"[\]}][\]}\s]*\Z")
_OPENING = re.compile(rb'\s*,\s*\{\s*"[^"\\]*"\s*:')
_SCALAR = re.compile(rb"[^\s,\]}\[{\":]++")
_BOM = b"\xef\xbb\xbf"

_NOTICED = np.zeros(256, np.bool_)
_NOTICED[list(b'"{}[]')] = True
_DEPTH = np.zeros(256, np.int8)
_DEPTH[list(b"{[")] = 1
_DEPTH[list(b"}]")] = -1


@dataclass(frozen=True)
class RootValue:
    """A key of the root object with its value's JSON text (None for one too long to keep)."""

    key: str
    text: bytes | None


@dataclass(frozen=True)
class ElementChunk:
    """Whole elements of one of the streamed arrays, separated by commas; none for an empty array."""

    array: str
    text: bytes
    offset: int
    """Where the text begins, in bytes from the beginning of the JSON."""
    head: bytes | None = None
    """Of a giant item: its other values, as one JSON object; the run's elements are its negotiated_rates."""
    first: bool = True
    """Whether a giant item begins with this run."""


class ArraySplitter:
    """Reads chunks of JSON text and yields its parts in the order of the file.

    `name` is the file's and `kind` what it should be, for errors; the arrays of `streamed` come in runs; giant items
    are put aside in files below `directory`. Without `careful`, cuts may be wrong (see above). Raises
    NotJsonError where the text is not one JSON object.
    """

    def __init__(
        self,
        name: str,
        chunks: Iterator[bytes],
        streamed: frozenset[str] = STREAMED,
        kind: str = "an in-network file",
        *,
        directory: Path | None = None,
        careful: bool = True,
        chunk_bytes: int = RUN_BYTES,
        giant_bytes: int = GIANT_BYTES,
    ) -> None:
        self._name = name
        self._chunks = chunks
        self._streamed = streamed
        self._kind = kind
        self._directory = directory
        self._careful = careful
        self._chunk_bytes = chunk_bytes
        self._giant_bytes = giant_bytes
        self._buffer = b""
        self._at = 0
        self._start = 0

    def parts(self) -> Iterator[RootValue | ElementChunk]:
        """The values of the root object and the runs of its streamed arrays."""
        self._open()
        if self._peek() != b"{":
            raise self._wrong("expected one JSON object")
        self._at += 1
        separator = b"{"
        while True:
            if separator == b"{" and self._peek() == b"}":
                break
            key = self._key()
            if self._peek() == b"[" and key in self._streamed:
                yield from self._runs(key)
            else:
                yield RootValue(key, self._value())
            separator = self._peek()
            if separator == b"}":
                break
            if separator != b",":
                raise self._wrong('expected "," or "}"')
            self._at += 1
        self._at += 1
        if self._peek():
            raise self._wrong("expected nothing after the end of the JSON object")

    # --- the window -------------------------------------------------------------------------------------------

    def _grow(self, wanted: int = 0) -> bool:
        """Takes in chunks until `wanted` bytes are at hand, one chunk at least; False at the end of the file."""
        pieces = [self._buffer[self._at :]]
        size = len(pieces[0])
        more = True
        while more and (len(pieces) == 1 or size < wanted):
            chunk = next(self._chunks, b"")
            more = bool(chunk)
            pieces.append(chunk)
            size += len(chunk)
        self._start += self._at
        self._buffer = b"".join(pieces)
        self._at = 0
        return more

    def _open(self) -> None:
        self._grow(4)
        if self._buffer.startswith(_BOM):
            self._at = len(_BOM)
        if self._buffer[:2] in {b"\xff\xfe", b"\xfe\xff"}:
            raise PayerFileError(
                f"{self._name}: UTF-16 text; expected JSON in UTF-8; convert it first (iconv -t UTF-8)"
            )
        if not self._peek():
            raise PayerFileError(f"{self._name}: the file is empty; expected one JSON object of {self._kind}")

    def _peek(self) -> bytes:
        """The next byte that is no white space; empty at the end of the file."""
        while True:
            match = _SPACE.match(self._buffer, self._at)
            self._at = match.end() if match else self._at
            if self._at < len(self._buffer):
                return self._buffer[self._at : self._at + 1]
            if not self._grow():
                return b""

    def _wrong(self, expected: str) -> NotJsonError:
        place = self._start + self._at
        if self._at >= len(self._buffer):
            return NotJsonError(
                f"{self._name}: the JSON ends at byte {place:,} in the middle of the file's object ({expected}); "
                "the file was cut short: get it again"
            )
        found = self._buffer[self._at : self._at + 20].decode("utf-8", "replace")
        return NotJsonError(f"{self._name}: not {self._kind}: {expected} at byte {place:,}, found {found!r}")

    # --- single values ----------------------------------------------------------------------------------------

    def _key(self) -> str:
        if self._peek() != b'"':
            raise self._wrong("expected a key in double quotes")
        text = self._value() or b'""'
        if self._peek() != b":":
            raise self._wrong('expected ":"')
        self._at += 1
        self._peek()
        try:
            return str(json.loads(text.decode("utf-8", "replace"), strict=False))
        except ValueError:
            return text[1:-1].decode("utf-8", "replace")

    def _value(self, limit: int | None = None) -> bytes | None:
        """Steps over the next value; gives its text unless that is longer than `limit` (ROOT_VALUE_LIMIT)."""
        limit = limit or ROOT_VALUE_LIMIT
        first = self._peek()
        if first in {b"{", b"["}:
            return self._nested(limit)
        pattern = _STRING if first == b'"' else _SCALAR
        while True:
            match = pattern.match(self._buffer, self._at)
            if match and (first == b'"' or match.end() < len(self._buffer)):
                self._at = match.end()
                return match[0] if len(match[0]) <= limit else None
            if not match and first != b'"':
                raise self._wrong("expected a value")
            if not self._grow():
                self._at = len(self._buffer)
                raise self._wrong("expected the end of a value")
            if len(self._buffer) > 64 * ROOT_VALUE_LIMIT:
                raise self._wrong("expected a shorter text")

    def _nested(self, limit: int) -> bytes | None:
        """Steps over an object or array. What is longer than a run is dropped as it passes."""
        kept: list[bytes] | None = []
        scan = _Scan()
        while True:
            end = scan.end_of_value(self._buffer, self._at)
            stop = len(self._buffer) if end is None else end
            if kept is not None:
                kept.append(self._buffer[self._at : stop])
                if sum(map(len, kept)) > limit:
                    kept = None
            self._at = stop
            if end is not None:
                return None if kept is None else b"".join(kept)
            if not self._grow():
                raise self._wrong("expected the end of a value")

    # --- runs of elements -------------------------------------------------------------------------------------

    def _runs(self, array: str) -> Iterator[ElementChunk]:
        self._at += 1
        if self._peek() == b"]":
            yield ElementChunk(array, b"", self._start + self._at)
            self._at += 1
            return
        seam: _Seam | None = None
        while True:
            cut = self._cut(seam, giants=array == "in_network")
            if cut is None:
                yield from self._giant()
                closed = False
            else:
                end, closed = cut
                if end == self._at:
                    raise self._wrong(f"expected an element of {array}")
                yield ElementChunk(array, self._buffer[self._at : end], self._start + self._at)
                if not self._careful and not closed:
                    seam = seam or _Seam.found(self._buffer, end)
                self._at = end
            if closed or self._peek() == b"]":
                self._at += 1
                return
            if self._peek() != b",":
                raise self._wrong(f'expected "," or "]" between the elements of {array}')
            self._at += 1
            self._peek()

    def _cut(self, seam: "_Seam | None", *, giants: bool) -> tuple[int, bool] | None:
        """Where the last whole element in the window ends, and whether the array's own bracket follows.

        None where `giants` are to be told and one stands here.
        """
        wanted, more = self._chunk_bytes, True
        while True:
            if more and len(self._buffer) - self._at < wanted:
                more = self._grow(wanted)
            stop = self._at + wanted
            if seam and wanted == self._chunk_bytes:
                end = seam.last_end(self._buffer, self._at, stop)
                if end is not None:
                    return end, False
            end, closed = _Scan().end_of_elements(self._buffer, self._at, stop)
            if end is not None:
                return end, closed
            if not more and stop >= len(self._buffer):
                self._at = len(self._buffer)
                raise self._wrong("expected the end of an element")
            if giants and wanted > self._giant_bytes and self._peek() == b"{":
                return None
            wanted *= 2

    def _giant(self) -> Iterator[ElementChunk]:
        """The runs of one item's negotiated_rates. They wait on disk for the values that may stand behind them."""
        offset = self._start + self._at
        head: dict[str, bytes] = {}
        with tempfile.TemporaryFile(dir=self._directory) as aside:
            runs: list[tuple[int, int]] = []
            self._at += 1
            while True:
                key = self._key()
                if self._peek() == b"[" and key == "negotiated_rates":
                    runs = []
                    aside.seek(0)
                    for run in self._runs(key):
                        aside.write(run.text)
                        runs.append((len(run.text), run.offset))
                else:
                    head[key] = self._value(ITEM_VALUE_LIMIT) or b'"too long to keep"'
                separator = self._peek()
                if separator == b"}":
                    break
                if separator != b",":
                    raise self._wrong('expected "," or "}"')
                self._at += 1
            self._at += 1
            text = b"{%b}" % b",".join(b"%b:%b" % (json.dumps(key).encode(), value) for key, value in head.items())
            aside.seek(0)
            for number, (size, place) in enumerate(runs or [(0, offset)]):
                yield ElementChunk("in_network", aside.read(size), place, text, number == 0)


@dataclass(frozen=True)
class _Seam:
    """What stands between two elements, the first's closing brackets and the second's first key included."""

    text: bytes
    closing: int

    @classmethod
    def found(cls, text: bytes, end: int) -> "_Seam | None":
        """The seam behind the element that ends at `end`."""
        before = _CLOSING.search(text, max(0, end - 200), end)
        behind = _OPENING.match(text, end)
        if not before or not behind:
            return None
        return cls(before[0] + behind[0], len(before[0]))

    def last_end(self, text: bytes, at: int, stop: int) -> int | None:
        """The end of the last element that a seam follows between `at`, where an element begins, and `stop`."""
        place = text.rfind(self.text, at, stop)
        return None if place < 0 else place + self.closing


class _Scan:
    """Counts brackets outside of strings, carrying on from one piece of text to the next."""

    def __init__(self) -> None:
        self._depth = 0
        self._inside = False
        self._escaping = False

    def end_of_value(self, text: bytes, at: int) -> int | None:
        """Where the value that began with the first piece ends: the first place where every bracket is closed."""
        places, depths = self._depths(text, at, len(text))
        closed = np.flatnonzero(depths <= 0)
        return int(places[closed[0]]) + 1 if len(closed) else None

    def end_of_elements(self, text: bytes, at: int, stop: int) -> tuple[int | None, bool]:
        """Where the last whole element of an array ends before `stop`, `text[at]` being the first's beginning.

        The flag says that the array's closing bracket stands there.
        """
        places, depths = self._depths(text, at, stop)
        beyond = np.flatnonzero(depths < 0)
        if len(beyond):
            return int(places[beyond[0]]), True
        whole = np.flatnonzero(depths == 0)
        return (int(places[whole[-1]]) + 1, False) if len(whole) else (None, False)

    def _depths(self, text: bytes, at: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
        """The places of brackets outside of strings and the depth after each."""
        octets = np.frombuffer(text, np.uint8, min(stop, len(text)) - at, at)
        noticed = _NOTICED.take(octets)
        if self._escaping or text.find(b"\\", at, stop) >= 0:
            noticed[self._escaped(octets)] = False
        places = np.flatnonzero(noticed)
        marks = octets[places]
        quotes = marks == ord('"')
        inside = np.logical_xor.accumulate(quotes)
        if self._inside:
            inside = ~inside
        outside = ~(quotes | inside)
        depths = self._depth + np.cumsum(_DEPTH.take(marks[outside]), dtype=np.int64)
        if len(depths):
            self._depth = int(depths[-1])
        if len(inside):
            self._inside = bool(inside[-1])
        return places[outside] + at, depths

    def _escaped(self, octets: np.ndarray) -> np.ndarray:
        """The places of escaped bytes: those after an odd number of backslashes in a row."""
        slashes = np.flatnonzero(octets == ord("\\"))
        count = np.arange(len(slashes))
        first = np.ones(len(slashes), np.bool_)
        first[1:] = np.diff(slashes) != 1
        start = slashes[np.maximum.accumulate(np.where(first, count, 0))]
        # A row's first, third … backslash escapes what follows, unless the row's first is itself escaped.
        shifted = (start == 0) & self._escaping
        escaped = slashes[(slashes - start) % 2 == shifted] + 1
        if self._escaping:
            escaped = np.append(escaped, 0)
        self._escaping = bool(len(escaped)) and bool((escaped == len(octets)).any())
        inside: np.ndarray = escaped[escaped < len(octets)]
        return inside
