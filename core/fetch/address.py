"""Web addresses: read strictly, shown without what may be secret in them."""

import hashlib
import ipaddress
import re
from base64 import b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlencode, urljoin, urlsplit

from core.runtime.errors import FetchError

_PORTS = {"http": 80, "https": 443}
_LONGEST = 16_384
_IN_PATH = "/%:@!$&'()*+,;=~-._"
_IN_QUERY = _IN_PATH + "?"

_A_MOMENT = 1_400_000_000
"""Numbers above this are moments in seconds since 1970, not lengths of time."""

_SIGNATURE = re.compile(
    r"x-(amz|goog|oss|cos)-.*|awsaccesskeyid|googleaccessid|signature|sig|expires|policy|key-pair-id|(access_?)?token|"
    r"hdn(ts|ea)|__token__|se|sp|sv|sr|st|si|ss|srt|spr|sk(oid|tid|t|e|s|v)",
    re.IGNORECASE,
)
_AZURE_ONLY = re.compile(r"se|sp|sv|sr|st|si|ss|srt|spr|sk.*", re.IGNORECASE)


@dataclass(frozen=True, repr=False)
class Address:
    """An http or https address. Its text is `public`, so that no message shows a signature by accident.

    `target` is what the server is asked for, path and query; `credentials` are a user's name and password.
    """

    scheme: Literal["http", "https"]
    host: str
    port: int
    target: str
    credentials: str | None = None

    def __str__(self) -> str:
        return self.public

    __repr__ = __str__

    @property
    def netloc(self) -> str:
        """Host and port, as they stand in an address; without the port where it is the usual one."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def origin(self) -> tuple[str, str, int]:
        """Whom credentials may be sent to again."""
        return self.scheme, self.host, self.port

    @property
    def public(self) -> str:
        """The address without query string and credentials: what is stored, logged and shown."""
        return f"{self.scheme}://{self.netloc}{self.target.partition('?')[0]}"

    @property
    def name(self) -> str:
        """The last part of the path, in plain text."""
        return unquote(self.target.partition("?")[0].rstrip("/").rpartition("/")[2]) or self.host

    @property
    def complete(self) -> bool:
        """Whether `public` is the whole address."""
        return "?" not in self.target and self.credentials is None

    @property
    def identity(self) -> str:
        """32 hex digits that tell files apart: equal for addresses that differ only in their signature."""
        path, _, query = self.target.partition("?")
        pairs = parse_qsl(query, keep_blank_values=True)
        azure = any(key.lower() == "sig" for key, _ in pairs)
        kept = [(k, v) for k, v in pairs if not _SIGNATURE.fullmatch(k) or (_AZURE_ONLY.fullmatch(k) and not azure)]
        text = f"{self.scheme}://{self.netloc}{path}?{urlencode(kept)}"
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    @property
    def authorization(self) -> str | None:
        """The credentials as the value of a header."""
        return None if self.credentials is None else "Basic " + b64encode(self.credentials.encode()).decode()

    @property
    def expired_at(self) -> datetime | None:
        """When the address's signature ended, if it says so and has ended."""
        query = {key.lower(): value for key, value in parse_qsl(self.target.partition("?")[2])}
        end = _signature_end(query)
        return end if end and end < datetime.now(UTC) else None

    def redirected(self, location: str) -> "Address":
        """Where a redirect leads; credentials stay with the origin they were given for. Raises FetchError."""
        found = parse_address(urljoin(f"{self.scheme}://{self.netloc}{self.target}", location))
        if self.scheme == "https" and found.scheme == "http":
            raise FetchError(f"{self}: sends on to an unencrypted address, {found}; https must stay https")
        if found.origin == self.origin and found.credentials is None:
            return Address(found.scheme, found.host, found.port, found.target, self.credentials)
        return found


def looks_remote(text: str) -> bool:
    """Whether a source given by the user is meant as a web address, not as a path."""
    return bool(re.match(r"\s*(https?:|[a-z][a-z0-9+.-]*://)", text, re.IGNORECASE))


def parse_address(text: str) -> Address:
    """Reads an address. Raises FetchError for all that is no http or https address of a host."""
    text = text.strip()
    parts = _split(text)
    scheme = parts.scheme.lower()
    if scheme not in _PORTS or not parts.netloc:
        raise _refused(text, "expected an address that begins with https:// or http://")
    try:
        port = parts.port
    except ValueError:
        raise _refused(text, "the port is no number") from None
    port = _PORTS[scheme] if port is None else port
    host = _host(text, parts.hostname or "", bracketed="[" in parts.netloc)
    target = quote(parts.path or "/", safe=_IN_PATH)
    if parts.query:
        target += "?" + quote(parts.query, safe=_IN_QUERY)
    user, at, _ = parts.netloc.rpartition("@")
    return Address("https" if scheme == "https" else "http", host, port, target, unquote(user) if at else None)


def _split(text: str) -> SplitResult:
    if len(text) > _LONGEST or re.search(r"[\x00-\x20\x7f\\]", re.split("[?#]|(?<=[^/:])/", text)[0]):
        raise _refused(text, "too long, or with characters that no address has")
    if re.search(r"[\x00-\x1f\x7f]", text):
        raise _refused(text, "it has control characters")
    try:
        return urlsplit(text)
    except ValueError:
        raise _refused(text, "not an address") from None


def _host(text: str, name: str, *, bracketed: bool) -> str:
    if bracketed:
        try:
            return str(ipaddress.IPv6Address(name)) if "%" not in name else _no_host(text)
        except ValueError:
            return _no_host(text)
    try:
        host = name.encode("idna").decode("ascii").lower().rstrip(".")
    except UnicodeError:
        return _no_host(text)
    if not re.fullmatch(r"[a-z0-9_]([a-z0-9._-]*[a-z0-9_])?", host):
        return _no_host(text)
    if re.fullmatch(r"\d+|0x[0-9a-f]*", host.rpartition(".")[2]):
        # What ends in a number is an IPv4 address, which many programs read in odd ways: octal, hex, in one number.
        try:
            return str(ipaddress.IPv4Address(host))
        except ValueError:
            raise _refused(text, "an IPv4 address is four decimal numbers such as 192.0.2.1") from None
    return host


def _no_host(text: str) -> str:
    raise _refused(text, "it names no host")


def redact_url(text: str) -> str:
    """What may be shown of a text that is no readable address: no query string, no credentials, 200 characters."""
    found = re.sub(r"(?<=//).*@", "", re.split("[?#]", text)[0])
    return "".join(c if c.isprintable() else "\ufffd" for c in found)[:200]


def _refused(text: str, why: str) -> FetchError:
    return FetchError(f"{redact_url(text)}: cannot be fetched: {why}")


def _signature_end(query: dict[str, str]) -> datetime | None:
    """When a signature ends: S3 and Google (start and seconds), Azure (se), CloudFront and older ones (Expires)."""
    try:
        for maker in ("x-amz", "x-goog"):
            if f"{maker}-date" in query and f"{maker}-expires" in query:
                start = datetime.strptime(query[f"{maker}-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
                return start + timedelta(seconds=int(query[f"{maker}-expires"]))
        if "se" in query and "sig" in query:
            end = datetime.fromisoformat(query["se"])
            return end if end.tzinfo else end.replace(tzinfo=UTC)
        if int(query.get("expires", 0)) > _A_MOMENT:
            return datetime.fromtimestamp(int(query["expires"]), UTC)
    except (ValueError, OverflowError, OSError):
        pass
    return None
