"""How a page is cited, returned to, pinned to a generation of the data, and followed."""

import re
import shutil
import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from core.fields.places.care_setting import NON_FACILITY_OR_UNSTATED
from core.pages.citation import THIS_SITE
from core.pages.code_pages.atom_feed import write_feed
from core.pages.shared.program_version import program_version
from core.queries.market.market import Market
from core.queries.over_time.news import NOTABLE_CHANGE, News, list_news
from core.queries.over_time.trend import list_trend
from core.store.connection import Snapshot
from core.store.generations.retention.kept import kept_generations, kept_path
from tests.pages.markets import PAGES, PEACH, QUERY
from tests.site import Visitor, serving, text_of

ATOM = "{http://www.w3.org/2005/Atom}"
HOST = "http://testserver"


def shown_addresses(response: Any) -> list[str]:
    """Return the addresses in the fields of a page: the newest one and the pinned one."""
    return [
        unescape(one) for one in re.findall(r'<input id="[a-z-]+" readonly value="([^"]*)"', response.content.decode())
    ]


@pytest.mark.parametrize("page", [*PAGES, "/feed/?code=99213", "/compensation/below/?code=70450"])
def test_no_page_names_the_site_by_what_stands_for_it(site: Client, page: str) -> None:
    assert THIS_SITE not in site.get(page).content.decode()


@pytest.mark.parametrize("page", ["/", "/rates/", "/medicare/", "/payers/", "/trend/", "/compensation/", "/baskets/"])
def test_a_page_shows_an_address_that_leads_back_to_it(site: Client, page: str) -> None:
    query = {**QUERY, "yardstick": "compensation"} if page in {"/rates/", "/medicare/"} else {"state": "GA"}
    response = site.get(page, query)
    newest, pinned = shown_addresses(response)
    assert newest.startswith(HOST + page)
    assert pinned.startswith(newest)
    assert re.search(r"[?&]generation=\d+$", pinned)
    for address in (newest, pinned):
        again = Client().get(address.removeprefix(HOST))
        assert again.status_code == 200, "the address is spelled as the site spells it"
        assert shown_addresses(again) == [newest, pinned]
    assert "notice" in Client().get(pinned.removeprefix(HOST)).content.decode()
    sentence = unescape(
        response.content.decode().split('<textarea id="cite-sentence" readonly', 1)[1].split("</textarea>")[0]
    )
    assert pinned in sentence
    assert "Transparency in Coverage" in sentence
    assert f"computed by program version {program_version()[:8]}. " in sentence


def test_a_citation_says_what_of_when(site: Client, demo: Snapshot) -> None:
    page = unescape(site.get("/rates/", {**QUERY, "payer": PEACH}).content.decode())
    assert (
        "BeaconPoint Health. Negotiated rates; state Georgia; code CPT 99213; "
        "setting outside facilities; payer Example Peach"
    ) in page
    assert f"Data of August 2025, generation {demo.manifest.generation} of " in page
    like = unescape(site.get("/rates/", {**QUERY, "billing_class": "like professional"}).content.decode())
    assert "billing class professional fee" in like


@pytest.fixture
def older_root(demo_root: Path, tmp_path: Path) -> Path:
    """Return a copy of the demo's data whose older generations can be deleted."""
    shutil.copytree(demo_root, tmp_path / "data", symlinks=True)
    return tmp_path / "data"


def test_a_generation_answers_as_long_as_it_is_kept(older_root: Path) -> None:
    newest = kept_generations(older_root)[-1].generation
    before = [one for one in kept_generations(older_root) if not one.rows("bench_medicare_prof")][-1]
    query = {**QUERY, "code": "70450"}
    with serving(older_root):
        site = Visitor()
        now = site.get("/api/v1/medicare/outcomes", query).json()
        pinned = site.get("/api/v1/medicare/outcomes", {**query, "generation": before.generation})
        assert (now["generation"], pinned.json()["generation"]) == (newest, before.generation)
        assert pinned.json()["reasons"].get("benchmark not loaded", 0) > now["reasons"].get("benchmark not loaded", 0)
        page = site.get("/medicare/", {**query, "generation": before.generation})
        assert "This page shows the data as of" in text_of(page)
        tag = page.headers["ETag"]
        assert tag != site.get("/medicare/", query).headers["ETag"]
        kept_path(older_root, before.generation).unlink()
        gone = site.get("/medicare/", {**query, "generation": before.generation})
        assert gone.status_code == 410
        assert f"Generation {before.generation} of the data is no longer kept. Kept: " in text_of(gone)
        assert "year_month=2025-08" in text_of(gone)
        problem = site.get("/api/v1/medicare/outcomes", {**query, "generation": before.generation})
        assert (problem.status_code, problem.json()["type"]) == (410, "/api/docs#not-kept")
        never = site.get("/medicare/", {**query, "generation": newest + 1})
        assert never.status_code == 404
        assert f"Generation {newest + 1} of the data does not exist" in text_of(never)
        assert site.get("/medicare/", {**query, "generation": "seven"}).status_code == 400


def entries(response: Any) -> list[ET.Element]:
    assert response["Content-Type"] == "application/atom+xml; charset=utf-8"
    feed = ET.fromstring(response.content)
    for element in (feed, *feed.iter(f"{ATOM}entry")):
        for name in ("id", "title", "updated"):
            assert len(element.findall(ATOM + name)) == 1, name
        moment = element.findtext(f"{ATOM}updated") or ""
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", moment)
        assert datetime.fromisoformat(moment)
    assert feed.findall(f"{ATOM}author")
    ids = [element.findtext(f"{ATOM}id") for element in (feed, *feed.iter(f"{ATOM}entry"))]
    assert len(ids) == len(set(ids))
    return list(feed.iter(f"{ATOM}entry"))


@pytest.mark.parametrize(
    "query",
    [{"code": "70450"}, {"code": "99213", "payer": PEACH}, {"payer": PEACH}, {"state": "GA"}, {"tin": "462665162"}],
)
def test_a_feed_is_valid_atom_and_is_not_sent_twice(site: Client, query: dict[str, str]) -> None:
    first, second = (site.get("/feed/", query) for _ in range(2))
    assert entries(first)
    assert first.content == second.content
    address = first.redirect_chain[-1][0] if first.redirect_chain else first.request["PATH_INFO"]
    assert address
    again = site.get("/feed/", query, headers={"if-none-match": first.headers["ETag"]})
    assert again.status_code == 304
    assert not again.content


def test_pages_link_to_their_feed(site: Client) -> None:
    page = site.get("/rates/", {**QUERY, "payer": PEACH}).content.decode()
    (address,) = re.findall(r'<link rel="alternate" type="application/atom\+xml"[^>]*href="([^"]*)"', page)
    assert "year_month" not in address
    assert [one.findtext(f"{ATOM}title") for one in entries(site.get(unescape(address)))]


def test_news_are_the_notable_changes_of_the_trend(site: Client, demo: Snapshot) -> None:
    for code in ("70450", "99213", "27447"):
        market = Market("GA", "", "CPT", code)
        news = list_news(demo, market)
        expected = {
            (one.payer_slug, one.billing_class, one.modifier, one.year_month, one.change)
            for one in list_trend(demo, market)
            if one.change is not None and abs(one.change) > NOTABLE_CHANGE
        }
        changes = [one for one in news if one.what == "change"]
        found = {(one.payer_slug, one.billing_class, one.modifier, one.year_month, one.change) for one in changes}
        assert found == expected
        assert len(found) == len(changes)
        assert [one.loaded_at for one in news] == sorted((one.loaded_at for one in news), reverse=True)
        assert sum(one.what == "files" for one in news) == 6
        listed = site.get("/api/v1/news", {"state": "GA", "code_type": "CPT", "code": code}).json()
        assert [one["change"] for one in listed["rows"]] == [one.change for one in news]
        titles = [
            one.findtext(f"{ATOM}title") or "" for one in entries(site.get("/feed/", {"state": "GA", "code": code}))
        ]
        assert len(titles) == len(news)
        assert sum("is loaded" in title for title in titles) == 6


def test_a_feed_names_the_class_that_the_page_shows() -> None:
    """A payer labels physicians' fees as a facility's: the page shows them as professional fees."""
    news = News("change", datetime(2025, 6, 9, tzinfo=UTC), "2025-06", "2025-01", "Evry", "evry", "CPT", "73721",
                "institutional", "", 26, 249.75, 273.12, 0.0936)  # fmt: skip
    market = Market("TX", "", "CPT", "73721", billing_class="like professional", care_setting=NON_FACILITY_OR_UNSTATED)
    same = {("evry", "2025-01", "2025-06"): "Of 225 organizations in both months, 66 are paid more."}
    titles = {}
    for asked in (market, replace(market, billing_class="institutional", care_setting=None)):
        (entry,) = entries(write_feed(asked, "a code", [news], datetime(2025, 7, 1, tzinfo=UTC), same))
        titles[asked.billing_class] = entry.findtext(f"{ATOM}title")
        assert (entry.findtext(f"{ATOM}summary") or "").endswith("of 26 rates. " + same["evry", "2025-01", "2025-06"])
    said = "CPT 73721: median of all rates +9.4% at Evry, June 2025"
    assert titles == {
        "like professional": f"{said} (professional fee outside facilities, labeled facility fee)",
        "institutional": f"{said} (facility fee)",
    }
