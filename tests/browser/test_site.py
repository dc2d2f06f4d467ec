"""The site in a real browser: by mouse, by keyboard, without JavaScript, on a phone, in the dark."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from core.store.connection import Snapshot

pytestmark = pytest.mark.browser

MARKET = "state=GA&year_month=2025-08&code_type=CPT"
PAGES = [
    "/",
    "/codes/?q=knee",
    f"/rates/?{MARKET}&code=97110&pos=11",
    f"/rates/?{MARKET}&code=99212",
    "/rates/",
    "/rates/?pos=x",
    f"/medicare/?{MARKET}&code=70450",
    f"/organizations/?{MARKET}&code=99214",
    "/npi/{npi}/",
    "/tin/{tin}/",
    "/nothing/",
    "/api/docs",
]


ABORTED = "net::ERR_ABORTED"


def is_ours(url: str, address: str) -> bool:
    return url.startswith((f"{address}/", "data:"))


@pytest.fixture
def look(browser: Browser, address: str) -> Iterator[Any]:
    """Opens pages in a new window each: `look(path, width=…, …)`. Complaints of the browser fail the test."""
    contexts, complaints = [], []

    def open_page(path: str = "/", width: int = 1280, **options: Any) -> Page:
        context = browser.new_context(viewport={"width": width, "height": 800}, base_url=address, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        # The browser calls a page that became a download a failed one, and what a click came before.
        page.on("requestfailed", lambda request: complaints.extend([request.url] * (request.failure != ABORTED)))
        page.on("request", lambda request: complaints.extend([request.url] * (not is_ours(request.url, address))))
        page.goto(path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert [text for text in complaints if "status of 40" not in text] == []


@pytest.fixture(params=PAGES)
def path(request: pytest.FixtureRequest, demo: Snapshot) -> str:
    npi, tin = demo.rows("SELECT (SELECT min(npi) FROM dim_npi), (SELECT min(tin_value) FROM dim_tin)")[0]
    return str(request.param).format(npi=npi, tin=tin)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_keeps_anybody_out(look: Any, path: str, scheme: str) -> None:
    found = Axe().run(look(path, color_scheme=scheme))
    assert found.violations_count == 0, found.generate_report()


def test_every_page_fits_a_phone(look: Any, path: str) -> None:
    page = look(path, width=375)
    assert page.evaluate("document.documentElement.scrollWidth") <= 375


@pytest.mark.parametrize("javascript", [True, False])
def test_from_a_word_to_a_payer_a_provider_medicare_and_a_file(look: Any, tmp_path: Path, javascript: bool) -> None:
    page = look("/", java_script_enabled=javascript)
    page.get_by_role("search").nth(1).get_by_role("searchbox").fill("mri brain")
    page.get_by_role("button", name="Find").click()
    page.get_by_role("link", name="70553").click()
    assert page.get_by_role("heading", level=1).inner_text().startswith("CPT 70553")
    page.get_by_role("link", name="Example Piedmont Mutual, Inc.").first.click()
    assert "payer=example_piedmont_mutual_inc" in page.url
    page.get_by_role("link", name="payer example_piedmont_mutual_inc ✕").click()
    assert "payer=" not in page.url
    page.get_by_role("link", name="Against Medicare").click()
    assert page.get_by_role("heading", name="Percent of Medicare by payer").is_visible()
    page.go_back()
    page.locator("table.dense tbody a").first.click()
    assert page.get_by_role("heading", name="Groups and networks").is_visible()
    with page.expect_download() as download:
        page.locator("section").first.get_by_role("link", name="CSV").click()
    saved = tmp_path / "rates.csv"
    download.value.save_as(saved)
    with saved.open(newline="") as file:
        assert len(list(csv.DictReader(file))) > 50


def test_the_filters_are_a_form(look: Any) -> None:
    page = look(f"/rates/?{MARKET}&code=70553", java_script_enabled=False)
    page.get_by_text("State, month, payer, place and other filters").click()
    page.get_by_label("Class").select_option("professional")
    page.get_by_label("Modifier").fill("26")
    page.get_by_label("Place of service").select_option("11")
    page.get_by_role("button", name="Show").click()
    assert page.get_by_role("link", name="modifier 26 ✕").is_visible()
    modifiers = page.locator("table.dense tbody tr td:nth-child(4)").all_inner_texts()
    assert set(modifiers) == {"26"}


def test_by_keyboard_alone(look: Any) -> None:
    page = look(f"/rates/?{MARKET}&code=99213")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the page"
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#main"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Control+A")
    page.keyboard.type("99214")
    page.keyboard.press("Enter")
    page.wait_for_url("**code=99214**")
    assert page.get_by_role("heading", level=1).inner_text().startswith("CPT 99214")
