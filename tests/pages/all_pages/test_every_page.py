"""What holds for every page: its policy, its links, its form."""

import re
from contextlib import closing
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.test import Client
from django.urls import resolve

from core.pages import site_map
from core.pages.code_pages.code_tabs import CODE_TABS
from core.queries.market.market_filters import FILTERS
from core.store.connection import Snapshot
from core.store.generations.store import Store
from tests.fixture_types import Load
from tests.pages.markets import MONTH, PAGES, PEACH, QUERY
from tests.rate_files import file_of, item_of
from tests.site import Visitor, serving, text_of


def assert_keeps_to_the_content_security_policy(response: Any) -> None:
    assert response.status_code == 200
    content = response.content.decode()
    assert not re.search(r"<script(?! src=)|<style|\sstyle=|\son[a-z]+=", content)
    policy = response["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert response["X-Frame-Options"] == "DENY"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', content), "nothing comes from elsewhere"


FOLLOWED: set[tuple[str, ...]] = set()
"""Kinds of links that work. Pages share many, and each takes a fifth of a second."""


def news_of(link: str) -> set[tuple[str, ...]]:
    """Return what a link asks for that no other may: a page, its parameters, and the table, order and file it names.

    Values do not count: a page for another city or county is no other kind of link.
    """
    query = dict(parse_qsl(urlsplit(link).query))
    path = re.sub(r"\d{5,}", "0", urlsplit(link).path)
    shown = tuple(query.get(name, "") for name in ("format", "table", "sort", "by"))
    return {(path, *shown)} | {(path, name) for name in query}


@pytest.mark.in_turns(6)
@pytest.mark.parametrize("address", [*PAGES, "/rates/?code=97110&pos=11", "/npi/{npi}/", "/tin/{tin}/"])
def test_every_page_keeps_to_its_policy_and_each_of_its_links_works(site: Client, demo: Snapshot, address: str) -> None:
    npi, tin = demo.rows("SELECT (SELECT min(npi) FROM dim_npi), (SELECT min(tin_value) FROM dim_tin)")[0]
    response = site.get(address.format(npi=npi, tin=tin))
    assert_keeps_to_the_content_security_policy(response)
    links = {unescape(link) for link in re.findall(r'href="([^"#]*)"', response.content.decode())}
    assert len(links) > 5
    for link in sorted(links):
        target = link if link.startswith("/") else f"/{link}"
        if not target.startswith("/static/") and not news_of(target) <= FOLLOWED:
            # A file keeps its place in its lane until it is read or closed.
            with closing(site.get(target)) as answer:
                assert answer.status_code == 200, link
            FOLLOWED.update(news_of(target))


def test_the_navigation_leads_to_the_pages_with_a_label_in_the_same_market(site: Client) -> None:
    page = site.get("/rates/", {**QUERY, "basis": "opps"}).content.decode()
    navigation = page.split('<nav aria-label="Pages"')[1].split("</nav>")[0]
    links = re.findall(r'<a href="/(\w+/)(\?state=[^"]*)?"( aria-current="page")?>([^<]*)</a>', navigation)
    shown = [one for more in (False, True) for one in site_map.PAGES if one.label and one.in_more is more]
    assert [(path, bool(market), label) for path, market, _, label in links] == [
        (one.path, one.keeps_market, one.label) for one in shown
    ]
    assert [label for _, _, current, label in links if current] == ["Rates"]
    with_basis = {path for path, market, _, _ in links if "basis=opps" in market}
    assert with_basis == {"rates/", "payers/", "baskets/", "medicare/", "places/", "specialties/"}, (
        "as far as the page has the parameter"
    )


@pytest.mark.parametrize("address", PAGES)
def test_a_page_with_percents_of_medicare_takes_the_schedule_to_compare_with(site: Client, address: str) -> None:
    response = site.get(address)
    if "% of Medicare" in re.sub(r"<head>.*?</head>", "", response.content.decode(), flags=re.DOTALL):
        # The home page compares each rate by its own schedule, and leads to pages that take another. A rule is looked
        # for among all releases of the physician fee schedule, the only one of these with relative values and
        # localities: a rate has no percent of an area's amount in another.
        is_exempt = address == "/" or address.startswith("/rule/")
        assert is_exempt or "basis" in resolve(address.partition("?")[0]).func.parameters  # type: ignore[attr-defined]


def test_the_tabs_of_a_code_keep_its_filters_and_mark_the_page(site: Client) -> None:
    named = {one.name: one.path for one in site_map.PAGES}
    filters = {**QUERY, "billing_class": "professional"}
    for current in CODE_TABS:
        page = site.get(f"/{named[current.page]}", filters).content.decode()
        tabs = page.split('<nav class="tabs"')[1].split("</nav>")[0]
        links = re.findall(r'<a href="/(\w+/)\?([^"]*)"( aria-current="page")?>([^<]*)</a>', tabs)
        assert [(path, label) for path, _, _, label in links] == [(named[tab.page], tab.label) for tab in CODE_TABS]
        assert [label for _, _, here, label in links if here] == [current.label]
        assert all("code=99213" in query and "billing_class=professional" in query for _, query, _, _ in links)


def test_changes_are_offered_where_a_payer_has_two_months(site: Client, load: Load, store: Store) -> None:
    assert ">Changes</a>" in site.get("/rates/", QUERY).content.decode().split('<nav class="tabs"')[1]
    load(file_of(item_of({"negotiated_type": "negotiated", "negotiated_rate": 90, "billing_class": "professional"})))
    with serving(store.root):
        assert ">Changes</a>" not in Visitor().get("/rates/?code=99213").content.decode().split('<nav class="tabs"')[1]


def test_parameters_that_a_page_does_not_have_leave_its_address(site: Client) -> None:
    response = site.get("/organizations/", {**QUERY, "basis": "opps"}, follow=False)
    assert response.status_code == 302
    assert "basis" not in response["Location"]


@pytest.mark.parametrize("address", ["/rates/", "/medicare/", "/organizations/", "/payers/", "/changes/"])
def test_the_form_sends_every_filter_that_is_set(site: Client, address: str) -> None:
    filters = {"care_setting": "office", "payer": PEACH, "pos": "11", "billing_class": "professional",
               "modifier": "26", "setting": "both",
               "negotiated_type": "case rate", "arrangement": "ffs", "network": "Peach PPO", "npi": "1234567893",
               "tin": "123456789", "organization": "elm_ga", "system": "big_health_ga",
               "plan": "hios_1_ppo", "city": "MACON, GA", "zip": "31201", "county": "13021", "metro": "31420",
               "near": "31201,10", "specialty": "Cardiology", "entity": "individual", "evidence": "likely"}  # fmt: skip
    page = site.get(address, {**QUERY, **filters}).content.decode()
    form = page.split('<form class="market"', 1)[1].split("</form>", 1)[0]
    boxes = dict(re.findall(r'<input type="text" name="(\w+)" value="([^"]*)"', form))
    for select in form.split("<select ")[1:]:
        boxes |= dict(
            re.findall(r'^name="(\w+)".*?<option value="([^"]*)" selected', select.split("</select>")[0], re.DOTALL)
        )
    boxes |= dict(re.findall(r'<input name="(miles)"[^>]* value="([^"]*)"', form))
    assert set(FILTERS) == set(filters)
    boxes["near"] += f",{boxes['miles']}"
    assert {name: boxes.get(name) for name in filters} == filters


def test_a_filter_that_leaves_no_rates_can_be_removed(site: Client) -> None:
    for address, query in (
        ("/payers/", {**MONTH, "codes": "99213,99214", "pos": "24"}),
        ("/changes/", {**QUERY, "pos": "24"}),
        ("/organizations/", {**QUERY, "pos": "24"}),
        ("/baskets/", {**MONTH, "codes": "99213,99214", "pos": "24"}),
    ):
        response = site.get(address, query)
        assert "in Georgia (place of service 24 Ambulatory surgical center" in text_of(response)
        assert "Without Place of service 24 Ambulatory surgical center : " in text_of(response)
        link = (
            response.content.decode()
            .split('">Without Place of service 24')[0]
            .rsplit('href="', 1)[1]
            .replace("&amp;", "&")
        )
        assert "Without Place of service" not in text_of(site.get(link))


def test_of_several_filters_the_one_that_would_help_is_offered(site: Client) -> None:
    for query, helps in (({"modifier": "none"}, True), ({"network": "nobody's"}, False)):
        response = site.get("/organizations/", {**QUERY, "pos": "24", "billing_class": "professional", **query})
        shown = text_of(response)
        assert "still no rates" not in shown if helps else "Without any one of these filters, there are still" in shown
        assert ("Without Place of service" in shown) == helps
        assert ": 0 rates" not in shown
        if not helps:
            link = response.content.decode().split('">Take all of them away')[0].rsplit('href="', 1)[1]
            assert "No rates" not in text_of(site.get(link.replace("&amp;", "&")))
