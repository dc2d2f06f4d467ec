"""Visit the site over a data directory, and read its pages and downloads."""

import csv
import io
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.test import Client

from core.pages.serving.health import answer_health_first


class Visitor(Client):
    """A browser of the site that follows redirects, such as from another spelling of an address."""

    def get(self, *arguments: Any, **options: Any) -> Any:
        """Request a page, and the one it redirects to."""
        return super().get(*arguments, **{"follow": True, **options})


@contextmanager
def serving(root: Path) -> Iterator[None]:
    """Let commands and pages use a data directory. It stays open for the next test, see kept_readers.py."""
    before = settings.BEACONPOINT_DATA_DIR
    settings.BEACONPOINT_DATA_DIR = root
    try:
        yield
    finally:
        settings.BEACONPOINT_DATA_DIR = before


@dataclass(frozen=True)
class HealthAnswer:
    """What an address for monitoring has answered."""

    status: int
    text: str
    headers: dict[str, str]


def _never_asked(_environ: Any, _start_response: Any) -> Any:
    raise AssertionError("the site was asked")


def ask_health(path: str, method: str = "GET") -> HealthAnswer:
    """Ask an address for monitoring as a server does, under a host name that the site does not have.

    Raises AssertionError if the site itself is asked.
    """
    answered: list[Any] = []
    environ = {"PATH_INFO": path, "REQUEST_METHOD": method, "HTTP_HOST": "198.51.100.7", "wsgi.url_scheme": "http"}
    application = answer_health_first(_never_asked)
    body = b"".join(application(environ, lambda status, headers: answered.append((status, dict(headers)))))
    ((status, headers),) = answered
    return HealthAnswer(int(status.split(" ")[0]), body.decode(), headers)


def text_of(response: Any) -> str:
    """Return what a reader reads: the page without its tags, white space collapsed."""
    assert response["Content-Type"].startswith("text/html")
    content = response.content.decode().split("<main", 1)[1]
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", content)))


class _Table(HTMLParser):
    """The cells of every table of a page that is not folded."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: list[list[list[str]]] = []
        self._cell = False
        self._folded = 0

    def handle_starttag(self, tag: str, _attrs: list[tuple[str, str | None]]) -> None:
        self._folded += tag == "details"
        if self._folded:
            return
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in {"td", "th"}:
            self.tables[-1][-1].append("")
            self._cell = True

    def handle_endtag(self, tag: str) -> None:
        self._folded -= tag == "details"
        self._cell = self._cell and tag not in {"td", "th"}

    def handle_data(self, data: str) -> None:
        if self._cell:
            self.tables[-1][-1][-1] = f"{self.tables[-1][-1][-1]} {data.strip()}".strip()


def tables(response: Any) -> list[list[list[str]]]:
    parser = _Table()
    parser.feed(response.content.decode())
    return parser.tables


def csv_rows(response: Any) -> list[dict[str, str]]:
    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/csv")
    return list(csv.DictReader(io.StringIO(b"".join(response.streaming_content).decode())))


def json_rows(response: Any) -> list[dict[str, Any]]:
    assert response.status_code == 200
    found: list[dict[str, Any]] = json.loads(b"".join(response.streaming_content))["rows"]
    return found
