"""Local files as streams of JSON bytes: plain, gzip or zip, told by their content and not by their name."""

import glob
import gzip
import hashlib
import io
import os
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, cast

from isal import igzip, isal_zlib

from core.fetch.address import redact_url
from core.runtime.errors import PayerFileError
from core.runtime.progress import Progress

CHUNK = 1 << 20
"""Bytes of JSON handed on at a time."""

RATIO_FROM = 1 << 30
"""Bytes of JSON up to which it does not matter how tightly they were packed."""

_GZIP = b"\x1f\x8b"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_FOREIGN = {b"\xfd7zXZ\x00": "xz", b"BZh": "bzip2", b"\x28\xb5\x2f\xfd": "zstd", b"7z\xbc\xaf": "7z", b"%PDF": "PDF"}
_GZIP_LAYERS = 3
_DAMAGE = (
    gzip.BadGzipFile,
    zipfile.BadZipFile,
    zlib.error,
    cast("type[Exception]", isal_zlib.error),
    NotImplementedError,  # a zip member packed in a way Python does not know
)


@dataclass(frozen=True)
class UnpackLimits:
    """How much a file may unfold to: bytes, and times its packed size once that is beyond RATIO_FROM.

    Payers' files are packed 10 to 60 times, those of the most uniform rates 100 to 200 times. One layer of gzip packs
    1,032 times at the utmost, so only something made to do harm gets near it, and beyond it by several layers.
    """

    unpacked: int = 2 * 10**12
    ratio: int = 500

    def most(self, packed: int) -> int:
        """How many bytes a file of that packed size may unfold to."""
        return min(self.unpacked, max(RATIO_FROM, self.ratio * packed))


@dataclass
class Source:
    """One JSON document: a file, or a member of a zip file.

    `name` is what the batch record keeps. `json_size` is the length of the JSON where the file tells it without
    being read (for gzip its lowest 32 bits); it is a hint and no promise.
    """

    name: str
    path: Path
    member: str | None = None
    json_size: int | None = None
    limits: UnpackLimits = UnpackLimits()
    bytes_read: int = 0
    _sha: "hashlib._Hash" = field(default_factory=hashlib.sha256)

    @property
    def batch_id(self) -> str:
        """The id of what `chunks` has read to the end: the same JSON bytes have the same id in any packing."""
        return self._sha.hexdigest()[:32]

    def chunks(self, progress: Progress | None = None) -> Iterator[bytes]:
        """The JSON's bytes, in pieces. Raises PayerFileError where the file cannot be read to its end."""
        self.bytes_read, self._sha = 0, hashlib.sha256()
        size = self.path.stat().st_size
        try:
            with self.path.open("rb") as file, closing(self._unpacked(file)) as stream:
                while chunk := stream.read(CHUNK):
                    self._sha.update(chunk)
                    self.bytes_read += len(chunk)
                    if progress:
                        progress(min(file.tell(), size), size)
                    yield chunk
        except EOFError:
            raise PayerFileError(
                f"{self.name}: the compressed file ends after {self.bytes_read:,} bytes of JSON, before its own end "
                "mark; it was cut short: get it again"
            ) from None
        except _DAMAGE as error:
            raise PayerFileError(
                f"{self.name}: the compressed file is damaged after {self.bytes_read:,} bytes of JSON ({error}); "
                "get it again"
            ) from None
        except RuntimeError as error:
            if "password" not in str(error):
                raise
            raise PayerFileError(f"{self.name}: the zip file is encrypted; unpack it first") from None
        except OSError as error:
            raise PayerFileError(f"{self.name}: cannot be read: {error.strerror or error}") from None

    def _unpacked(self, file: IO[bytes]) -> IO[bytes]:
        stream: IO[bytes] = file
        packed = os.fstat(file.fileno()).st_size
        if self.member is not None:
            archive = zipfile.ZipFile(file)
            packed = archive.getinfo(self.member).compress_size
            stream = archive.open(self.member)  # closed with the file below it
        most = self.limits.most(packed)
        for _ in range(_GZIP_LAYERS):
            buffered = io.BufferedReader(cast("io.RawIOBase", stream), CHUNK)
            if not buffered.peek(2).startswith(_GZIP):
                return buffered
            unfolded = cast("IO[bytes]", igzip.open(buffered, "rb"))  # type: ignore[no-untyped-call]
            stream = cast("IO[bytes]", _Limited(unfolded, most, self.name))
        return stream


class _Limited(io.RawIOBase):
    """What a layer of packing unfolds to, up to `most` bytes. Each layer counts: an inner one may give nothing."""

    def __init__(self, stream: IO[bytes], most: int, name: str) -> None:
        super().__init__()
        self._stream = stream
        self._left = most
        self._most = most
        self._name = name

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        count = self._stream.readinto(buffer)  # type: ignore[attr-defined]
        self._left -= count
        if self._left < 0:
            raise PayerFileError(
                f"{self._name}: unfolds to more than {self._most:,} bytes, which no payer's file of that size does; "
                "if it is sound, raise BEACONPOINT_UNPACK_RATIO or BEACONPOINT_UNPACK_LIMIT"
            )
        return int(count)

    def close(self) -> None:
        self._stream.close()
        super().close()


def expand(patterns: Iterable[str]) -> list[Path]:
    """The files that paths and globs name, in order, each once. Raises PayerFileError for a path that is no file."""
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
    """What is wrong with a path; it may be an address with a slip in it, whose signature is not to be shown."""
    if re.search(r"[?#].*=|//.*@", pattern):
        return f"{redact_url(pattern)}: no such file; if it is meant as an address, it begins with https:// or http://"
    return f"{pattern}: no such file"


def open_documents(path: Path, *, name: str | None = None, limits: UnpackLimits = UnpackLimits()) -> list[Source]:
    """The JSON documents of one file: one, or each member of a zip file.

    `name` takes the place of the file's own, for one that came from the web. Raises PayerFileError where the file
    cannot be opened or is packed in a way this program does not unpack.
    """
    name = path.name if name is None else name
    try:
        with path.open("rb") as file:
            head = file.read(6)
            size = file.seek(0, os.SEEK_END)
            kind = next((kind for magic, kind in _FOREIGN.items() if head.startswith(magic)), None)
            if kind:
                raise PayerFileError(f"{name}: a {kind} file; expected JSON, plain or in gzip or zip: unpack it first")
            if head.startswith(_ZIP):
                return _zip_members(path, name, limits)
            if head.lstrip().startswith(b"<"):
                raise PayerFileError(f"{name}: a web page or XML, perhaps a page about the file; expected JSON")
            if head.startswith(_GZIP) and size >= 18:
                file.seek(-4, os.SEEK_END)
                size = int.from_bytes(file.read(4), "little")
            return [Source(name, path, json_size=size, limits=limits)]
    except OSError as error:
        raise PayerFileError(f"{path}: cannot be read: {error.strerror or error}") from None


def _zip_members(path: Path, name: str, limits: UnpackLimits) -> list[Source]:
    try:
        with zipfile.ZipFile(path) as packed:
            members = [m for m in packed.infolist() if not m.is_dir() and not m.filename.startswith("__MACOSX/")]
    except zipfile.BadZipFile as error:
        raise PayerFileError(f"{name}: the zip file is damaged or cut short ({error}); get it again") from None
    if not members:
        raise PayerFileError(f"{name}: the zip file holds no file; expected an in-network file")
    unfolded, most = sum(m.file_size for m in members), limits.most(path.stat().st_size)
    if unfolded > most:
        raise PayerFileError(
            f"{name}: unfolds to {unfolded:,} bytes, more than the {most:,} that a payer's file of its size may; if it "
            "is sound, raise BEACONPOINT_UNPACK_RATIO or BEACONPOINT_UNPACK_LIMIT"
        )
    return [Source(f"{name}/{m.filename}", path, m.filename, m.file_size, limits) for m in members]
