"""What holds for every page: its policy, its links, its form."""

import re
from html import unescape

import pytest
from django.test import Client

from core.pages import site_map
from core.queries.rules.market_filters import FILTERS
from core.store.connection import Snapshot
from tests.pages.markets import MONTH, PAGES, PEACH, QUERY
from tests.site import text_of


@pytest.mark.parametrize("address", PAGES)
def test_every_page_keeps_to_the_content_security_policy(site: Client, address: str) -> None:
    response = site.get(address)
    assert response.status_code == 200
    content = response.content.decode()
    assert not re.search(r"<script(?! src=)|<style|\sstyle=|\son[a-z]+=", content)
    policy = response["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert response["X-Frame-Options"] == "DENY"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', content), "nothing comes from elsewhere"


FOLLOWED: set[str] = set()
"""Links that work. Pages share many, and each takes a tenth of a second."""


@pytest.mark.parametrize("address", [*PAGES, "/rates/?code=97110&pos=11", "/npi/{npi}/", "/tin/{tin}/"])
def test_every_link_of_a_page_works(site: Client, demo: Snapshot, address: str) -> None:
    npi, tin = demo.rows("SELECT (SELECT min(npi) FROM dim_npi), (SELECT min(tin_value) FROM dim_tin)")[0]
    response = site.get(address.format(npi=npi, tin=tin))
    links = {unescape(link) for link in re.findall(r'href="([^"#]*)"', response.content.decode())}
    assert len(links) > 5
    for link in links:
        target = link if link.startswith("/") else f"/{link}"
        if not target.startswith("/static/") and target not in FOLLOWED:
            assert site.get(target).status_code == 200, link
            FOLLOWED.add(target)


def test_the_navigation_leads_to_the_pages_with_a_label_in_the_same_market(site: Client) -> None:
    page = site.get("/rates/", QUERY).content.decode()
    navigation = page.split('<nav aria-label="Pages">')[1].split("</nav>")[0]
    links = re.findall(r'<a href="/(\w+/)(\?state=[^"]*)?">([^<]*)</a>', navigation)
    assert [(path, bool(market), label) for path, market, label in links] == [
        (one.path, one.keeps_market, one.label) for one in site_map.PAGES if one.label
    ]
    assert [label for _, _, label in links][:2] == ["Codes", "Rates"]


@pytest.mark.parametrize("address", ["/rates/", "/medicare/", "/organizations/", "/payers/", "/changes/"])
def test_the_form_sends_every_filter_that_is_set(site: Client, address: str) -> None:
    filters = {"payer": PEACH, "pos": "11", "billing_class": "professional", "modifier": "26", "setting": "both",
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
    assert set(FILTERS) == set(filters)
    assert {name: boxes.get(name) for name in filters} == filters


def test_a_filter_that_leaves_no_rates_can_be_removed(site: Client) -> None:
    for address, query in (
        ("/payers/", {**MONTH, "codes": "99213,99214", "pos": "24"}),
        ("/changes/", {**QUERY, "pos": "24"}),
        ("/organizations/", {**QUERY, "pos": "24"}),
    ):
        response = site.get(address, query)
        assert "Without Place of service 24 Ambulatory surgical center : " in text_of(response)
        link = (
            response.content.decode()
            .split('">Without Place of service 24')[0]
            .rsplit('href="', 1)[1]
            .replace("&amp;", "&")
        )
        assert "Without Place of service" not in text_of(site.get(link))
