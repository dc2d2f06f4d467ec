"""Members of provider groups that a file does not hold but says where on the web they are (schema 1's `location`)."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Generic, TypeVar

import msgspec
from msgspec import Raw

from core.fetch.address import parse_address, redact_url
from core.fetch.client import Client
from core.fetch.download import Downloads
from core.fetch.host_failures import HostFailures
from core.runtime.errors import FetchError, PayerFileError
from core.tic import decode
from core.tic.source import UnpackLimits, open_documents

LIFETIME = 24 * 3600
"""Seconds for which a file of members is taken from disk without being asked for again."""

EXAMPLES = 10
"""Problems that are kept to be shown; all are counted."""

NOT_TRIED = "not tried: the file was loaded without fetching provider groups"

Tag = TypeVar("Tag")


class _Remote(msgspec.Struct, gc=False):
    provider_groups: Raw = decode.ABSENT


_REMOTE = msgspec.json.Decoder(_Remote)


@dataclass(frozen=True)
class FetchedMembers(Generic[Tag]):
    """What became of one address: the provider_groups it has, or the problem. `tag` is the caller's own.

    `location` is the address as it may be stored, `signed` says that it is not the whole of it.
    """

    tag: Tag
    location: str
    signed: bool
    groups: Raw | None
    problem: str | None
    tried_at: datetime | None


@dataclass
class FetchReport:
    """What became of the addresses of one file."""

    asked: int = 0
    failed: int = 0
    examples: list[str] = field(default_factory=list)

    @property
    def notes(self) -> dict[str, int]:
        """What the batch's record is to say."""
        return {"locations_not_fetched": self.failed}

    def count(self, answer: FetchedMembers[Tag]) -> None:
        """Takes in what became of one address."""
        self.asked += 1
        if answer.problem:
            self.failed += 1
            if len(self.examples) < EXAMPLES and answer.problem not in self.examples:
                self.examples.append(answer.problem)


class GroupFetcher:
    """Fetches files of members, `at_once` of them at a time, each address once in a run.

    What was fetched stays in `directory` for a day. One object serves all files of a run: a host that gave no answer
    three times in a row is not asked again.
    """

    def __init__(self, client: Client, directory: Path, limit: int, at_once: int = 8) -> None:
        self._client = client
        self._downloads = Downloads(client, directory, limit, LIFETIME)
        self._limits = UnpackLimits(unpacked=limit)
        self._at_once = at_once
        self._hosts = HostFailures()
        self._problems: dict[str, str] = {}

    def fetch_all(self, wanted: Iterable[tuple[str, Tag]]) -> Iterator[FetchedMembers[Tag]]:
        """What is at each address, given with the caller's tag: some order, every address answered."""
        pending: deque[tuple[str, Tag, Future[tuple[Path | None, str | None]]]] = deque()
        with ThreadPoolExecutor(self._at_once, "location") as pool:
            try:
                for url, tag in wanted:
                    pending.append((url, tag, pool.submit(self._fetch, url)))
                    if len(pending) >= 4 * self._at_once:
                        yield self._answer(*pending.popleft())
                while pending:
                    yield self._answer(*pending.popleft())
            except BaseException:
                self._client.stopped.set()
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _answer(self, url: str, tag: Tag, fetched: "Future[tuple[Path | None, str | None]]") -> FetchedMembers[Tag]:
        path, problem = fetched.result()
        groups = None
        location, signed = stored(url)
        if path:
            try:
                groups = self._read(path, location)
            except PayerFileError as error:
                problem = str(error)
        return FetchedMembers(tag, location, signed, groups, problem, datetime.now(UTC))

    def _fetch(self, url: str) -> tuple[Path | None, str | None]:
        """The file at an address, on disk, or the problem."""
        try:
            address = parse_address(url)
            if problem := self._problems.get(address.identity):
                return None, problem
            self._hosts.check(address)
        except FetchError as error:
            return None, str(error)
        try:
            found = self._downloads.get(address)
            self._downloads.done(found, "for a while")
        except FetchError as error:
            self._hosts.note(address, error)
            self._problems[address.identity] = str(error)
            return None, str(error)
        self._hosts.note(address)
        return found.path, None

    def _read(self, path: Path, location: str) -> Raw:
        """The provider_groups of a file. Raises PayerFileError."""
        source = open_documents(path, name=location, limits=self._limits)[0]
        text = b"".join(source.chunks()).removeprefix(b"\xef\xbb\xbf")
        try:
            return _REMOTE.decode(text).provider_groups.copy()
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return _lenient(text, location)


def stored(url: str) -> tuple[str, bool]:
    """An address as it may be stored, and whether something was left out of it."""
    try:
        address = parse_address(url)
    except FetchError:
        text = redact_url(url)
        return text, text != url
    return address.public, not address.complete


def _lenient(text: bytes, location: str) -> Raw:
    """The provider_groups of text that is not strictly what was expected."""
    try:
        value = decode.loads(text)
    except decode.UndecodableError as error:
        raise PayerFileError(f"{location}: not JSON: {error.problem} at byte {error.offset:,}") from None
    return decode.dumps(value.get("provider_groups") if isinstance(value, dict) else value)
