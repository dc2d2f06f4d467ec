"""The members of a zip file: which are data, which are plainly not, and which cannot be unpacked.

Payers' zip files come with readmes, checksums, and what operating systems leave behind. A member is data if its content
looks like JSON or gzip, or if its name says so: then it is a document that is loaded or refused by itself.
"""

import lzma
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from core.runtime.errors import CUT_SHORT, PayerFileError

_PEEK_BYTES = 512
_END_OF_DIRECTORY = b"PK\x05\x06"
_LONGEST_END = 66_000
"""The end of a zip file's directory is within this many bytes of the file's end: a comment may follow it."""

_DATA_SUFFIXES = frozenset((".json", ".gz", ".gzip", ".zip", ".bz2", ".xz", ".zst", ".7z", ".tar", ".tgz"))
_SYSTEM_FILES = frozenset(("thumbs.db", "desktop.ini"))
_UNPACKED_METHODS = frozenset((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA))
_METHODS = {1: "Shrink", 6: "Implode", 9: "Deflate64", 93: "Zstandard", 95: "xz", 98: "PPMd"}
_ENCRYPTED = 0x41
_UNREADABLE = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, NotImplementedError, RuntimeError, OSError, EOFError,
)  # fmt: skip


@dataclass(frozen=True)
class ZipMember:
    """A member that is data. `name` is unique: of several members of one name, the later ones get a number."""

    position: int
    """Its position in the zip file's directory."""
    name: str
    size: int
    """Its unpacked size, as the directory states it."""


@dataclass(frozen=True)
class ZipContent:
    """The members of a zip file that are data, and the names of the others."""

    members: list[ZipMember]
    skipped: list[str]


def list_members(path: Path, name: str) -> ZipContent:
    """Return what a zip file contains. Raise PayerFileError if it cannot be read or nothing in it is data.

    `name` is what messages call the file.
    """
    members: list[ZipMember] = []
    skipped: list[str] = []
    times: dict[str, int] = {}
    try:
        with zipfile.ZipFile(path) as archive:
            for position, info in enumerate(archive.infolist()):
                if info.is_dir():
                    continue
                if not _is_data(archive, info):
                    skipped.append(info.filename)
                    continue
                times[info.filename] = times.get(info.filename, 0) + 1
                suffix = f"#{times[info.filename]}" if times[info.filename] > 1 else ""
                members.append(ZipMember(position, info.filename + suffix, info.file_size))
    except zipfile.BadZipFile as error:
        raise PayerFileError(_explain_bad_zip(path, name, error)) from None
    if not members:
        only = f"only {', '.join(skipped[:3])}{' and others' if len(skipped) > 3 else ''}" if skipped else "no file"
        raise PayerFileError(f"{name}: the zip file contains {only}; expected an in-network file")
    return ZipContent(members, skipped)


def refuse_unsupported(info: zipfile.ZipInfo, name: str) -> None:
    """Raise PayerFileError if a member is encrypted, or packed by a method that this program does not have."""
    if info.flag_bits & _ENCRYPTED:
        raise PayerFileError(f"{name}: the zip file is encrypted; unpack it first")
    if info.compress_type not in _UNPACKED_METHODS:
        method = info.compress_type
        known = _METHODS.get(method, "an unusual method")
        raise PayerFileError(
            f"{name}: packed with {known} (zip method {method}), which this program does not unpack; unpack it with "
            "another program, such as 7-Zip, and load the JSON"
        )


def _is_data(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bool:
    path = PurePosixPath(info.filename)
    if any(part.startswith(".") or part == "__MACOSX" for part in path.parts) or path.name.lower() in _SYSTEM_FILES:
        return False
    if path.suffix.lower() in _DATA_SUFFIXES:
        return True
    try:
        with archive.open(info) as stream:
            head = stream.read(_PEEK_BYTES)
    except _UNREADABLE:
        return False
    begins = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    return head.startswith(b"\x1f\x8b") or begins in {b"{", b"["} or (not begins and len(head) == _PEEK_BYTES)


def _explain_bad_zip(path: Path, name: str, error: zipfile.BadZipFile) -> str:
    with path.open("rb") as file:
        file.seek(max(file.seek(0, 2) - _LONGEST_END, 0))
        tail = file.read()
    if _END_OF_DIRECTORY not in tail:
        return f"{name}: the zip file ends before its own table of contents; {CUT_SHORT}"
    if "span" in str(error):
        return f"{name}: one part of a zip file in several parts; join them first"
    return f"{name}: the zip file is damaged ({error}); download it again"
