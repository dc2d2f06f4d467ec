"""Keep one file while it is downloaded: what has arrived, of which version, and what is still missing."""

import json
import math
import re
import shutil
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO

from core.fetch.address import Address
from core.fetch.client import Client, HttpResponse
from core.fetch.digests import ExpectedDigest, promised_digest
from core.runtime.errors import FetchError
from core.runtime.files import delete_file, replace_file
from core.runtime.progress import Progress


@dataclass(frozen=True)
class Version:
    """What distinguishes one version of a server's file from another; None where the server does not say."""

    etag: str | None = None
    last_modified: str | None = None
    size: int | None = None

    def same_as(self, other: "Version") -> bool:
        """Return whether both certainly have the same content."""
        if self.etag or other.etag:
            return self.etag == other.etag
        known = self.last_modified is not None and self.size is not None
        return known and (self.last_modified, self.size) == (other.last_modified, other.size)


class PartialFile:
    """One file, partial (`<id>.part`) or whole (`<id>-<name>`), with notes on its version in `<id>.part.json`."""

    def __init__(self, directory: Path, address: Address, limit: int, limit_setting: str) -> None:
        self.address = address
        self._limit = limit
        self._limit_setting = limit_setting
        name = re.sub(r"[^A-Za-z0-9._-]", "_", address.name)[-80:].strip(".-") or "file"
        self._path = directory / f"{address.identity[:16]}.part"
        self._notes = directory / f"{address.identity[:16]}.part.json"
        self._done = directory / f"{address.identity[:16]}-{name}"
        self._version = Version()
        self._mismatches = 0
        try:
            notes = json.loads(self._notes.read_bytes())
            self._version, whole = Version(**notes["version"]), notes["whole"]
        except (OSError, ValueError, TypeError, KeyError):
            # Without notes it is unknown which version the bytes are of, so they cannot be continued.
            whole = False
            delete_file(self._path)
        self._is_whole = whole and self._done.exists() and self._done.stat().st_size == self._version.size

    @property
    def path(self) -> Path:
        """Where the file is when it has arrived whole."""
        return self._done

    @property
    def version(self) -> Version:
        """Which version of the server's file this is."""
        return self._version

    @property
    def size(self) -> int:
        """How many bytes have arrived."""
        return self._path.stat().st_size if self._path.exists() else 0

    @property
    def age(self) -> float:
        """Seconds since the file arrived whole; infinite if it has not."""
        return time.time() - self._done.stat().st_mtime if self._is_whole else math.inf

    def is_whole_as(self, version: Version) -> bool:
        """Return whether this is the whole file in that version."""
        return self._is_whole and self._version.same_as(version)

    def conditions(self, have: Version | None) -> tuple[dict[str, str], bool]:
        """Return the headers of the next attempt, and whether a 304 would mean that this file is whole and current."""
        if self._is_whole:
            return _unless_changed(self._version), True
        if self.size and (mark := _range_condition(self._version)):
            return {"Range": f"bytes={self.size}-", "If-Range": mark}, False
        return _unless_changed(have or Version()), False

    def receive(self, response: HttpResponse, version: Version, progress: Progress | None, client: Client) -> None:
        """Write a response's body, after what arrived before or in its place. Raise FetchError if it is not whole."""
        self._refuse_encoding(response)
        start = 0
        if response.status == 206:
            start, _ = _range_of(response)
            if start != self.size or not _may_continue(self._version, version):
                self.discard()
                raise FetchError(f"{self.address}: the file changed while it was downloaded", temporary=True)
        self._refuse_size(version.size, start)
        digest = promised_digest(response)
        self._version, self._is_whole = version, False
        self.save_notes(whole=False)
        with self._path.open("r+b" if start else "wb") as file:
            if start and digest:
                while chunk := file.read(1 << 20):
                    digest.update(chunk)
            file.seek(start)
            size = self._write_chunks(response, file, start, digest, progress, client)
        self._finish(size, digest)

    def _write_chunks(
        self,
        response: HttpResponse,
        file: IO[bytes],
        at: int,
        digest: ExpectedDigest | None,
        progress: Progress | None,
        client: Client,
    ) -> int:
        for chunk in response.chunks():
            at += len(chunk)
            if at > self._limit:
                self._refuse_size(at, at)
            file.write(chunk)
            if digest:
                digest.update(chunk)
            if progress:
                progress(at, self._version.size or 0)
            if client.stopped.is_set():
                raise FetchError(f"{self.address}: stopped; what has arrived is kept")
        return at

    def _finish(self, size: int, digest: ExpectedDigest | None) -> None:
        if self._version.size is not None and size != self._version.size:
            raise FetchError(
                f"{self.address}: {size:,} bytes arrived, but the server announced {self._version.size:,}; try again "
                "later, or report it to the payer", temporary=True,
            )  # fmt: skip
        if digest and not digest.matches:
            self.discard()
            self._mismatches += 1
            raise FetchError(
                f"{self.address}: what arrived does not have the {digest.name} digest that the server states; try "
                "again later, or report it to the payer", temporary=self._mismatches == 1,
            )  # fmt: skip
        self._version = replace(self._version, size=size)
        replace_file(self._path, self._done)
        self.save_notes(whole=True)
        self._is_whole = True

    def discard(self) -> None:
        """Delete everything that there is of the file."""
        for path in (self._path, self._notes, self._done):
            delete_file(path)  # Windows keeps what is being read; the next attempt starts over
        self._version, self._is_whole = Version(), False

    def save_notes(self, *, whole: bool, keep: bool = False) -> None:
        """Save which file this is, without its query string, and whether the user keeps it."""
        notes = {"address": self.address.public, "version": asdict(self._version), "whole": whole, "keep": keep}
        self._notes.write_text(json.dumps(notes), encoding="utf-8")

    def _refuse_encoding(self, response: HttpResponse) -> None:
        # gzip is accepted although it was not asked for: some servers label every .gz file so, and the reader of the
        # file unpacks it by its content anyway.
        encoding = response.headers.get("content-encoding", "identity").strip().lower()
        if encoding not in {"", "identity", "gzip", "x-gzip"}:
            raise FetchError(f"{self.address}: sent in the encoding {encoding[:20]!r}, which was not asked for")

    def _refuse_size(self, size: int | None, start: int) -> None:
        if size is None:
            return
        if size > self._limit:
            self.discard()
            raise FetchError(
                f"{self.address}: larger than the limit of {self._limit:,} bytes for a download; raise "
                f"{self._limit_setting} to load it"
            )
        free = shutil.disk_usage(self._path.parent).free
        if size - start > free:
            raise FetchError(
                f"{self.address}: {size - start:,} bytes to download and {free:,} free in {self._path.parent}; make "
                "room there, or name another directory in BEACONPOINT_CACHE_DIR"
            )


def version_of(response: HttpResponse) -> Version:
    """Return which version of the file a response has."""
    size = _range_of(response)[1] if response.status == 206 else response.length()
    return Version(response.headers.get("etag"), response.headers.get("last-modified"), size)


def remove_unless_kept(notes: Path) -> None:
    """Delete the files that notes are about, unless the user keeps them. Raise OSError or ValueError on failure."""
    if not json.loads(notes.read_bytes())["keep"]:
        for path in notes.parent.glob(f"{notes.name.removesuffix('.part.json')}*"):
            delete_file(path)


def _unless_changed(version: Version) -> dict[str, str]:
    if version.etag:
        return {"If-None-Match": version.etag}
    return {"If-Modified-Since": version.last_modified} if version.last_modified else {}


def _range_condition(version: Version) -> str | None:
    """Return what If-Range may be sent with: a strong ETag, else the time of the last change, else None.

    A weak ETag does not promise equal bytes, so that a file with one is downloaded from its beginning.
    """
    if version.etag:
        return None if version.etag.startswith("W/") else version.etag
    return version.last_modified


def _may_continue(before: Version, now: Version) -> bool:
    """Return whether a range of `now` may be written after bytes of `before`.

    Some servers ignore If-Range and send the rest of a new file.
    """
    sizes = {size for size in (before.size, now.size) if size is not None}
    etags = {etag for etag in (before.etag, now.etag) if etag is not None}
    return len(sizes) <= 1 and len(etags) <= 1


def _range_of(response: HttpResponse) -> tuple[int, int | None]:
    """Return where a range begins (-1 if it does not say), and the size of the whole file if it is known."""
    match = re.fullmatch(r"bytes (\d{1,19})-\d+/(\d{1,19}|\*)", response.headers.get("content-range", ""), re.ASCII)
    if not match:
        return -1, None
    return int(match[1]), None if match[2] == "*" else int(match[2])
