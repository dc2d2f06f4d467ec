"""The site in a real browser: by mouse, by keyboard, without JavaScript, on a phone, in the dark."""

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from core.pages.shared.stacked_tables import FOLDED_ROWS, MAX_ROWS
from core.store.connection import Snapshot

pytestmark = pytest.mark.browser

expect.set_options(timeout=30_000)

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
    f"/places/?{MARKET}&code=99214",
    f"/report/?{MARKET}&code=70450&yardstick=compensation",
    f"/compensation/below/?{MARKET}&code=70450",
    f"/specialties/?{MARKET}&code=99214",
    "/payers/",
    f"/payers/?{MARKET}&code=70450",
    "/payers/?state=GA&year_month=2025-08&codes=99213,450,XYZ,0120&base=example_peach_health_plan",
    "/payers/?payer=example_savannah_benefit_administrators",
    "/changes/",
    f"/changes/?{MARKET}&code=99213&from=2025-07",
    "/changes/?payer=example_piedmont_mutual_inc",
    "/npi/{npi}/",
    "/tin/{tin}/?yardstick=compensation",
    "/groups/{group}/",
    "/organization/{organization}/",
    f"/baskets/?{MARKET.partition('&code_type')[0]}&basket=imaging",
    f"/clinic/?{MARKET.partition('&code_type')[0]}&tin={{tin}}",
    "/rule/?payer=example_peach_health_plan",
    "/quality/",
    "/quality/implausible_rates/",
    "/dictionary/",
    "/method/",
    "/method/normalization/",
    "/nothing/",
    "/api/docs",
    "/api/docs/examples",
]


ABORTED = "net::ERR_ABORTED"


def is_ours(url: str, address: str) -> bool:
    return url.startswith((f"{address}/", "data:"))


@pytest.fixture
def look(browser: Browser, address: str) -> Iterator[Any]:
    """Return `look(path, width=…, …)`, which opens a page in a new window. Complaints of the browser fail the test."""
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
    ((npi, tin, group, organization),) = demo.rows(
        """SELECT (SELECT min(npi) FROM dim_npi), (SELECT min(tin_value) FROM dim_tin),
                  (SELECT min(pg_uid) FROM fact_rate), (SELECT min(organization_id) FROM organization)"""
    )
    return str(request.param).format(npi=npi, tin=tin, group=group, organization=organization)


def assert_accessible(page: Page, **options: Any) -> None:
    found = Axe().run(page, options={"resultTypes": ["violations"], **options})
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.in_turns(7)
def test_no_page_keeps_anybody_out_and_each_fits_a_phone(look: Any, path: str) -> None:
    # In the dark, a page has other colors, and nothing else that is other.
    page = look(path, color_scheme="dark")
    assert page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    assert_accessible(page, runOnly=["color-contrast"])
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 375, "height": 800})
    page.reload()  # links change their color slowly
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    assert_accessible(page)
    page.set_viewport_size({"width": 1280, "height": 800})
    assert_accessible(page)


@pytest.mark.in_turns(1)
@pytest.mark.parametrize("javascript", [True, False])
def test_from_a_word_to_a_payer_a_provider_medicare_and_a_file(look: Any, tmp_path: Path, javascript: bool) -> None:
    page = look("/", java_script_enabled=javascript)
    page.get_by_role("search").nth(1).get_by_role("searchbox").fill("mri brain")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "Results for “mri brain”"
    )  # the page before has this link too
    page.get_by_role("link", name="70553").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("CPT 70553")
    page.get_by_role("link", name="Example Piedmont Mutual, Inc.").first.click()
    page.wait_for_url("**payer=example_piedmont_mutual_inc*")
    page.get_by_role("link", name="Payer: Example Piedmont Mutual, Inc. ✕").click()
    page.wait_for_url(lambda url: "payer=" not in url)
    page.get_by_role("navigation", name="This code").get_by_role("link", name="Medicare").click()
    expect(page.get_by_role("heading", name="Percent of Medicare by payer")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("navigation", name="This code").get_by_role("link", name="Medicare")).to_be_visible()
    page.get_by_role("table").last.locator("tbody a[href^='/tin/']").first.click()
    expect(page.get_by_role("heading", name="Groups and networks")).to_be_visible()
    with page.expect_download() as download:
        rates = page.locator("section", has=page.get_by_role("heading", name="Rates in"))
        rates.get_by_role("link", name="CSV").click()
    saved = tmp_path / "rates.csv"
    download.value.save_as(saved)
    with saved.open(newline="") as file:
        assert len(list(csv.DictReader(file))) > 50


def test_the_filters_are_a_form(look: Any) -> None:
    page = look(f"/rates/?{MARKET}&code=70553", java_script_enabled=False)
    page.get_by_text("State, month, payer, place, and other filters").click()
    page.get_by_role("combobox", name="Billing class").select_option("professional")
    page.get_by_role("textbox", name="Modifier").fill("26")
    page.get_by_label("Place of service").select_option("11")
    page.get_by_role("button", name="Show").click()
    current = page.get_by_role("navigation", name="Classes of rates").locator("[aria-current]")
    assert current.inner_text().startswith("Professional fee, reading only (26)")
    rates = page.get_by_role("table").last
    column = 1 + rates.locator("thead th").all_inner_texts().index("Modifier")
    modifiers = rates.locator(f"tbody tr td:nth-child({column})").all_inner_texts()
    assert set(modifiers) == {"26"}


def test_by_keyboard_alone(look: Any) -> None:
    page = look(f"/rates/?{MARKET}&code=99213")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to content"
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#main"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "One-page report"
    for _ in range(30):  # the tabs, the classes, and the links of the answer come first
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent").strip().startswith("State, month"):
            break
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Control+A")
    page.keyboard.type("99214")
    page.keyboard.press("Enter")
    page.wait_for_url("**code=99214**")
    expect(page.get_by_role("heading", level=1)).to_contain_text("CPT 99214")


def test_the_box_suggests_while_one_types(look: Any) -> None:
    page = look("/")
    box = page.get_by_role("main").get_by_role("searchbox")
    options = page.get_by_role("listbox").get_by_role("option")
    box.press_sequentially("knee repl")
    box = page.get_by_role("combobox", name="What do you look for?")
    expect(options).to_have_count(3)
    expect(box).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    expect(options.first).to_have_attribute("aria-selected", "true")
    expect(box).to_have_attribute("aria-activedescendant", options.first.get_attribute("id") or "?")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    page.keyboard.press("Escape")
    expect(options).to_have_count(0)
    box.press_sequentially("a")
    expect(options).to_have_count(3)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**code=27447")
    expect(page.get_by_role("heading", level=1)).to_contain_text("CPT 27447")


def test_a_filter_swaps_the_page_s_part_and_goes_back(look: Any) -> None:
    page = look(f"/rates/?{MARKET}&code=70553")
    page.evaluate("window.still = 'here'")
    before = page.get_by_role("complementary").inner_text()
    classes = page.get_by_role("navigation", name="Classes of rates")
    classes.get_by_text("Other classes").click()
    classes.get_by_role("link", name="Facility fee").first.click()
    expect(classes.locator("[aria-current]")).to_contain_text("Facility fee")
    assert "billing_class=institutional" in page.url
    assert page.evaluate("window.still") == "here"
    assert page.evaluate("document.activeElement.id") == "main"
    page.go_back()
    expect(classes.locator("[aria-current]")).to_contain_text("Professional")
    assert page.get_by_role("complementary").inner_text() == before


@pytest.mark.in_turns(1)
@pytest.mark.parametrize("javascript", [True, False])
def test_pasted_codes_are_compared(look: Any, tmp_path: Path, javascript: bool) -> None:
    page = look("/payers/", java_script_enabled=javascript)
    page.get_by_text("State, month, payer, and filters").click()
    page.get_by_label("Codes and ranges in any format").fill("99213\n99214\t450; XYZ")
    page.get_by_label("Compare with").select_option("Example Peach Health Plan")
    page.get_by_role("button", name="Compare").click()
    page.wait_for_url("**codes=99213,99214,450,XYZ&base=example_peach_health_plan")
    expect(page.locator(".notice")).to_contain_text("No rates for XYZ")
    expect(page.locator("table.matrix tbody tr")).to_have_count(7)  # a visit has two sides
    page.get_by_role("link", name="CPT 99214").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("CPT 99214")
    expect(page.locator("svg.chart")).to_have_count(1)
    page.go_back()
    expect(page.locator("table.matrix")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    saved = tmp_path / "payers.csv"
    download.value.save_as(saved)
    with saved.open(newline="") as file:
        assert {row["code"] for row in csv.DictReader(file)} == {"99213", "99214", "0450"}


@pytest.mark.in_turns(1)
@pytest.mark.parametrize("javascript", [True, False])
def test_from_a_month_to_what_changed_in_it(look: Any, javascript: bool) -> None:
    page = look("/changes/", java_script_enabled=javascript)
    page.get_by_role("link", name="Example Piedmont Mutual, Inc.").click()
    page.wait_for_url("**payer=example_piedmont_mutual_inc**")
    page.get_by_role("link", name="Added").click()
    page.wait_for_url("**sort=added**")
    by_code = page.locator("section", has=page.get_by_role("heading", name="By code"))
    expect(by_code.locator("tbody th").first).to_contain_text("CPT 92507")
    page.get_by_role("link", name="CPT 99213").click()
    page.wait_for_url("**code=99213**")
    expect(page.get_by_role("heading", level=1)).to_contain_text("CPT 99213")
    page.get_by_role("link", name=re.compile(r"^down \(\d+\)$")).click()
    page.wait_for_url("**what=down**")
    changed = page.locator("section", has=page.get_by_role("heading", name="Organizations"))
    expect(changed.locator("tbody tr td:first-child", has_not_text="down")).to_have_count(0)
    changed.locator("tbody a").first.click()
    expect(page.get_by_role("heading", name="Groups and networks")).to_be_visible()


_WIDEST = "code=27447&classes=all"
"""The demo's code with the longest amounts, in every class."""


@pytest.mark.in_turns(4)
@pytest.mark.parametrize(
    "path",
    [
        *(f"/{name}/?{MARKET}&{_WIDEST}" for name in ("rates", "payers", "medicare", "organizations", "places")),
        f"/trend/?{MARKET}&{_WIDEST}",
        f"/changes/?{MARKET}&code=99213&from=2025-07",
        "/npi/{npi}/",
        "/tin/{tin}/",
        "/organization/{organization}/",
    ],
)
def test_the_answer_is_on_the_first_screen_of_a_phone_and_no_table_is_cut(look: Any, path: str, demo: Snapshot) -> None:
    ((npi, tin, organization),) = demo.rows(
        """SELECT (SELECT min(npi) FROM dim_npi), (SELECT min(tin_value) FROM dim_tin),
                  (SELECT min(organization_id) FROM organization)"""
    )
    page: Page = look(path.format(npi=npi, tin=tin, organization=organization), width=390)
    answer = page.locator(".answer .sentence, .answer.sentence, .levels").first
    end = answer.evaluate("one => one.getBoundingClientRect().bottom")
    assert end <= 844
    for width in (1280, 1024):
        page.set_viewport_size({"width": width, "height": 800})
        cut = page.evaluate("""[...document.querySelectorAll('.scroll')]
            .filter(one => one.scrollWidth > one.clientWidth).map(one => one.innerText.slice(0, 80))""")
        assert cut == [], f"at {width} pixels"


def test_boxes_show_the_folded_fields_and_rows_of_a_phone_without_a_script(look: Any) -> None:
    page: Page = look("/codes/", width=390, java_script_enabled=False)
    rows = page.locator("main tbody tr")
    total = rows.count()
    assert total > MAX_ROWS
    expect(rows.nth(FOLDED_ROWS - 1)).to_be_visible()
    expect(rows.nth(FOLDED_ROWS)).to_be_hidden()
    page.get_by_label(f"Show the other {total - FOLDED_ROWS} rows").check()
    expect(rows.nth(total - 1)).to_be_visible()
    page = look(f"/rates/?{MARKET}&code=99213", width=390, java_script_enabled=False)
    table = page.locator("table.dense.stack").last
    folded = table.locator("tbody tr").first.locator("td[data-more]")
    shown = table.locator("tbody tr").first.locator("td:not([data-more])")
    assert folded.count() > 1
    assert shown.count() >= 3
    expect(folded.first).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollHeight") < 7_000
    page.get_by_label("All fields of each row").last.check()
    expect(folded.first).to_be_visible()
    # A wide screen has room for all of it.
    page = look("/codes/", width=1280, java_script_enabled=False)
    expect(page.locator("main tbody tr").nth(total - 1)).to_be_visible()
    expect(page.locator(".all-rows")).to_be_hidden()


def test_a_menu_that_scrolls_begins_at_the_current_page(look: Any) -> None:
    page: Page = look(f"/specialties/?{MARKET}&code=99214", width=390)
    expect(page.get_by_role("navigation", name="This code").get_by_role("link", name="Specialties")).to_be_in_viewport()
    with_no_script: Page = look(f"/specialties/?{MARKET}&code=99214", width=390, java_script_enabled=False)
    assert with_no_script.evaluate("document.documentElement.scrollWidth") <= 390


_WIDTHS = {"A4": 707, "Letter": 733}
"""Pixels of a page of paper between margins of 11 mm."""


@pytest.mark.parametrize(
    "path", [f"/clinic/?{MARKET.partition('&code_type')[0]}&tin={{tin}}", f"/report/?{MARKET}&code=70450"]
)
@pytest.mark.parametrize("paper", _WIDTHS)
def test_no_table_is_wider_than_the_paper(look: Any, demo: Snapshot, path: str, paper: str) -> None:
    ((tin,),) = demo.rows("SELECT min(tin_value) FROM dim_tin WHERE tin_type = 'ein'")
    page: Page = look(path.format(tin=tin))
    page.emulate_media(media="print")
    page.set_viewport_size({"width": _WIDTHS[paper], "height": 900})
    ends = page.evaluate("[...document.querySelectorAll('table')].map(one => one.getBoundingClientRect().right)")
    assert ends
    assert max(ends) <= _WIDTHS[paper]


@pytest.mark.in_turns(1)
@pytest.mark.parametrize("paper", ["A4", "Letter"])
def test_a_clinic_s_report_is_two_sheets(look: Any, demo: Snapshot, paper: str) -> None:
    ((tin,),) = demo.rows("SELECT min(tin_value) FROM dim_tin WHERE tin_type = 'ein'")
    page: Page = look(f"/clinic/?{MARKET.partition('&code_type')[0]}&tin={tin}")
    printed = page.pdf(format=paper, prefer_css_page_size=True)
    assert len(re.findall(rb"/Type */Page[^s]", printed)) <= 2


@pytest.mark.parametrize("paper", ["A4", "Letter"])
def test_a_report_is_one_sheet(look: Any, paper: str) -> None:
    page: Page = look(f"/report/?{MARKET}&code=70450")
    printed = page.pdf(format=paper, prefer_css_page_size=True)
    assert len(re.findall(rb"/Type */Page[^s]", printed)) == 1
