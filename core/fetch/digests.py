"""Find the digest that a server states for a file, and check whether what arrived has it."""

import base64
import binascii
import hashlib
import re
import zlib
from typing import Protocol

from core.fetch.client import HttpResponse


class _Hash(Protocol):
    def update(self, data: bytes, /) -> None: ...
    def digest(self) -> bytes: ...


class _Crc32:
    def __init__(self) -> None:
        self._value = 0

    def update(self, data: bytes, /) -> None:
        self._value = zlib.crc32(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(4, "big")


_SIZES = {"sha-256": 32, "sha-512": 64, "sha": 20, "md5": 16, "crc32": 4}
"""The algorithms in order of preference, and the bytes of their digests."""


class ExpectedDigest:
    """A digest that a file should have; `name` is the algorithm's name in RFC 9530."""

    def __init__(self, name: str, expected: bytes) -> None:
        self.name = name
        self._expected = expected
        plain = name.replace("-", "") if name != "sha" else "sha1"
        self._hash: _Hash = _Crc32() if name == "crc32" else hashlib.new(plain, usedforsecurity=False)

    def update(self, data: bytes) -> None:
        """Add what has arrived, in order."""
        self._hash.update(data)

    @property
    def matches(self) -> bool:
        """Whether what was added has the digest."""
        return self._hash.digest() == self._expected


def promised_digest(response: HttpResponse) -> ExpectedDigest | None:
    """Return the strongest digest of the whole file that a response states and this program can compute, or None.

    Repr-Digest (RFC 9530), Digest (RFC 3230), x-amz-checksum-*, x-goog-hash and x-ms-blob-content-md5 are of the whole
    file, Content-Digest and Content-MD5 of what this response contains. S3's checksum of checksums (`…-12`, for a file
    uploaded in 12 parts) is not a digest of the file; its length gives it away.
    """
    headers = response.headers
    found: dict[str, str] = {}
    fields = [headers.get("digest", ""), headers.get("repr-digest", "")]
    if not ("x-goog-stored-content-encoding" in headers and _unpacked_on_the_way(headers)):
        fields.append(headers.get("x-goog-hash", ""))
    for name, field in (("sha-256", "sha256"), ("sha", "sha1"), ("crc32", "crc32")):
        fields.append(f"{name}={headers.get('x-amz-checksum-' + field, '')}")
    fields.append(f"md5={headers.get('x-ms-blob-content-md5', '')}")
    if response.status == 200:
        fields += [headers.get("content-digest", ""), f"md5={headers.get('content-md5', '')}"]
    for field in fields:
        for name, value in re.findall(r"([A-Za-z0-9-]+)\s*=\s*:?([A-Za-z0-9+/=]*):?\s*(?:[,;]|$)", field):
            if value:
                found.setdefault({"sha-1": "sha"}.get(name.lower(), name.lower()), value)
    for name, size in _SIZES.items():
        try:
            expected = base64.b64decode(found.get(name, ""), validate=True)
        except (binascii.Error, ValueError):
            continue
        if len(expected) == size:
            return ExpectedDigest(name, expected)
    return None


def _unpacked_on_the_way(headers: dict[str, str]) -> bool:
    """Return whether Google's storage unpacked a gzip file on the way: the hash is then that of the packed file."""
    return headers["x-goog-stored-content-encoding"] == "gzip" and "gzip" not in headers.get("content-encoding", "")
