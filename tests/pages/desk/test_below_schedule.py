"""The yardstick of the state's schedule on pages, and the page of those who accept less than it."""

import pytest
from django.test import Client

from core.pages.formats import write_percent
from core.queries.code_answer import spread_by_terms
from core.queries.rules.market import Market
from core.queries.yardstick.below_schedule import ROW_TYPES, count_below_schedule, list_below_schedule
from core.store.connection import Snapshot
from tests.pages.markets import MONTH
from tests.site import csv_rows, tables, text_of

HEAD_CT = {**MONTH, "code_type": "CPT", "code": "70450"}
OF_CLASS = {**HEAD_CT, "billing_class": "professional", "modifier": "none"}
MARKET = Market("GA", "2025-08", "CPT", "70450", billing_class="professional", modifier="none")
MEASURED = {**HEAD_CT, "yardstick": "compensation"}
PAGES = ("/rates/", "/medicare/", "/trend/", "/places/", "/specialties/", "/baskets/")


@pytest.mark.parametrize("page", PAGES)
def test_pages_name_the_schedule_that_percents_are_of(site: Client, page: str) -> None:
    query = {**MONTH, "basket": "imaging"} if page == "/baskets/" else HEAD_CT
    if page == "/trend/":
        query = {name: value for name, value in query.items() if name != "year_month"}
    plain, measured = (site.get(page, {**query, **more}) for more in ({}, {"yardstick": "compensation"}))
    assert measured.status_code == 200
    assert "yardstick=compensation" in plain.content.decode()
    shown = text_of(measured)
    assert "the workers’ compensation schedule of Georgia" in shown or "Schedule amount" in shown
    assert text_of(plain) != shown


def test_the_answer_says_which_release_its_percent_is_of(site: Client, demo: Snapshot) -> None:
    answer = spread_by_terms(demo, Market("GA", "2025-08", "CPT", "70450", yardstick="compensation"))[0]
    shown = text_of(site.get("/rates/", MEASURED))
    percent = write_percent(answer.percent_p50)
    assert f"{percent} of the workers’ compensation schedule of Georgia, in effect from January 2025" in shown
    assert "workers’ compensation, professional $195.00" in shown


def test_a_state_without_a_schedule_is_not_offered_one(site: Client) -> None:
    page = site.get("/rates/", {"state": "TX", "code": "70450", "yardstick": "compensation"})
    assert "No workers’ compensation schedule of Texas is loaded" in text_of(page)
    offered = site.get("/rates/", {"state": "TX", "code": "70450"}).content.decode()
    assert "yardstick=compensation" not in offered


def test_those_who_accept_less_are_listed_with_counts_and_shares(site: Client, demo: Snapshot) -> None:
    totals = count_below_schedule(demo, MARKET)
    page = site.get("/compensation/below/", OF_CLASS)
    answer = f"{totals.organizations_below} of {totals.organizations} organizations have a negotiated rate below"
    assert answer in text_of(page)
    payers, organizations = tables(page)
    assert len(payers) == 4
    assert len(organizations) == totals.organizations + 1
    rows = csv_rows(site.get("/compensation/below/", {**OF_CLASS, "table": "payers", "format": "csv"}))
    listed = list_below_schedule(demo, MARKET, "payers", 10, 0)[1]
    assert [row["below"] for row in rows] == [str(one.below) for one in listed]
    assert {row["release"] for row in rows} == {"2025-01"}


def test_the_api_asks_the_same(site: Client, demo: Snapshot) -> None:
    for by in ROW_TYPES:
        found = site.get(f"/api/v1/compensation/below/{by}", OF_CLASS).json()
        listed = list_below_schedule(demo, MARKET, by, 100, 0)[1]
        assert [row["below"] for row in found["rows"]] == [one.below for one in listed]
        assert found["totals"]["below"] == count_below_schedule(demo, MARKET).below
