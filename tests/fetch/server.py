"""A web server on loopback that does what payers' servers do, good and bad."""

import gzip
import hashlib
import re
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import unquote

from core.fetch.address import Address, parse_address


@dataclass
class Page:
    """One path's behaviour. `answers` are statuses given before the content is, each with headers and a body."""

    content: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    answers: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)
    ranges: bool = True
    cut: list[int] = field(default_factory=list)
    """How many bytes of the body are sent before the connection is cut, request by request."""
    length: int | None = None
    """What Content-Length claims where that is wrong."""
    etag: str | None = "of the content"
    pause: float = 0
    """Seconds before each piece of the body."""
    head: bool = True
    before: Callable[["Page"], None] | None = None

    def tag(self) -> str | None:
        return f'"{hashlib.md5(self.content).hexdigest()}"' if self.etag == "of the content" else self.etag


class Server:
    """Serves `pages` on 127.0.0.1; `asked` counts requests by method and path, `sent` the bytes of bodies.

    `most_at_once` is how many were in their page's `before` at the same time.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.pages: dict[str, Page] = {}
        self.asked: Counter[str] = Counter()
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.sent: Counter[str] = Counter()
        self.at_once = self.most_at_once = 0
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.server_names: list[str] = []
        if tls:
            tls.sni_callback = lambda _socket, name, _context: self.server_names.append(name)
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
            self._server.handle_error = lambda *_: None  # type: ignore[method-assign]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def address(self, path: str) -> Address:
        return parse_address(self.url(path))

    def put(self, path: str, content: bytes = b"", **behaviour: Any) -> str:
        """Serve a page and return its address."""
        self.pages[path.partition("?")[0]] = Page(content, **behaviour)
        return self.url(path)

    @contextmanager
    def _busy(self) -> Iterator[None]:
        # Until the answer begins, no longer: who has it may ask for the next before this thread runs again.
        with self._lock:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            yield
        finally:
            with self._lock:
                self.at_once -= 1

    def redirect(self, path: str, location: str) -> str:
        return self.put(path, answers=[(302, {"Location": location}, b"")] * 1000)

    def _handler(server: Self) -> type[BaseHTTPRequestHandler]:  # noqa: N805 - `self` is the handler's
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: Any) -> None:
                pass

            def do_GET(self) -> None:
                self._count(body=True)

            def do_HEAD(self) -> None:
                self._count(body=False)

            def _count(self, *, body: bool) -> None:
                path = unquote(self.path.partition("?")[0])
                with server._lock:
                    server.asked[f"{self.command} {path}"] += 1
                    server.requests.append((self.command, self.path, dict(self.headers)))
                try:
                    self._answer(path, body=body)
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

            def _answer(self, path: str, *, body: bool) -> None:
                page = server.pages.get(path)
                if page is None:
                    return self._send(404, {}, b"nothing here", body=body)
                if page.before:
                    with server._busy():
                        page.before(page)
                if not page.head and self.command == "HEAD":
                    return self._send(403, {}, b"", body=False)
                if page.answers:
                    status, headers, text = page.answers.pop(0)
                    return self._send(status, headers, text, body=body)
                return self._send_page(path, page, body=body)

            def _send_page(self, path: str, page: Page, *, body: bool) -> None:
                headers, content, status, tag = dict(page.headers), page.content, 200, page.tag()
                if tag:
                    headers["ETag"] = tag
                if tag and self.headers.get("If-None-Match") == tag:
                    return self._send(304, headers, b"", body=False)
                wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
                if wanted and page.ranges and self.headers.get("If-Range", tag) == tag:
                    first, last = int(wanted[1]), min(int(wanted[2] or 1 << 60), len(content) - 1)
                    if first >= len(content):
                        return self._send(416, {**headers, "Content-Range": f"bytes */{len(content)}"}, b"", body=body)
                    headers["Content-Range"] = f"bytes {first}-{last}/{len(content)}"
                    content, status = content[first : last + 1], 206
                cut = page.cut.pop(0) if body and page.cut else None
                length = len(content) if page.length is None else page.length
                self._start(status, {**headers, "Content-Length": str(length)})
                if body:
                    for start in range(0, len(content[:cut]), 1 << 16):
                        time.sleep(page.pause)
                        piece = content[:cut][start : start + (1 << 16)]
                        # Counted first: a client that has the last byte asks for the count at once.
                        server.sent[path] += len(piece)
                        self.wfile.write(piece)
                if cut is not None or length != len(content):
                    self.close_connection = True
                return None

            def _send(self, status: int, headers: dict[str, str], text: bytes, *, body: bool) -> None:
                self._start(status, {**headers, "Content-Length": str(len(text))})
                if body:
                    self.wfile.write(text)

            def _start(self, status: int, headers: dict[str, str]) -> None:
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()

        return Handler


def bomb(size: int) -> bytes:
    """White space in gzip, in gzip again."""
    return gzip.compress(gzip.compress(b" " * size, 9), 9)
