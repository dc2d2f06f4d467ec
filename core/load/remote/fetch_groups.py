"""Fetch the members of provider groups that a file does not list but links to (the `location` of schema 1)."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec
from msgspec import Raw

from core.fetch.address import parse_address, redact_url
from core.fetch.client import Client
from core.fetch.download import Downloads
from core.fetch.host_failures import HostFailures
from core.load.providers.group_key import group_key
from core.runtime.errors import FetchError, PayerFileError
from core.tic import decode, lenient_json
from core.tic.remote_members import find_remote_members
from core.tic.source import Source, UnpackLimits, open_documents

CACHE_SECONDS = 24 * 3600
"""Seconds for which a downloaded file of members is used without asking the server again."""

_LIMIT_SETTING = "BEACONPOINT_LOCATION_LIMIT"
"""What an operator raises for larger files of members, compressed or not."""

NOT_TRIED = "not tried: the file was loaded without fetching provider groups"

Tag = TypeVar("Tag")


class _Remote(msgspec.Struct, gc=False):
    provider_groups: Raw = decode.ABSENT
    provider_group_id: Raw = decode.ABSENT


_REMOTE = msgspec.json.Decoder(_Remote)


@dataclass(frozen=True)
class LocationMembers:
    """The provider_groups that a file at a location has: for any group that leads there, and for single groups."""

    shared: Raw | None = None
    by_key: dict[int, Raw] = field(default_factory=dict)
    """By the group's key. If a group is not there and nothing is shared, the file says nothing about it."""

    def of(self, key: int) -> Raw | None:
        """Return the provider_groups of a group."""
        return self.by_key.get(key, self.shared)


class StorableLocation(NamedTuple):
    """An address as it may be stored: without credentials and signatures. `signed` says that something is missing."""

    text: str
    signed: bool


@dataclass(frozen=True)
class FetchedMembers(Generic[Tag]):
    """What became of one address: the members found there, or the problem.

    `tag` is what the caller gave with the address. `location` and `signed` are the address as it may be stored.
    """

    tag: Tag
    location: str
    signed: bool
    members: LocationMembers | None
    problem: str | None
    tried_at: datetime | None


@dataclass(frozen=True)
class FetchReport:
    """What became of the addresses of one file."""

    asked: int
    failed: int
    examples: tuple[str, ...]
    """Some of the problems."""
    altered: Mapping[str, int]
    """What was done to texts, see core.load.batch.altered_texts."""

    @property
    def notes(self) -> dict[str, int]:
        """Return what goes into the batch record."""
        return {"locations_not_fetched": self.failed, **self.altered}


@dataclass(frozen=True)
class _Fetched:
    """A file of members on disk, or the problem."""

    path: Path | None
    problem: str | None


class GroupFetcher:
    """Fetches files of members, several at a time, each address once.

    Files stay in `directory` for a day. One fetcher serves all files of a command: a host that failed three times in a
    row is not asked again.
    """

    def __init__(
        self, client: Client, directory: Path, limit: int, at_once: int = 8, ratio: int = UnpackLimits.ratio
    ) -> None:
        self._client = client
        self._downloads = Downloads(client, directory, limit, CACHE_SECONDS, limit_setting=_LIMIT_SETTING)
        self._limits = UnpackLimits(unpacked=limit, ratio=ratio, unpacked_setting=_LIMIT_SETTING)
        self._at_once = at_once
        self._hosts = HostFailures()
        self._problems: dict[str, str] = {}

    def fetch_all(self, wanted: Iterable[tuple[str, Tag]]) -> Iterator[FetchedMembers[Tag]]:
        """Yield what became of each of the addresses, which come with a tag each."""
        pending: deque[tuple[str, Tag, Future[_Fetched]]] = deque()
        with ThreadPoolExecutor(self._at_once, "location") as pool:
            try:
                for url, tag in wanted:
                    pending.append((url, tag, pool.submit(self._fetch, url)))
                    # A few more than can be fetched at once, so that no thread waits while a file is read here.
                    if len(pending) >= 4 * self._at_once:
                        yield self._answer(*pending.popleft())
                while pending:
                    yield self._answer(*pending.popleft())
            except BaseException:
                self._client.stopped.set()
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _answer(self, url: str, tag: Tag, pending: "Future[_Fetched]") -> FetchedMembers[Tag]:
        fetched = pending.result()
        location = storable_location(url)
        members, problem = None, fetched.problem
        if fetched.path:
            try:
                members = self._read(fetched.path, location.text)
            except PayerFileError as error:
                problem = str(error)
                self._forget(url, problem)
        return FetchedMembers(
            tag=tag,
            location=location.text,
            signed=location.signed,
            members=members,
            problem=problem,
            tried_at=datetime.now(UTC),
        )

    def _fetch(self, url: str) -> _Fetched:
        try:
            address = parse_address(url)
            if problem := self._problems.get(address.identity):
                return _Fetched(None, problem)
            self._hosts.check(address)
        except FetchError as error:
            return _Fetched(None, str(error))
        try:
            found = self._downloads.get(address)
            self._downloads.done(found, "for a while")
        except FetchError as error:
            self._hosts.record(address, error)
            self._problems[address.identity] = str(error)
            return _Fetched(None, str(error))
        self._hosts.record(address)
        return _Fetched(found.path, None)

    def _forget(self, url: str, problem: str) -> None:
        """Delete an answer that is not a file of members, so that the next run asks again: it may be a refusal."""
        address = parse_address(url)
        self._problems[address.identity] = problem
        with suppress(FetchError):  # it may be gone already
            self._downloads.done(self._downloads.get(address), "not")

    def _read(self, path: Path, location: str) -> LocationMembers:
        """Return the members in a file. Raise PayerFileError if it is not JSON, or has none."""
        documents = open_documents(path, name=location, limits=self._limits)
        if len(documents) == 1:
            text = _read_text(documents[0])
            try:
                remote = _REMOTE.decode(text)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                pass
            else:
                groups = bytes(remote.provider_groups)
                if b"{" in groups and groups.startswith(b"[") and remote.provider_group_id is decode.ABSENT:
                    return LocationMembers(remote.provider_groups.copy())
            values = [_parse(text, location)]
        else:
            values = [_parse(_read_text(document), document.name) for document in documents]
        return _find_members(values, location)


def storable_location(url: str) -> StorableLocation:
    """Return an address as it may be stored."""
    try:
        address = parse_address(url)
    except FetchError:
        text = redact_url(url)
        return StorableLocation(text, signed=text != url)
    return StorableLocation(address.public, signed=not address.complete)


def _read_text(document: Source) -> bytes:
    return b"".join(document.read_blocks()).removeprefix(b"\xef\xbb\xbf")


def _parse(text: bytes, location: str) -> Any:
    try:
        return lenient_json.parse_json(text)
    except lenient_json.UndecodableError as error:
        raise PayerFileError(f"{location}: not JSON: {error.problem} at byte {error.offset:,}") from None


def _find_members(values: list[Any], location: str) -> LocationMembers:
    """Return the members in files of any shape. Raise PayerFileError if there are none."""
    found = find_remote_members(values)
    by_key = {group_key(group): lenient_json.encode_raw(members) for group, members in found.by_id.items() if members}
    shared = lenient_json.encode_raw(found.shared) if found.shared else None
    if shared is None and not by_key:
        raise PayerFileError(f"{location}: names no member of a provider group; expected provider_groups")
    return LocationMembers(shared, by_key)
