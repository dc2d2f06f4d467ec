"""Every link and download of every page works, whatever a payer's file contains."""

import csv
import io
import json
import random
import re
from collections.abc import Iterator
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from django.test import Client

from core.load.load_file import load_file
from core.pages.site_map import PAGES
from core.quality.record import keep_report
from core.quality.report import run_checks
from core.store.connection import Snapshot
from core.store.generations.store import Store
from core.tic.source import open_documents
from tests.hostile_files import TEXTS, hostile_file
from tests.site import serving
from tests.stores import open_snapshot

FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
"""Control characters, except those by which HTML, CSV, and JSON are laid out."""

ELSEWHERE = ("/static/", "/method/", "/dictionary/", "/api/")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Return a store of two months of hostile files, with what the checks found."""
    directory = tmp_path_factory.mktemp("hostile")
    made = Store(directory / "data")
    for month in ("2025-07", "2025-08"):
        path = directory / f"{month}\r\n=file\u202e.json"
        path.write_text(json.dumps(hostile_file(month)))
        load_file(made, open_documents(path)[0], "GA", processes=1)
    keep_report(made, run_checks(open_snapshot(made)))
    return made


@pytest.fixture
def hostile(store: Store) -> Iterator[Client]:
    with serving(store.root):
        yield Client(raise_request_exception=False)


@pytest.fixture
def facts(store: Store) -> Snapshot:
    return open_snapshot(store)


def body_of(answer: Any) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else bytes(answer.content)


def strings_of(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, each in value.items():
            yield from (name, *strings_of(each))
    elif isinstance(value, list):
        for each in value:
            yield from strings_of(each)


def assert_sound(answer: Any, address: str) -> str:
    """Check an answer, and return a page's text."""
    assert answer.status_code in {200, 301, 302}, (address, answer.status_code, body_of(answer)[:2000])
    content, kind = body_of(answer), answer.headers.get("Content-Type", "")
    assert len(content) < 2_000_000, address
    if "json" in kind:
        texts = list(strings_of(json.loads(content, parse_constant=pytest.fail)))
        assert not [text for text in texts if FORBIDDEN.search(text) or "\n" in text], address
    elif "csv" in kind:
        for row in csv.reader(io.StringIO(content.decode(), newline="")):
            for cell in row:
                assert not FORBIDDEN.search(cell), address
                assert not re.match("[=+@＝＋－＠\t\r\n]|-(?![0-9.]+$)", cell), (address, cell)
    elif "html" in kind:
        text = content.decode()
        assert not FORBIDDEN.search(text), address
        assert "<script>alert" not in text
        return text
    return ""


PARTIES = re.compile("^/(npi|tin|groups|organization|plan)/[^/]+/")


def news_of(address: str) -> set[tuple[str, ...]]:
    """Return what a link asks for: pages, parameters with their values, tables in their formats, and files of codes.

    Each page gets each parameter, and each code, which it shows; any other value is tried on one page. Pages of a kind
    of party share their parameters and formats: of each other party there is its page, and each of its tables once.
    """
    path, query = urlsplit(address).path, parse_qsl(urlsplit(address).query)
    kind, given = PARTIES.sub(r"/\1/", path), dict(query)
    if "format" in given:
        table, code = given.get("table", ""), given.get("code", "")
        return {(kind, given["format"], table), (path, "file of", table), (kind, "file of", code)}
    found: set[tuple[str, ...]] = {(path,), *query} | {(kind, name) for name, _ in query}
    return found | {(kind, name, value) for name, value in query if name == "code"}


SHARE = 0.4
"""How many of the parameters, values, and files are tried, others in each run. Every page is."""

REGISTRY = "https://npiregistry.cms.hhs.gov/provider-view/"
"""The national registry of providers, where names are looked up that are not loaded."""


@pytest.mark.in_turns(2, of="long walks")
def test_every_link_and_every_download_of_every_page_works(hostile: Client, facts: Snapshot) -> None:
    codes = facts.rows("SELECT code_type, code FROM dim_code ORDER BY ALL")
    assert len(codes) == len(TEXTS)
    month = {"state": "GA", "year_month": "2025-08"}
    waiting = ["/", "/codes/?q=name"]
    for page in PAGES:
        if "<" in page.path:
            continue
        waiting.append(f"/{page.path}")
        if page.keeps_market and page.label:
            waiting += [f"/{page.path}?{urlencode({**month, 'code_type': kind, 'code': code})}" for kind, code in codes]
    waiting += [f"/npi/{npi}/" for (npi,) in facts.rows("SELECT npi FROM dim_npi")]
    waiting += [f"/tin/{tin}/" for (tin,) in facts.rows("SELECT tin_value FROM dim_tin")]
    seen: set[tuple[str, ...]] = set()
    visited = downloads = 0
    while waiting:
        address = waiting.pop(0)
        news = news_of(address) - seen
        if address.startswith(ELSEWHERE) or not any(len(one) == 1 or random.random() < SHARE for one in news):
            seen |= news
            continue
        seen |= news
        answer = hostile.get(address)
        visited += 1
        downloads += "Content-Disposition" in answer.headers
        text = assert_sound(answer, address)
        if answer.status_code in {301, 302}:
            waiting.append(answer.headers["Location"])
        for link in re.findall(r'href="([^"#]+)"', text):
            target = unescape(link)
            if target.startswith("https:"):
                assert target.startswith(REGISTRY), "no page links elsewhere"
                continue
            waiting.append(target if target.startswith("/") else f"{urlsplit(address).path}{target}")
    assert visited > 100
    assert downloads > 50


@pytest.mark.in_turns(2, of="long walks")
def test_the_api_answers_for_every_value_that_it_gives(hostile: Client, facts: Snapshot) -> None:
    month = {"state": "GA", "year_month": "2025-08", "limit": "2"}
    tried: set[tuple[str, str]] = set()
    for kind, code in facts.rows("SELECT code_type, code FROM dim_code ORDER BY ALL"):
        of_code = {**month, "code_type": kind, "code": code}
        for resource in ("rates", "medicare", "organizations", "changes"):
            address = f"/api/v1/{resource}?{urlencode(of_code)}"
            answer = hostile.get(address)
            assert_sound(answer, address)
            if following := re.match("<(.*)>", answer.headers.get("Link", "")):
                assert_sound(hostile.get(following[1]), following[1])
        choices = hostile.get(f"/api/v1/rates/facets?{urlencode({**of_code, 'limit': '1000'})}").json()["rows"]
        assert len({choice["filter"] for choice in choices}) > 6
        # Each value is tried with the first code that has it.
        new = {(choice["filter"], choice["value"]): choice for choice in choices}
        for choice in [new[value] for value in sorted(new.keys() - tried)]:
            address = f"/api/v1/rates?{urlencode({**of_code, choice['filter']: choice['value']})}"
            assert_sound(hostile.get(address), address)
        tried |= new.keys()
    slugs = facts.rows("SELECT payer_slug FROM dim_reporting_entity")
    npis, tins = facts.rows("SELECT npi FROM dim_npi"), facts.rows("SELECT tin_value FROM dim_tin")
    paths = [f"payers/{slug}/{what}" for (slug,) in slugs for what in ("networks", "files")]
    paths += [f"providers/npi/{npi}" for (npi,) in npis] + [f"providers/tin/{tin}" for (tin,) in tins]
    paths += ["coverage", "codes", "quality", "quality/places", "quality/months", "search?q=name"]
    for path in paths:
        assert_sound(hostile.get(f"/api/v1/{path}"), path)
