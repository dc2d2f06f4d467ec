"""Read gzip as gzip(1) does: member after member, ignoring what follows the last one.

The fast reader of `source` refuses a file at its first oddity. This one takes over there, and tells what is wrong: the
stream ends early, its content is damaged, or something else follows the end of the stream.
"""

import io
import zlib
from typing import IO, Any

_MAGIC = b"\x1f\x8b"
_READ_BYTES = 1 << 18
_OUTPUT_BYTES = 1 << 20


class GzipMembers(io.RawIOBase):
    """The unpacked bytes of a gzip stream.

    Raise EOFError where a member ends early and zlib.error where it is damaged. Zeros behind the last member are
    padding. Anything else there is counted in `extra_bytes`, even if it begins like another member. If it was one, a
    reader of the JSON notices that its end is missing.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        super().__init__()
        self.extra_bytes = 0
        self._stream = stream
        self._input = b""
        self._member: Any = None
        self._member_input = 0
        self._member_output = 0
        self._members = 0
        self._done = False

    def readable(self) -> bool:
        """Return whether the stream can be read: always."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer, or the beginning of it. Return the number of bytes, 0 at the end."""
        while not self._done:
            if self._member is None and not self._begin_member():
                break
            found = self._unpack(len(buffer))
            if found:
                buffer[: len(found)] = found
                return len(found)
        return 0

    def close(self) -> None:
        """Close the stream below as well."""
        self._stream.close()
        super().close()

    def _fill(self, wanted: int) -> None:
        while len(self._input) < wanted and (more := self._stream.read(_READ_BYTES)):
            self._input += more

    def _begin_member(self) -> bool:
        """Skip padding and begin the next member. Return False at the end of the stream."""
        if self._members:
            self._fill(1)
            while self._input and not self._input.strip(b"\0"):
                self._input = b""
                self._fill(1)
            self._input = self._input.lstrip(b"\0")
        self._fill(len(_MAGIC))
        if self._members and not self._input.startswith(_MAGIC):
            self._end_with_extra_bytes()
            return False
        self._member = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
        self._members += 1
        self._member_input = self._member_output = 0
        return True

    def _unpack(self, most: int) -> bytes:
        self._fill(1)
        only_input = self._members > 1 and not self._member_output
        if not self._input:
            if only_input:
                self._end_with_extra_bytes()
                return b""
            raise EOFError
        before = len(self._input)
        try:
            found: bytes = self._member.decompress(self._input, min(most, _OUTPUT_BYTES))
        except zlib.error:
            if only_input:
                self._end_with_extra_bytes()
                return b""
            raise
        self._input = self._member.unused_data if self._member.eof else self._member.unconsumed_tail
        self._member_input += before - len(self._input)
        self._member_output += len(found)
        if self._member.eof:
            self._member, self._member_input = None, 0
        return found

    def _end_with_extra_bytes(self) -> None:
        self._done = True
        self.extra_bytes = self._member_input + len(self._input)
        while more := self._stream.read(_READ_BYTES):
            self.extra_bytes += len(more)
