"""Downloads from a real server that is slow, cuts off, changes its mind, lies or refuses."""

import base64
import hashlib
import json
import os
import time
import zlib
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from core.fetch.address import parse_address
from core.fetch.client import Client
from core.fetch.download import ABANDONED_AFTER, Download, Downloads, Unchanged
from core.fetch.partial_file import Version
from core.runtime.errors import FetchError
from tests.fetch.server import Server

CONTENT = os.urandom(300_000)
EXPIRED = b"""<?xml version="1.0" encoding="UTF-8"?>
<Error><Code>AccessDenied</Code><Message>Request has expired</Message><X-Amz-Expires>3600</X-Amz-Expires></Error>"""
AZURE = b"""<Error><Code>AuthenticationFailed</Code><Message>Server failed to authenticate the request.</Message>
<AuthenticationErrorDetail>Signature not valid in the specified time frame: Start [..] - Expiry [..]
</AuthenticationErrorDetail></Error>"""


def fetch(server: Server, downloads: Downloads, path: str, **options: Any) -> Download:
    return downloads.get(server.address(path), **options)


def problem(server: Server, downloads: Downloads, path: str) -> str:
    with pytest.raises(FetchError) as raised:
        fetch(server, downloads, path)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_a_file_arrives_and_is_deleted_when_done(server: Server, downloads: Downloads, tmp_path: Path) -> None:
    server.put("/in network/2025.json.gz", CONTENT)
    told: list[tuple[int, int]] = []
    found = fetch(server, downloads, "/in network/2025.json.gz", progress=lambda *at: told.append(at))
    assert found.path.read_bytes() == CONTENT
    assert found.path.name.endswith("-2025.json.gz")
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert told == sorted(told)
    downloads.done(found)
    assert list((tmp_path / "cache").iterdir()) == []


def test_what_was_cut_is_resumed_in_the_same_run(server: Server, downloads: Downloads) -> None:
    server.put("/a", CONTENT, cut=[100_000, 70_000])
    assert fetch(server, downloads, "/a").path.read_bytes() == CONTENT
    assert server.sent["/a"] == len(CONTENT)
    assert [headers.get("Range") for _, _, headers in server.requests] == [None, "bytes=100000-", "bytes=170000-"]


def test_what_was_cut_is_resumed_by_the_next_run_with_another_signature(server: Server, downloads: Downloads) -> None:
    server.put("/a", CONTENT, cut=[100_000, 0, 0])
    assert "was cut" in problem(server, downloads, "/a?X-Amz-Signature=one")
    assert fetch(server, downloads, "/a?X-Amz-Signature=two").path.read_bytes() == CONTENT
    assert server.sent["/a"] == len(CONTENT)


def test_a_file_that_changed_meanwhile_is_fetched_from_its_beginning(server: Server, downloads: Downloads) -> None:
    server.put("/a", CONTENT, cut=[100_000, 0, 0])
    problem(server, downloads, "/a")
    server.put("/a", CONTENT[::-1])
    assert fetch(server, downloads, "/a").path.read_bytes() == CONTENT[::-1]
    assert server.sent["/a"] == 100_000 + len(CONTENT)


def test_a_changed_file_from_a_server_that_ignores_if_range(server: Server, downloads: Downloads) -> None:
    """It sends the rest of the new file to one who has the beginning of the old one."""
    server.put("/a", CONTENT, cut=[100_000, 0, 0])
    problem(server, downloads, "/a")
    server.put("/a", CONTENT[::-1])
    server.pages["/a"].answers = [
        (206, {"Content-Range": f"bytes 100000-299999/{len(CONTENT)}", "ETag": '"new"'}, CONTENT[::-1][100_000:])
    ]
    assert fetch(server, downloads, "/a").path.read_bytes() == CONTENT[::-1]


@pytest.mark.parametrize("behaviour", [{"ranges": False}, {"etag": None}, {"etag": 'W/"weak"'}])
def test_without_ranges_or_a_strong_mark_it_begins_anew(
    server: Server, downloads: Downloads, behaviour: dict[str, Any]
) -> None:
    server.put("/a", CONTENT, cut=[100_000], **behaviour)
    assert fetch(server, downloads, "/a").path.read_bytes() == CONTENT
    assert server.sent["/a"] == 100_000 + len(CONTENT)


def test_a_part_longer_than_the_file_begins_anew(server: Server, downloads: Downloads) -> None:
    server.put("/a", CONTENT, etag='"same"', cut=[100_000, 0, 0])
    problem(server, downloads, "/a")
    server.put("/a", CONTENT[:50_000], etag='"same"')
    assert fetch(server, downloads, "/a").path.read_bytes() == CONTENT[:50_000]


def test_a_slow_server_is_waited_for_and_a_silent_one_is_not(
    server: Server, downloads: Downloads, client: Client
) -> None:
    server.put("/slow", CONTENT, pause=0.05)
    assert fetch(server, downloads, "/slow").path.read_bytes() == CONTENT
    client.patience = type(client.patience)(tries=2, backoff=0.01, silence=0.05)
    server.put("/silent", CONTENT, pause=1)
    assert "stopped sending" in problem(server, downloads, "/silent")
    assert server.asked["GET /silent"] == 2


def test_busy_servers_are_asked_again_when_they_say(server: Server, downloads: Downloads) -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=1), usegmt=True)
    server.put("/a", CONTENT, answers=[(429, {"Retry-After": "1"}, b""), (503, {"Retry-After": soon}, b"")])
    assert fetch(server, downloads, "/a").path.read_bytes() == CONTENT
    assert server.asked["GET /a"] == 3
    server.put("/later", CONTENT, answers=[(429, {"Retry-After": "7200"}, b"")])
    assert "asked to wait 7,200 s" in problem(server, downloads, "/later")
    assert server.asked["GET /later"] == 1
    server.put("/never", CONTENT, answers=[(502, {}, b"")] * 9)
    assert "cannot serve it now (502)" in problem(server, downloads, "/never")
    assert server.asked["GET /never"] == 3


def test_a_wrong_length_is_told(server: Server, downloads: Downloads) -> None:
    server.put("/a", CONTENT, length=len(CONTENT) + 5, ranges=False)
    assert "the connection was cut" in problem(server, downloads, "/a")
    server.put("/b", CONTENT, headers={"Content-Encoding": "br"})
    assert "encoding 'br'" in problem(server, downloads, "/b")


def digests(content: bytes) -> dict[str, str]:
    def b64(value: bytes) -> str:
        return base64.b64encode(value).decode()

    return {
        "Content-MD5": b64(hashlib.md5(content).digest()),
        "Digest": "sha-256=" + b64(hashlib.sha256(content).digest()),
        "Repr-Digest": f"unknown=:AAAA:, sha-512=:{b64(hashlib.sha512(content).digest())}:",
        "Content-Digest": f"sha-256=:{b64(hashlib.sha256(content).digest())}:",
        "x-amz-checksum-sha1": b64(hashlib.sha1(content).digest()),
        "x-amz-checksum-crc32": b64(zlib.crc32(content).to_bytes(4, "big")),
        "x-goog-hash": f"crc32c=AAAAAA==,md5={b64(hashlib.md5(content).digest())}",
        "x-ms-blob-content-md5": b64(hashlib.md5(content).digest()),
    }


@pytest.mark.parametrize("name", digests(b""))
def test_digests_are_checked_also_of_what_was_resumed(server: Server, downloads: Downloads, name: str) -> None:
    right, wrong = digests(CONTENT)[name], digests(b"other")[name]
    server.put("/right", CONTENT, headers={name: right})
    assert fetch(server, downloads, "/right").path.read_bytes() == CONTENT
    server.put("/wrong", CONTENT, headers={name: wrong})
    assert "does not have the" in problem(server, downloads, "/wrong")
    assert server.asked["GET /wrong"] == 2
    whole_only = name in {"Content-MD5", "Content-Digest"}
    server.put("/cut", CONTENT, headers={name: right if not whole_only else wrong}, cut=[100_000])
    assert fetch(server, downloads, "/cut").path.read_bytes() == CONTENT
    assert server.asked["GET /cut"] == 2, "the sum of what arrived before the cut is part of it"
    server.put("/once", CONTENT, headers={name: wrong}, before=_mend(name, right))
    assert fetch(server, downloads, "/once").path.read_bytes() == CONTENT


def _mend(name: str, right: str) -> Any:
    requests = []

    def before(page: Any) -> None:
        requests.append(page)
        if len(requests) > 1:
            page.headers[name] = right

    return before


@pytest.mark.parametrize("name", ["x-amz-checksum-crc32", "Digest"])
def test_digests_that_are_none_are_passed_over(server: Server, downloads: Downloads, name: str) -> None:
    server.put("/a", CONTENT, headers={name: "AAAAAA==-12", "x-amz-checksum-sha256": "???"})
    assert fetch(server, downloads, "/a").path.read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("status", "query", "body", "message"),
    [
        (403, "", EXPIRED, "the link's signature has expired; get a new link"),
        (403, "?X-Amz-Date=20250801T000000Z&X-Amz-Expires=3600&x-amz-signature=SECRET", b"", "2025-08-01 at 01:00 UTC"),
        (403, "?Expires=1754000000&Signature=SECRET&Key-Pair-Id=SECRET", b"", "expired on 2025-07-31 at 22:13 UTC"),
        (403, "?sv=2024&se=2025-08-01T00%3A00%3A00Z&sr=b&sp=r&sig=SECRET", b"", "expired on 2025-08-01 at 00:00 UTC"),
        (403, "?sig=SECRET", AZURE, "signature has expired; get"),
        (400, "", b"<Error><Code>ExpiredToken</Code><Message>SECRET</Message></Error>", "signature has expired; get"),
        (403, "?sig=SECRET", b"<Error><Code>SignatureDoesNotMatch</Code>SECRET</Error>", "(403 SignatureDoesNotMatch)"),
        (403, "", b"<Error><Code>AccessDenied</Code></Error>", "cut off at an &"),
        (404, "?sig=SECRET", b"", "no such file there (404)"),
        (410, "", b"", "no longer there (410)"),
        (401, "", b"", "a user name and password"),
        (418, "", b"SECRET", "the server answered 418"),
        (204, "", b"", "the server answered 204"),
    ],
)  # fmt: skip
def test_refusals_are_explained_without_secrets(
    server: Server, downloads: Downloads, status: int, query: str, body: bytes, message: str
) -> None:
    server.put("/a", answers=[(status, {}, body)] * 9)
    said = problem(server, downloads, f"/a{query}")
    assert message in said
    assert said.startswith(server.url("/a: "))
    assert "SECRET" not in said
    assert server.asked["GET /a"] == 1


def test_nothing_kept_on_disk_holds_a_secret(server: Server, downloads: Downloads, tmp_path: Path) -> None:
    server.put("/a", CONTENT, cut=[100_000, 0, 0])
    address = f"http://user:PASSWORD@127.0.0.1:{server.port}/a?X-Amz-Signature=SECRET"
    with pytest.raises(FetchError) as raised:
        downloads.get(parse_address(address))
    assert "PASSWORD" not in str(raised.value)
    assert server.requests[0][2]["Authorization"].startswith("Basic ")
    kept = list((tmp_path / "cache").iterdir())
    assert len(kept) == 2
    for path in kept:
        assert b"SECRET" not in path.read_bytes()
        assert b"PASSWORD" not in path.read_bytes()
        assert "SECRET" not in path.name


def test_sizes_are_limited_as_told_and_as_sent(server: Server, client: Client, tmp_path: Path) -> None:
    downloads = Downloads(client, tmp_path / "cache", limit=200_000)
    server.put("/told", CONTENT)
    assert "larger than the limit of 200,000 bytes" in problem(server, downloads, "/told")
    assert not list((tmp_path / "cache").glob("*.part"))
    huge = Downloads(client, tmp_path / "cache", limit=1 << 60)
    server.put("/huge", b"", length=1 << 59)
    assert "free in" in problem(server, huge, "/huge")


def test_a_file_at_hand_is_not_fetched_again_unless_it_changed(server: Server, downloads: Downloads) -> None:
    server.put("/a", CONTENT)
    first = fetch(server, downloads, "/a")
    downloads.done(first, "for good")
    second = fetch(server, downloads, "/a")
    assert second.path.read_bytes() == CONTENT
    assert server.sent["/a"] == len(CONTENT)
    downloads.done(second, "for good")
    server.put("/a", CONTENT[::-1])
    third = fetch(server, downloads, "/a")
    assert third.path.read_bytes() == CONTENT[::-1]
    downloads.done(third, "for good")
    with pytest.raises(Unchanged):
        fetch(server, downloads, "/a", have=third.version)


@pytest.mark.parametrize(
    ("behaviour", "unchanged"),
    [
        ({}, True),
        ({"headers": {"Last-Modified": "Fri, 01 Aug 2025 00:00:00 GMT"}, "etag": None}, True),
        ({"etag": None}, False),
    ],
)
def test_what_the_caller_has_is_not_fetched_where_that_is_sure(
    server: Server, downloads: Downloads, behaviour: dict[str, Any], unchanged: bool
) -> None:
    server.put("/a", CONTENT, **behaviour)
    found = fetch(server, downloads, "/a")
    downloads.done(found)
    if unchanged:
        with pytest.raises(Unchanged):
            fetch(server, downloads, "/a", have=found.version)
        with pytest.raises(FetchError):
            fetch(server, downloads, "/none", have=found.version)
    else:
        assert fetch(server, downloads, "/a", have=found.version).path.read_bytes() == CONTENT


def test_a_file_is_one_command_s_at_a_time(server: Server, downloads: Downloads) -> None:
    server.put("/a", CONTENT)
    first = fetch(server, downloads, "/a")
    assert "another command is downloading this file" in problem(server, downloads, "/a")
    downloads.done(first)
    downloads.done(fetch(server, downloads, "/a"))


def test_abandoned_parts_are_deleted(server: Server, client: Client, downloads: Downloads, tmp_path: Path) -> None:
    server.put("/a", CONTENT, cut=[100_000, 0, 0])
    problem(server, downloads, "/a")
    kept = list((tmp_path / "cache").glob("*.part*"))
    for path in kept:
        os.utime(path, (0, time.time() - ABANDONED_AFTER - 9))
    Downloads(client, tmp_path / "cache", limit=1)
    assert not any(path.exists() for path in kept)


def test_broken_notes_beside_a_part_are_no_trouble(server: Server, downloads: Downloads, tmp_path: Path) -> None:
    server.put("/a", CONTENT, cut=[100_000, 0, 0])
    problem(server, downloads, "/a")
    (facts,) = (tmp_path / "cache").glob("*.json")
    for broken in (b"", b"[]", json.dumps({"version": {"x": 1}, "whole": True}).encode()):
        facts.write_bytes(broken)
        found = fetch(server, downloads, "/a")
        assert found.path.read_bytes() == CONTENT
        downloads.done(found, "for good")


def test_a_directory_that_cannot_be_written_is_told(server: Server, client: Client, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    server.put("/a", CONTENT)
    said = problem(server, Downloads(client, tmp_path / "file" / "cache", 1 << 40), "/a")
    assert "cannot be saved in" in said
    assert "BEACONPOINT_CACHE_DIR" in said


def test_versions() -> None:
    assert Version('"a"', "x", 1).same_as(Version('"a"', "y", 2))
    assert not Version('"a"', "x", 1).same_as(Version('"b"', "x", 1))
    assert not Version('"a"', "x", 1).same_as(Version(None, "x", 1))
    assert not Version(None, "x", None).same_as(Version(None, "x", None))
    assert not Version().same_as(Version())
