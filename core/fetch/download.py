"""Download files to disk: resume where they were cut, retry, verify, keep until they have been used."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from filelock import FileLock, Timeout

from core.fetch.address import Address
from core.fetch.client import Client
from core.fetch.partial_file import PartialFile, Version, remove_unless_kept, version_of
from core.runtime.errors import FetchError
from core.runtime.files import release_lock
from core.runtime.progress import Progress

PROGRESS_BYTES = 1 << 20
"""An attempt that downloads this many bytes counts as progress: the count of failures starts over."""

_LOCK_WAIT = 60.0
"""Seconds to wait for another process that is downloading the same small file."""

ABANDONED_AFTER = 14 * 24 * 3600
"""Seconds after which the remains of an interrupted download are deleted."""

KeepCondition = Literal["not", "for a while", "for good"]
"""How long a file is kept after it was used. `for a while` lets the next run of an unfinished command use it."""


@dataclass(frozen=True)
class Download:
    """A file that has arrived whole. This process owns it until it returns it by `Downloads.done`."""

    address: Address
    path: Path
    version: Version
    _part: PartialFile
    _lock: FileLock


class Unchanged(Exception):
    """Raised when the server's file is the version that the caller already has."""


class Downloads:
    """Downloads into one directory, which several threads and several processes may share.

    `limit` is the size of the largest file accepted, in bytes, and `limit_setting` what an operator raises for more.
    With `lifetime`, a file that arrived less than that many
    seconds ago is used without asking the server, and older ones are deleted; without it, the server is always asked.
    """

    def __init__(
        self,
        client: Client,
        directory: Path,
        limit: int,
        lifetime: float | None = None,
        *,
        limit_setting: str = "BEACONPOINT_DOWNLOAD_LIMIT",
    ) -> None:
        self._client = client
        self._limit_setting = limit_setting
        self._directory = directory
        self._limit = limit
        self._lifetime = lifetime
        self._delete_abandoned()

    def get(self, address: Address, *, have: Version | None = None, progress: Progress | None = None) -> Download:
        """Download a file, resuming where an earlier attempt was cut.

        Raise Unchanged if the server still has the version `have`, and FetchError if the file cannot be downloaded;
        what has arrived by then is kept for the next attempt.
        """
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self._directory / f"{address.identity[:16]}.part.lock", thread_local=False)
            lock.acquire(timeout=0 if self._lifetime is None else _LOCK_WAIT)
        except Timeout:
            raise FetchError(
                f"{address}: another command is downloading this file; run this one when that has finished"
            ) from None
        except OSError as error:
            raise self._not_writable(address, error) from None
        try:
            part = PartialFile(self._directory, address, self._limit, self._limit_setting)
            if self._lifetime is None or part.age > self._lifetime:
                self._download(part, have, progress)
            return Download(address=address, path=part.path, version=part.version, _part=part, _lock=lock)
        except BaseException as error:
            release_lock(lock)
            if isinstance(error, OSError):
                raise self._not_writable(address, error) from None
            raise

    def done(self, download: Download, keep: KeepCondition = "not") -> None:
        """Return a file. One kept `for a while` is deleted when it has not been asked for within two weeks."""
        if keep == "not":
            download._part.discard()
        else:
            download._part.save_notes(whole=True, keep=keep == "for good")
        release_lock(download._lock)

    def _download(self, part: PartialFile, have: Version | None, progress: Progress | None) -> None:
        """Make attempts until the file is whole, waiting longer after each failure in a row.

        A file of many gigabytes may be cut more often than `tries`, so that only attempts without progress count.
        """
        patience = self._client.patience
        failures, most_bytes = 0, part.size
        while True:
            try:
                return self._attempt(part, have, progress)
            except FetchError as error:
                failures = 1 if part.size >= most_bytes + PROGRESS_BYTES else failures + 1
                most_bytes = max(most_bytes, part.size)
                asked = error.after or 0.0
                if not error.temporary or failures >= patience.tries or asked > patience.max_wait:
                    raise
                wait = max(asked, min(patience.backoff * 2 ** (failures - 1), patience.max_wait))
                if self._client.stopped.wait(wait):
                    raise

    def _attempt(self, part: PartialFile, have: Version | None, progress: Progress | None) -> None:
        headers, whole = part.conditions(have)
        with self._client.request(part.address, headers) as response:
            if response.status == 304 and whole:
                if have and have.same_as(part.version):
                    raise Unchanged
                return
            if response.status == 304 and have:
                raise Unchanged
            if response.status == 416:  # what has arrived is longer than the file is now
                part.discard()
                raise FetchError(f"{part.address}: the file changed while it was downloaded", temporary=True)
            if response.status not in {200, 206}:
                raise response.refusal(part.address)
            version = version_of(response)
            if have and have.same_as(version):
                raise Unchanged
            if not (whole and part.is_whole_as(version)):
                part.receive(response, version, progress, self._client)

    def _not_writable(self, address: Address, error: OSError) -> FetchError:
        return FetchError(
            f"{address}: cannot be saved in {self._directory}: {error.strerror or error}; make room there, allow "
            "writing to it, or name another directory in BEACONPOINT_CACHE_DIR"
        )

    def _delete_abandoned(self) -> None:
        """Delete files that have not been used for long, except those that the user keeps."""
        age = ABANDONED_AFTER if self._lifetime is None else self._lifetime
        for notes in self._directory.glob("*.part.json"):
            try:
                if max(p.stat().st_mtime for p in (notes, notes.with_suffix("")) if p.exists()) < time.time() - age:
                    remove_unless_kept(notes)
            except (OSError, ValueError):
                pass  # another process was faster, or the next download will report what is wrong here
