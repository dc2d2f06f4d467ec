"""One file on its way from the web to disk: what has arrived, of which version, and what is still wanted."""

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
from core.runtime.progress import Progress


@dataclass(frozen=True)
class Version:
    """What tells one version of a server's file from another; `None` where the server does not say."""

    etag: str | None = None
    last_modified: str | None = None
    size: int | None = None

    def same_as(self, other: "Version") -> bool:
        """Whether both are surely of the same content."""
        if self.etag or other.etag:
            return self.etag == other.etag
        known = self.last_modified is not None and self.size is not None
        return known and (self.last_modified, self.size) == (other.last_modified, other.size)


class PartialFile:
    """One file in the directory, on its way or whole: `<id>.part`, what is known of it in `<id>.part.json`."""

    def __init__(self, directory: Path, address: Address, limit: int) -> None:
        self.address = address
        self._limit = limit
        name = re.sub(r"[^A-Za-z0-9._-]", "_", address.name)[-80:].lstrip(".-") or "file"
        self._path = directory / f"{address.identity[:16]}.part"
        self._facts = directory / f"{address.identity[:16]}.part.json"
        self._done = directory / f"{address.identity[:16]}-{name}"
        self._version = Version()
        self._mismatches = 0
        try:
            facts = json.loads(self._facts.read_bytes())
            self._version, whole = Version(**facts["version"]), facts["whole"]
        except (OSError, ValueError, TypeError, KeyError):
            whole = False
            self._path.unlink(missing_ok=True)
        self._is_whole = whole and self._done.exists() and self._done.stat().st_size == self._version.size

    @property
    def path(self) -> Path:
        """Where the file is once it has arrived whole."""
        return self._done

    @property
    def version(self) -> Version:
        """Which version of the server's file the one at hand is."""
        return self._version

    @property
    def size(self) -> int:
        """How many bytes have arrived."""
        return self._path.stat().st_size if self._path.exists() else 0

    @property
    def age(self) -> float:
        """Seconds since the file arrived whole; infinite where it has not."""
        return time.time() - self._done.stat().st_mtime if self._is_whole else math.inf

    def complete_as(self, version: Version) -> bool:
        """Whether the whole file at hand is that version."""
        return self._is_whole and self._version.same_as(version)

    def conditions(self, have: Version | None) -> tuple[dict[str, str], bool]:
        """The headers of the next attempt; the flag says that a 304 means the whole file at hand."""
        if self._is_whole:
            return _unless(self._version), True
        if self.size and (mark := _strong(self._version)):
            return {"Range": f"bytes={self.size}-", "If-Range": mark}, False
        return _unless(have or Version()), False

    def take(self, answer: HttpResponse, version: Version, progress: Progress | None, client: Client) -> None:
        """Takes in a body, behind what has arrived before or in its place. Raises FetchError."""
        self._refuse_packing(answer)
        start = 0
        if answer.status == 206:
            start, _ = _range_of(answer)
            if start != self.size or not _goes_on(self._version, version):
                self.discard()
                raise FetchError(f"{self.address}: the file has changed while it was fetched", temporary=True)
        self._refuse_size(version.size, start)
        digest = promised_digest(answer)
        self._version, self._is_whole = version, False
        self.note(whole=False)
        with self._path.open("r+b" if start else "wb") as file:
            if start and digest:
                while chunk := file.read(1 << 20):
                    digest.update(chunk)
            file.seek(start)
            size = self._receive(answer, file, start, digest, progress, client)
        self._finish(size, digest)

    def _receive(
        self,
        answer: HttpResponse,
        file: IO[bytes],
        at: int,
        digest: ExpectedDigest | None,
        progress: Progress | None,
        client: Client,
    ) -> int:
        for chunk in answer.chunks():
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
                f"{self.address}: {size:,} bytes arrived where the server promised {self._version.size:,}; try again "
                "later, or report it to the payer", temporary=True,
            )  # fmt: skip
        if digest and not digest.reached:
            self.discard()
            self._mismatches += 1
            raise FetchError(
                f"{self.address}: what arrived does not have the {digest.name} digest that the server gives; try again "
                "later, or report it to the payer", temporary=self._mismatches == 1,
            )  # fmt: skip
        self._version = replace(self._version, size=size)
        self._path.replace(self._done)
        self.note(whole=True)
        self._is_whole = True

    def discard(self) -> None:
        """Deletes all there is of the file."""
        for path in (self._path, self._facts, self._done):
            path.unlink(missing_ok=True)
        self._version, self._is_whole = Version(), False

    def note(self, *, whole: bool, keep: bool = False) -> None:
        """Writes down what the files are, without a query string, and whether the user keeps them."""
        facts = {"address": self.address.public, "version": asdict(self._version), "whole": whole, "keep": keep}
        self._facts.write_text(json.dumps(facts))

    def _refuse_packing(self, answer: HttpResponse) -> None:
        packing = answer.headers.get("content-encoding", "identity").strip().lower()
        if packing not in {"", "identity", "gzip", "x-gzip"}:
            raise FetchError(f"{self.address}: sent in the packing {packing[:20]!r}, which was not asked for")

    def _refuse_size(self, size: int | None, start: int) -> None:
        if size is None:
            return
        if size > self._limit:
            self.discard()
            raise FetchError(
                f"{self.address}: larger than the limit of {self._limit:,} bytes for a download; raise "
                "BEACONPOINT_DOWNLOAD_LIMIT if it is to be loaded"
            )
        free = shutil.disk_usage(self._path.parent).free
        if size - start > free:
            raise FetchError(
                f"{self.address}: {size - start:,} bytes to fetch and {free:,} free in {self._path.parent}; make room "
                "there, or name another directory in BEACONPOINT_CACHE_DIR"
            )


def version_of(answer: HttpResponse) -> Version:
    """Which version of the file an answer is of."""
    size = _range_of(answer)[1] if answer.status == 206 else answer.length()
    return Version(answer.headers.get("etag"), answer.headers.get("last-modified"), size)


def remove_unless_kept(notes: Path) -> None:
    """Deletes the files that such notes are of. Raises OSError."""
    if not json.loads(notes.read_bytes())["keep"]:
        for path in notes.parent.glob(f"{notes.name.removesuffix('.part.json')}*"):
            path.unlink(missing_ok=True)


def _unless(version: Version) -> dict[str, str]:
    if version.etag:
        return {"If-None-Match": version.etag}
    return {"If-Modified-Since": version.last_modified} if version.last_modified else {}


def _strong(version: Version) -> str | None:
    """What a range may be asked for with: an ETag that is no weak one, else the time of the last change."""
    if version.etag:
        return None if version.etag.startswith("W/") else version.etag
    return version.last_modified


def _goes_on(before: Version, now: Version) -> bool:
    """Whether a range may be put behind what has arrived of `before`."""
    sizes = {size for size in (before.size, now.size) if size is not None}
    etags = {etag for etag in (before.etag, now.etag) if etag is not None}
    return len(sizes) <= 1 and len(etags) <= 1


def _range_of(answer: HttpResponse) -> tuple[int, int | None]:
    """Where a part begins, and the size of the whole where it is known; -1 where the part does not say."""
    match = re.fullmatch(r"bytes (\d{1,19})-\d+/(\d{1,19}|\*)", answer.headers.get("content-range", ""), re.ASCII)
    if not match:
        return -1, None
    return int(match[1]), None if match[2] == "*" else int(match[2])
