"""Local files as streams of JSON bytes: plain, gzip or zip, recognized by content and not by name."""

import glob
import gzip
import hashlib
import io
import lzma
import os
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, cast

from isal import igzip, isal_zlib

from core.fetch.address import redact_url
from core.fields.texts.clean_text import clean_name
from core.runtime.errors import CUT_SHORT, PayerFileError
from core.runtime.progress import Progress
from core.store.schema.rate_tables import MAX_FILE_NAME
from core.tic.gzip_members import GzipMembers
from core.tic.zip_members import list_members, refuse_unsupported

BLOCK_BYTES = 1 << 20
"""Bytes of JSON that are yielded at a time."""

_GZIP = b"\x1f\x8b"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_FOREIGN = {b"\xfd7zXZ\x00": "xz", b"BZh": "bzip2", b"\x28\xb5\x2f\xfd": "zstd", b"7z\xbc\xaf": "7z", b"%PDF": "PDF"}
_TAR = slice(257, 262)
_MAX_GZIP_LAYERS = 3  # a web server may compress again what is compressed
_DAMAGE = (
    gzip.BadGzipFile,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    cast("type[Exception]", isal_zlib.error),
)
_ODD_GZIP = (EOFError, gzip.BadGzipFile, zlib.error, cast("type[Exception]", isal_zlib.error))
EXTRA_BYTES = "extra_bytes_after_gzip"
"""The note of bytes behind the end of a gzip stream, which are ignored."""


@dataclass(frozen=True)
class UnpackLimits:
    """How much a file may unpack to.

    Payers' files are compressed 10 to 60 times, those with the most uniform rates 100 to 200 times. One layer of gzip
    compresses at most 1,032 times, so only a file made to do harm comes near that, or exceeds it with several layers.
    """

    unpacked: int = 2 * 10**12
    """Bytes of JSON, however large the file."""
    ratio: int = 500
    """Bytes of JSON for each byte of the file."""
    ratio_from: int = 1 << 30
    """Bytes of JSON up to which the ratio does not matter."""

    unpacked_setting: str = "BEACONPOINT_UNPACK_LIMIT"
    """The setting that `unpacked` comes from, for messages; `ratio` is always BEACONPOINT_UNPACK_RATIO."""

    def binding_setting(self, packed: int) -> str:
        """Return the setting that keeps a file of that packed size from unpacking to more than `max_unpacked`."""
        return self.unpacked_setting if self.unpacked <= self.max_unpacked(packed) else "BEACONPOINT_UNPACK_RATIO"

    def max_unpacked(self, packed: int) -> int:
        """Return how many bytes a file of that packed size may unpack to."""
        return min(self.unpacked, max(self.ratio_from, self.ratio * packed))


@dataclass
class Source:
    """One JSON document: a file, or a member of a zip file.

    `name` is what the batch record keeps. `json_size` is the length of the JSON if the file states it (for gzip, its
    lowest 32 bits); it is a hint, not a promise. `position` is that of the member in the zip file's directory.
    """

    name: str
    path: Path
    member: str | None = None
    json_size: int | None = None
    limits: UnpackLimits = UnpackLimits()
    position: int = 0
    bytes_read: int = 0
    notes: Counter[str] = field(default_factory=Counter)
    """Oddities of what `read_blocks` has read to the end."""
    _sha: "hashlib._Hash" = field(default_factory=hashlib.sha256)

    @property
    def batch_id(self) -> str:
        """Return the id of what `read_blocks` read to the end: the same JSON has the same id however it is packed."""
        return self._sha.hexdigest()[:32]

    def read_blocks(self, progress: Progress | None = None) -> Iterator[bytes]:
        """Yield the JSON's bytes in blocks. Raises PayerFileError if the file cannot be read to its end."""
        self.bytes_read, self._sha, self.notes = 0, hashlib.sha256(), Counter()
        try:
            try:
                yield from self._read_rest(progress, careful=False)
            except _ODD_GZIP:
                # Either the file is broken, or something follows the end of its gzip stream.
                yield from self._read_rest(progress, careful=True)
        except EOFError:
            raise PayerFileError(
                f"{self.name}: the compressed file ends after {self.bytes_read:,} bytes of JSON, before its own end "
                f"mark; {CUT_SHORT}"
            ) from None
        except _DAMAGE as error:
            raise PayerFileError(
                f"{self.name}: the compressed file is damaged after {self.bytes_read:,} bytes of JSON ({error}); "
                "download it again"
            ) from None
        except NotImplementedError as error:
            raise PayerFileError(
                f"{self.name}: packed in a way that this program does not unpack ({error}); unpack it first"
            ) from None
        except OSError as error:
            why = "damaged" if self.member is not None and error.errno is None else "cannot be read"
            raise PayerFileError(f"{self.name}: {why}: {error.strerror or error}; download it again") from None

    def _read_rest(self, progress: Progress | None, *, careful: bool) -> Iterator[bytes]:
        """Yield the blocks that have not been read yet. `careful` tells what is wrong with gzip, and is slower."""
        size, skip = self.path.stat().st_size, self.bytes_read
        layers: list[GzipMembers] = []
        with self.path.open("rb") as file, closing(self._unpacked(file, layers if careful else None)) as stream:
            while block := stream.read(BLOCK_BYTES):
                if skip:
                    skip, block = max(skip - len(block), 0), block[skip:]
                    if not block:
                        continue
                if not self.bytes_read:
                    _refuse_foreign(self.name, block)
                self._sha.update(block)
                self.bytes_read += len(block)
                if progress:
                    progress(min(file.tell(), size), size)
                yield block
        if extra := sum(layer.extra_bytes for layer in layers):
            self.notes[EXTRA_BYTES] = extra

    def _unpacked(self, file: IO[bytes], layers: list[GzipMembers] | None) -> IO[bytes]:
        """Return the JSON's bytes. With `layers`, to which they are added, gzip is read by the careful reader."""
        stream: IO[bytes] = file
        packed = os.fstat(file.fileno()).st_size
        if self.member is not None:
            archive = zipfile.ZipFile(file)
            info = archive.infolist()[self.position]
            refuse_unsupported(info, self.name)
            # The member's own size: in a large zip file, a bomb may be small.
            packed = info.compress_size
            stream = archive.open(info)  # closed with the file below it
        peekable: Any = io.BufferedReader(cast("io.RawIOBase", stream), BLOCK_BYTES)
        for _ in range(_MAX_GZIP_LAYERS):
            if not peekable.peek(2).startswith(_GZIP):
                break
            if layers is None:
                unpacked: Any = igzip.open(peekable, "rb")  # type: ignore[no-untyped-call]
            else:
                layers.append(GzipMembers(peekable))
                unpacked = io.BufferedReader(layers[-1], BLOCK_BYTES)
            peekable = _LimitedStream(unpacked, self.limits, packed, self.name)
        return cast("IO[bytes]", peekable)


class _LimitedStream(io.RawIOBase):
    """The output of one layer of gzip, refused beyond `limit` bytes.

    Every layer is limited, not only the JSON: an outer layer may unpack for hours to an inner one that is empty.
    """

    def __init__(self, stream: IO[bytes], limits: UnpackLimits, packed: int, name: str) -> None:
        super().__init__()
        self._stream = stream
        self._limit = self._left = limits.max_unpacked(packed)
        self._setting = limits.binding_setting(packed)
        self._name = name

    def readable(self) -> bool:
        return True

    def peek(self, size: int) -> bytes:
        """Return what comes next without taking it."""
        return self._stream.peek(size)  # type: ignore[attr-defined,no-any-return]

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes. Each layer has a buffer already: another one would copy all of it once more."""
        found = self._stream.read(size)
        self._take(len(found))
        return found

    def readinto(self, buffer: Any) -> int:
        count = self._stream.readinto(buffer)  # type: ignore[attr-defined]
        self._take(count)
        return int(count)

    def _take(self, count: int) -> None:
        self._left -= count
        if self._left < 0:
            raise PayerFileError(
                f"{self._name}: unpacks to more than {self._limit:,} bytes, which no payer's file of that size does; "
                f"if you trust the file, raise {self._setting}"
            )

    def close(self) -> None:
        self._stream.close()
        super().close()


def expand_paths(patterns: Iterable[str]) -> list[Path]:
    """Return the files that paths and globs name, in order, each once. Raises PayerFileError if one names none."""
    found: dict[Path, None] = {}
    for pattern in patterns:
        paths = [pattern] if os.path.lexists(pattern) else sorted(glob.glob(pattern))  # noqa: PTH207 - any glob
        if not paths:
            raise PayerFileError(_no_such_file(pattern))
        for path in map(Path, paths):
            if path.is_dir():
                raise PayerFileError(f"{path}: a directory; expected a file, or a glob in quotes: '{path}/*.json.gz'")
            found[path] = None
    return list(found)


def _no_such_file(pattern: str) -> str:
    """Return the error text for a path. It may be a mistyped address, whose signature must not be shown."""
    if re.search(r"[?#].*=|//.*@", pattern):
        return f"{redact_url(pattern)}: no such file; an address begins with https:// or http://"
    return f"{pattern}: no such file"


@dataclass(frozen=True)
class Container:
    """The JSON documents of one file, and the members of a zip file that are not data."""

    documents: list[Source]
    skipped: list[str] = field(default_factory=list)


def open_documents(path: Path, *, name: str | None = None, limits: UnpackLimits = UnpackLimits()) -> list[Source]:
    """Return the JSON documents of one file, as `open_container` does."""
    return open_container(path, name=name, limits=limits).documents


def open_container(path: Path, *, name: str | None = None, limits: UnpackLimits = UnpackLimits()) -> Container:
    """Return the JSON documents of one file: the file itself, or each member of a zip file that is data.

    `name` replaces the file's own name, for a file that came from the web. Raises PayerFileError if the file cannot be
    opened or is packed in a way this program does not unpack.
    """
    name = clean_name(path.name, MAX_FILE_NAME) if name is None else name
    try:
        with path.open("rb") as file:
            head = file.read(_TAR.stop)
            size = file.seek(0, os.SEEK_END)
            if head.startswith(_ZIP):
                return _open_zip(path, name, limits)
            _refuse_foreign(name, head)
            if head.startswith(_GZIP) and size >= 18:  # the length of an empty gzip file
                file.seek(-4, os.SEEK_END)
                size = int.from_bytes(file.read(4), "little")
            return Container([Source(name, path, json_size=size, limits=limits)])
    except OSError as error:
        raise PayerFileError(f"{path}: cannot be read: {error.strerror or error}") from None


def _open_zip(path: Path, name: str, limits: UnpackLimits) -> Container:
    content = list_members(path, name)
    # What the members state, so that a bomb is refused before anything of it is loaded; reading them checks again.
    packed_size = path.stat().st_size
    stated, limit = sum(member.size for member in content.members), limits.max_unpacked(packed_size)
    if stated > limit:
        raise PayerFileError(
            f"{name}: unpacks to {stated:,} bytes, more than the {limit:,} that a payer's file of its size may; if you "
            f"trust the file, raise {limits.binding_setting(packed_size)}"
        )
    documents = [
        Source(
            f"{name}/{clean_name(member.name, MAX_FILE_NAME)}", path, member.name, member.size, limits, member.position
        )
        for member in content.members
    ]
    return Container(documents, content.skipped)


def _refuse_foreign(name: str, head: bytes) -> None:
    """Raise PayerFileError if content that begins with `head` is packed in another way, or is a web page."""
    kind = next((kind for magic, kind in _FOREIGN.items() if head.startswith(magic)), None)
    if head.startswith(_ZIP):
        kind = "zip"
    elif head[_TAR] == b"ustar":
        kind = "tar"
    if kind:
        raise PayerFileError(f"{name}: a {kind} file; expected JSON, plain or in gzip or zip: unpack it first")
    if head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<"):
        raise PayerFileError(f"{name}: a web page or XML, perhaps a page about the file; expected JSON")
