"""Files from the web to disk: resumed where they were cut, tried again, checked, kept until they have been used."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from filelock import FileLock, Timeout

from core.fetch.address import Address
from core.fetch.client import Client
from core.fetch.partial_file import PartialFile, Version, remove_unless_kept, version_of
from core.runtime.errors import FetchError
from core.runtime.progress import Progress

PROGRESS_BYTES = 1 << 20
"""An attempt that brings this many bytes is no failure: the count of attempts begins anew."""

_SOON = 60.0
"""Seconds to wait for another process that fetches the same small file."""

ABANDONED_AFTER = 14 * 24 * 3600
"""Seconds after which what an interrupted download left is deleted."""


KeepCondition = Literal["not", "for a while", "for good"]


@dataclass(frozen=True)
class Download:
    """A file that has arrived whole. It is this process's alone until it is given back to `Downloads.done`."""

    address: Address
    path: Path
    version: Version
    _part: PartialFile
    _lock: FileLock


class Unchanged(Exception):
    """The server's file is the version that the caller has already."""


class Downloads:
    """Files being fetched into one directory, by several threads at once and by several processes.

    `limit` is the largest file taken, in bytes. With `lifetime` a file that arrived less than so many seconds ago is
    taken as it is, without asking the server, and older ones are deleted; without it each is asked for.
    """

    def __init__(self, client: Client, directory: Path, limit: int, lifetime: float | None = None) -> None:
        self._client = client
        self._directory = directory
        self._limit = limit
        self._lifetime = lifetime
        self._clear_abandoned()

    def get(self, address: Address, *, have: Version | None = None, progress: Progress | None = None) -> Download:
        """Fetches a file, going on where an earlier attempt was cut.

        Raises Unchanged where the server still has the version `have`, FetchError where the file cannot be had; what
        has arrived by then stays for the next attempt.
        """
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self._directory / f"{address.identity[:16]}.part.lock", thread_local=False)
            lock.acquire(timeout=0 if self._lifetime is None else _SOON)
        except Timeout:
            raise FetchError(
                f"{address}: another command is fetching this file; run this one when it has ended"
            ) from None
        except OSError as error:
            raise self._unwritable(address, error) from None
        try:
            part = PartialFile(self._directory, address, self._limit)
            if self._lifetime is None or part.age > self._lifetime:
                self._fetch(part, have, progress)
            return Download(address, part.path, part.version, part, lock)
        except BaseException as error:
            _release(lock)
            if isinstance(error, OSError):
                raise self._unwritable(address, error) from None
            raise

    def done(self, download: Download, keep: KeepCondition = "not") -> None:
        """Gives a file back. What is kept `for a while` is deleted when nobody has asked for it for two weeks."""
        if keep == "not":
            download._part.discard()
        else:
            download._part.note(whole=True, keep=keep == "for good")
        _release(download._lock)

    def _fetch(self, part: PartialFile, have: Version | None, progress: Progress | None) -> None:
        patience = self._client.patience
        failures, best = 0, part.size
        while True:
            try:
                return self._attempt(part, have, progress)
            except FetchError as error:
                failures = 1 if part.size >= best + PROGRESS_BYTES else failures + 1
                best = max(best, part.size)
                asked = error.after or 0.0
                if not error.temporary or failures >= patience.tries or asked > patience.longest:
                    raise
                wait = max(asked, min(patience.backoff * 2 ** (failures - 1), patience.longest))
                if self._client.stopped.wait(wait):
                    raise

    def _attempt(self, part: PartialFile, have: Version | None, progress: Progress | None) -> None:
        headers, whole = part.conditions(have)
        with self._client.ask(part.address, headers) as answer:
            if answer.status == 304 and whole:
                if have and have.same_as(part.version):
                    raise Unchanged
                return
            if answer.status == 304 and have:
                raise Unchanged
            if answer.status == 416:
                part.discard()
                raise FetchError(f"{part.address}: the file has changed while it was fetched", temporary=True)
            if answer.status not in {200, 206}:
                raise self._client.refuse(part.address, answer)
            version = version_of(answer)
            if have and have.same_as(version):
                raise Unchanged
            if not (whole and part.complete_as(version)):
                part.take(answer, version, progress, self._client)

    def _unwritable(self, address: Address, error: OSError) -> FetchError:
        return FetchError(
            f"{address}: cannot be kept in {self._directory}: {error.strerror or error}; make room there, give "
            "the right to write, or name another directory in BEACONPOINT_CACHE_DIR"
        )

    def _clear_abandoned(self) -> None:
        """Deletes what has not been touched for long, but not what the user keeps."""
        age = ABANDONED_AFTER if self._lifetime is None else self._lifetime
        for notes in self._directory.glob("*.part.json"):
            try:
                if max(p.stat().st_mtime for p in (notes, notes.with_suffix("")) if p.exists()) < time.time() - age:
                    remove_unless_kept(notes)
            except (OSError, ValueError):
                pass  # another process was quicker; or it is told when something is written here


def _release(lock: FileLock) -> None:
    Path(lock.lock_file).unlink(missing_ok=True)
    lock.release()
