"""Send a request and follow its redirects, each of which has to pass the guard."""

import logging
import ssl
import threading
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.fetch.address import Address
from core.fetch.refusals import explain_refusal
from core.runtime.errors import FetchError

if TYPE_CHECKING:
    # Importing the library and reading the system's certificates takes a quarter of the time that a small file on disk
    # is loaded in, so both wait for the first request.
    import httpcore2

    from core.fetch.guard import IpNetwork

MAX_REDIRECTS = 10
_REDIRECT_STATUSES = {301, 302, 303, 307, 308}
_HEAD_BYTES = 8192
_USER_AGENT = "BeaconPoint (price transparency; machine-readable files)"

# At the level of debug, httpcore2 logs whole addresses, signatures included.
logging.getLogger("httpcore2").setLevel(logging.WARNING)


@dataclass(frozen=True)
class Patience:
    """How long to wait and how often to try. All values but `tries` are in seconds."""

    tries: int = 6
    """Attempts in a row without progress before a file is given up."""
    backoff: float = 1.0
    """The wait after the first failure. It doubles with each further one."""
    max_wait: float = 300.0
    """The longest single wait. A server that asks for a longer one is not waited for."""
    connect: float = 15.0
    silence: float = 60.0
    """A connection on which nothing arrives for this long counts as cut."""


@dataclass(frozen=True)
class HttpResponse:
    """A server's response: its headers by lower-case name, and the address it came from after redirects."""

    status: int
    headers: dict[str, str]
    address: Address
    _response: "httpcore2.Response"

    def chunks(self) -> Iterator[bytes]:
        """Yield the body as it arrives. Raise FetchError if it ends too early."""
        with _plain_errors(self.address):
            yield from self._response.iter_stream()

    def head(self) -> bytes:
        """Return the first few kilobytes of the body, which may explain an error."""
        found = b""
        try:
            for chunk in self.chunks():
                found += chunk
                if len(found) >= _HEAD_BYTES:
                    break
        except FetchError:
            pass
        return found[:_HEAD_BYTES]

    def refusal(self, address: Address) -> FetchError:
        """Return the error for a response to a request for `address` that is not the file."""
        return explain_refusal(address, self.status, self.headers, self.head())

    def length(self) -> int | None:
        """Return the length of the body, or None if the server does not say."""
        text = self.headers.get("content-length", "")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None


class Client:
    """A client for public hosts, and for hosts in the networks of `also`. Several threads may use it."""

    def __init__(self, also: "Iterable[IpNetwork]" = (), patience: Patience | None = None) -> None:
        self.patience = patience or Patience()
        self.stopped = threading.Event()
        """Set this to make waiting and downloading threads end soon."""
        self._also = tuple(also)
        self._opening = threading.Lock()
        self._pool: httpcore2.ConnectionPool | None = None

    def close(self) -> None:
        """End requests in progress and close all connections."""
        self.stopped.set()
        with self._opening:
            if self._pool is not None:
                self._pool.close()

    @contextmanager
    def request(
        self, address: Address, headers: dict[str, str] | None = None, method: str = "GET"
    ) -> Iterator[HttpResponse]:
        """Yield the response to a request, whatever its status, after redirects. Raise FetchError if none comes."""
        with ExitStack() as stack:
            yield self._follow_redirects(stack, address, headers or {}, method)

    def _follow_redirects(
        self, stack: ExitStack, address: Address, headers: dict[str, str], method: str
    ) -> HttpResponse:
        asked = address
        try:
            for _ in range(MAX_REDIRECTS + 1):
                with _plain_errors(asked):
                    response = stack.enter_context(self._send(asked, headers, method))
                found = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
                if response.status not in _REDIRECT_STATUSES or "location" not in found:
                    return HttpResponse(response.status, found, asked, response)
                stack.close()
                asked = asked.redirected(found["location"])
        except FetchError as error:
            if asked is address:
                raise
            raise error.with_more(f"(redirected there by {address})") from None
        raise FetchError(
            f"{address}: redirected more than {MAX_REDIRECTS} times, perhaps in a circle; report it to the payer"
        )

    def _send(
        self, address: Address, headers: dict[str, str], method: str
    ) -> "AbstractContextManager[httpcore2.Response]":
        import httpcore2  # noqa: PLC0415 - see above

        sent = {
            "Host": address.netloc,
            "User-Agent": _USER_AGENT,
            "Accept": "*/*",
            "Accept-Encoding": "identity",
            **headers,
        }
        if address.authorization:
            sent["Authorization"] = address.authorization
        url = httpcore2.URL(scheme=address.scheme, host=address.host, port=address.port, target=address.target)
        waits = {"connect": self.patience.connect, "read": self.patience.silence, "write": self.patience.silence}
        return self._open_pool().stream(method, url, headers=list(sent.items()), extensions={"timeout": waits})

    def _open_pool(self) -> "httpcore2.ConnectionPool":
        import httpcore2  # noqa: PLC0415 - see above

        from core.fetch.guard import Guard  # noqa: PLC0415

        with self._opening:
            if self._pool is None:
                self._pool = httpcore2.ConnectionPool(
                    ssl_context=httpcore2.default_ssl_context(),
                    max_connections=None,
                    keepalive_expiry=30,
                    network_backend=Guard(self._also),
                )
            return self._pool


@contextmanager
def _plain_errors(address: Address) -> Iterator[None]:
    """Turn the library's exceptions into one line that contains no query string."""
    import httpcore2  # noqa: PLC0415 - see above

    try:
        yield
    except (httpcore2.ConnectTimeout, httpcore2.PoolTimeout):
        raise FetchError(
            f"{address}: the host does not answer; try again later", temporary=True, host_failed=True
        ) from None
    except httpcore2.ConnectError as error:
        cause = error.args[0] if error.args else None  # where the library keeps the system's error
        if isinstance(cause, ssl.SSLCertVerificationError):
            raise FetchError(
                f"{address}: the host's certificate cannot be trusted: {cause.verify_message}", host_failed=True
            ) from None
        why = (cause.strerror if isinstance(cause, OSError) else None) or "the connection failed"
        raise FetchError(
            f"{address}: cannot connect: {why}; try again later", temporary=True, host_failed=True
        ) from None
    except httpcore2.TimeoutException:
        raise FetchError(f"{address}: the server stopped sending; try again later", temporary=True) from None
    except (httpcore2.NetworkError, httpcore2.ProtocolError):
        raise FetchError(f"{address}: the connection was cut; try again later", temporary=True) from None
    except httpcore2.UnsupportedProtocol:
        raise FetchError(f"{address}: cannot be fetched: expected http or https") from None
