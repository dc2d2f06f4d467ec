"""Parse web addresses strictly, and show them without what may be secret in them."""

import hashlib
import ipaddress
import re
from base64 import b64encode
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal, NoReturn
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlencode, urljoin, urlsplit

from core.runtime.errors import FetchError

_PORTS = {"http": 80, "https": 443}
_MAX_CHARACTERS = 16_384
_SAFE_IN_PATH = "/%:@!$&'()*+,;=~-._"
_SAFE_IN_QUERY = _SAFE_IN_PATH + "?"
"""Characters that are sent as they are; others are percent-encoded."""

_FIRST_TIMESTAMP = 1_400_000_000
"""A larger number in `expires` is a time in seconds since 1970 (this one is in 2014), a smaller one a duration."""

_SIGNATURE = re.compile(
    r"x-(amz|goog|oss|cos)-.*|awsaccesskeyid|googleaccessid|signature|sig|expires|policy|key-pair-id|(access_?)?token|"
    r"hdn(ts|ea)|__token__|se|sp|sv|sr|st|si|ss|srt|spr|sk(oid|tid|t|e|s|v)",
    re.IGNORECASE,
)
"""The query parameters of signed links: S3, Google, Alibaba, Tencent, CloudFront, Akamai, Azure."""
_FILE_NAME = re.compile(r"[\w./ ()+,~-]{1,200}\.(json|gz|zip)", re.ASCII | re.IGNORECASE)
_AZURE_ONLY = re.compile(r"se|sp|sv|sr|st|si|ss|srt|spr|sk.*", re.IGNORECASE)
"""Of these, Azure's short names, which belong to a signature only beside `sig`: elsewhere `st` may be a state."""


@dataclass(frozen=True, repr=False)
class Address:
    """An http or https address. Its text is `public`, so that no message shows a signature by accident.

    `target` is the path and query that the server is asked for; `credentials` are `user:password`.
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
        """Host and port as written in an address, without the port if it is the default one."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def origin(self) -> tuple[str, str, int]:
        """Where credentials may be sent again after a redirect."""
        return self.scheme, self.host, self.port

    @property
    def public(self) -> str:
        """The address without credentials and query string, which is what is stored, logged and shown.

        Of the query string, a parameter stays that names the file, if the path does not.
        """
        named = self._file_parameter
        query = f"?{urlencode([named], safe='/', quote_via=quote)}" if named else ""
        return f"{self.scheme}://{self.netloc}{self.target.partition('?')[0]}{query}"

    @property
    def name(self) -> str:
        """The last part of the path, decoded, or what names the file instead; the host if the path is empty."""
        if named := self._file_parameter:
            return named[1].rpartition("/")[2]
        return unquote(self.target.partition("?")[0].rstrip("/").rpartition("/")[2]) or self.host

    @property
    def _file_parameter(self) -> tuple[str, str] | None:
        """The query parameter that names the file, if the path does not: /download?fn=NAME.json.gz."""
        path, _, query = self.target.partition("?")
        if not query or _FILE_NAME.fullmatch(unquote(path.rpartition("/")[2])):
            return None
        pairs = parse_qsl(query)
        return next((p for p in pairs if _FILE_NAME.fullmatch(p[1]) and not _SIGNATURE.fullmatch(p[0])), None)

    @property
    def complete(self) -> bool:
        """Whether `public` is the whole address."""
        return "?" not in self.target and self.credentials is None

    @property
    def identity(self) -> str:
        """32 hex digits that identify the file: equal for addresses that differ only in their signature."""
        path, _, query = self.target.partition("?")
        pairs = parse_qsl(query, keep_blank_values=True)
        azure = any(key.lower() == "sig" for key, _ in pairs)
        kept = [(k, v) for k, v in pairs if not _SIGNATURE.fullmatch(k) or (_AZURE_ONLY.fullmatch(k) and not azure)]
        text = f"{self.scheme}://{self.netloc}{path}?{urlencode(kept)}"
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    @property
    def authorization(self) -> str | None:
        """The credentials as the value of the header Authorization."""
        return None if self.credentials is None else "Basic " + b64encode(self.credentials.encode()).decode()

    @property
    def expired_at(self) -> datetime | None:
        """When the address's signature expired, if it says so and has expired."""
        query = {key.lower(): value for key, value in parse_qsl(self.target.partition("?")[2])}
        end = _signature_end(query)
        return end if end and end < datetime.now(UTC) else None

    def redirected(self, location: str) -> "Address":
        """Return where a redirect leads, with the credentials only if the origin is the same.

        Raise FetchError if it is not a web address or leaves https.
        """
        found = parse_address(urljoin(f"{self.scheme}://{self.netloc}{self.target}", location))
        if self.scheme == "https" and found.scheme == "http":
            raise FetchError(f"{self}: redirects to an unencrypted address, {found}; https must stay https")
        if found.origin == self.origin and found.credentials is None:
            return replace(found, credentials=self.credentials)
        return found


def looks_remote(text: str) -> bool:
    """Return whether a source named by the user is meant as a web address and not as a path."""
    return bool(re.match(r"\s*(https?:|[a-z][a-z0-9+.-]*://)", text, re.IGNORECASE))


def parse_address(text: str) -> Address:
    """Parse an address. Raise FetchError if it is not an http or https address of a host."""
    text = text.strip()
    parts = _split(text)
    scheme = parts.scheme.lower()
    if scheme not in _PORTS or not parts.netloc:
        raise _refused(text, "expected an address that begins with https:// or http://")
    try:
        port = parts.port
    except ValueError:
        raise _refused(text, "the port is not a number") from None
    port = _PORTS[scheme] if port is None else port
    host = _parse_host(text, parts.hostname or "", bracketed="[" in parts.netloc)
    target = quote(parts.path or "/", safe=_SAFE_IN_PATH)
    if parts.query:
        target += "?" + quote(parts.query, safe=_SAFE_IN_QUERY)
    user, at, _ = parts.netloc.rpartition("@")
    return Address(
        scheme="https" if scheme == "https" else "http",
        host=host,
        port=port,
        target=target,
        credentials=unquote(user) if at else None,
    )


def _split(text: str) -> SplitResult:
    # Only host and port are checked for spaces and backslashes: a path may contain them, and is encoded below.
    if len(text) > _MAX_CHARACTERS or re.search(r"[\x00-\x20\x7f\\]", re.split("[?#]|(?<=[^/:])/", text)[0]):
        raise _refused(text, "it is too long, or its host has characters that no address has")
    if re.search(r"[\x00-\x1f\x7f]", text):
        raise _refused(text, "it contains control characters")
    try:
        return urlsplit(text)
    except ValueError:
        raise _refused(text, "it is not an address") from None


def _parse_host(text: str, name: str, *, bracketed: bool) -> str:
    if bracketed:
        try:
            # A zone (fe80::1%eth0) names an interface of this machine, so such an address is never public.
            return str(ipaddress.IPv6Address(name)) if "%" not in name else _refuse_host(text)
        except ValueError:
            return _refuse_host(text)
    try:
        host = name.encode("idna").decode("ascii").lower().rstrip(".")
    except UnicodeError:
        return _refuse_host(text)
    if not re.fullmatch(r"[a-z0-9_]([a-z0-9._-]*[a-z0-9_])?", host):
        return _refuse_host(text)
    if re.fullmatch(r"\d+|0x[0-9a-f]*", host.rpartition(".")[2]):
        # A host that ends in a number is an IPv4 address. Many programs also accept octal, hex and single numbers for
        # it, and a check that reads it in one way and a connection that reads it in another are a hole.
        try:
            return str(ipaddress.IPv4Address(host))
        except ValueError:
            raise _refused(text, "an IPv4 address is four decimal numbers such as 192.0.2.1") from None
    return host


def _refuse_host(text: str) -> NoReturn:
    raise _refused(text, "it does not name a host")


def redact_url(text: str) -> str:
    """Return a text without query string and credentials and within 200 characters, even if it is not an address."""
    found = re.sub(r"(?<=//).*@", "", re.split("[?#]", text)[0])
    return "".join(c if c.isprintable() else "\ufffd" for c in found)[:200]


def _refused(text: str, why: str) -> FetchError:
    return FetchError(f"{redact_url(text)}: cannot be fetched: {why}")


def _signature_end(query: dict[str, str]) -> datetime | None:
    """Return when a signature expires, or None if it does not say.

    S3 and Google write a start and a duration in seconds, Azure the end (se), CloudFront and older ones a timestamp
    (Expires).
    """
    try:
        for maker in ("x-amz", "x-goog"):
            if f"{maker}-date" in query and f"{maker}-expires" in query:
                start = datetime.strptime(query[f"{maker}-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
                return start + timedelta(seconds=int(query[f"{maker}-expires"]))
        if "se" in query and "sig" in query:
            end = datetime.fromisoformat(query["se"])
            return end if end.tzinfo else end.replace(tzinfo=UTC)
        if int(query.get("expires", 0)) > _FIRST_TIMESTAMP:
            return datetime.fromtimestamp(int(query["expires"]), UTC)
    except (ValueError, OverflowError, OSError):
        pass
    return None
