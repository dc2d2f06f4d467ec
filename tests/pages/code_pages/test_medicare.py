"""Rates compared with Medicare."""

import re
from datetime import date
from typing import Any

import pytest
from django.test import Client
from django.utils.text import capfirst

from core import open_store
from core.pages.code_pages.medicare import AgedSchedule, find_aged_schedules
from core.pages.formats import write_basis, write_percent
from core.pages.shared.words.labels import schedule_label
from core.queries import coverage
from core.queries.baskets.payer_levels import list_market_levels, list_payer_levels
from core.queries.comparison.reasons import REASONS
from core.queries.comparison.schedules import SCHEDULES
from core.queries.latest import with_latest
from core.queries.market.market import Market
from core.queries.parties import middle_by_payer
from core.queries.releases import Release, list_releases
from core.queries.yardstick import medicare
from core.queries.yardstick.medicare import Basis
from core.store.connection import Snapshot
from core.store.watched_cursor import WatchedCursor
from tests.pages.markets import PEACH, QUERY
from tests.site import json_rows, tables, text_of


def test_each_row_has_a_basis_or_a_reason(site: Client, demo: Snapshot) -> None:
    market = Market("GA", "2025-08", "CPT", "70450")
    response = site.get("/medicare/", {**QUERY, "code": "70450", "classes": "all"})
    shown = text_of(response)
    outcomes = medicare.count_outcomes(demo, market)
    assert f"{outcomes.compared} of {outcomes.total} rates can be compared with a Medicare amount" in shown
    for reason in outcomes.reasons:
        assert REASONS[reason].meaning in shown
        assert REASONS[reason].needed in shown
    for basis in outcomes.bases:
        assert f"{capfirst(write_basis(basis.basis))} January 2025" in shown
    every, loaded = tables(response)[-2:]
    used = {one.kind for one in SCHEDULES for of in outcomes.bases if of.basis.startswith(one.title)} | {"wcfs"}
    assert len(used) > 1
    assert [row[0].removesuffix(", Georgia") for row in loaded[1:]] == [
        schedule_label(release.kind) for release in list_releases(demo) if release.kind in used
    ], "no notes on schedules that nothing here is compared with"
    first = medicare.list_comparisons(demo, market, "percent", 1, 0)[0]
    assert first.percent is not None
    assert every[1][0] == f"{first.percent:.0%}"
    assert first.basis is not None
    assert every[1][every[0].index("Basis, or reason for none")].startswith(capfirst(write_basis(first.basis)))
    assert "Physician fee outside facilities, modifier 26" in shown
    assert "release of January 2025" in shown


def test_payers_are_told_by_rates_and_by_organizations(site: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    # The made-up payers have few organizations. Answers are kept by their address: no other test asks for this one.
    monkeypatch.setattr(middle_by_payer, "LEAST_ORGANIZATIONS", 2)
    of_prices = {**QUERY, "billing_class": "professional", "modifier": "none", "format": "json"}
    asked = {**of_prices, "sort": "-percent", "format": "html"}
    shown = " ".join(text_of(site.get("/medicare/", asked)).split())
    of_payers = {row["payer_slug"]: row for row in json_rows(site.get("/payers/", of_prices))}
    told = []
    for row in json_rows(site.get("/medicare/", {**asked, "table": "payers", "format": "json"})):
        by_rates = f"pays {write_percent(row['p50'])} of Medicare at the middle one of its {row['rates']} rates"
        one = of_payers[row["payer_slug"]]
        middle = f"{write_percent(one['percent'])} to the middle one of its {one['organizations']} organizations"
        assert by_rates in shown
        assert (middle in shown) == one["by_organizations"]
        told.append(one["by_organizations"])
    assert any(told)


def test_the_rates_of_a_market_without_a_code_are_compared_once(site: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    begin = WatchedCursor._begin

    def note(self: WatchedCursor, sql: str, parameters: Any) -> None:
        asked.append(sql)
        begin(self, sql, parameters)

    open_store.close()  # what an earlier test has asked is not asked again
    monkeypatch.setattr(WatchedCursor, "_begin", note)
    response = site.get("/medicare/", {"state": "GA", "year_month": "2025-07", "payer": PEACH})
    assert response.status_code == 200
    assert "Percent of Medicare by payer" in text_of(response)
    assert sum("listed_code" in sql for sql in asked) == 1, "the rest reads what this one has found"


@pytest.mark.parametrize("address", ["/medicare/", "/medicare/?state=GA", "/medicare/?state=GA&year_month=2025-08"])
def test_the_page_without_a_code_compares_no_rates_one_by_one(
    site: Client, demo: Snapshot, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setattr(medicare, "list_comparisons", None)
    response = site.get(address)
    assert response.status_code == 200
    shown = text_of(response)
    assert "Choose a code to compare its rates with Medicare" in shown
    assert 'href="/medicare/?' in response.content.decode(), "familiar codes"
    market = with_latest(demo, Market("GA", "2025-08" if "year_month" in address else ""))
    levels = list_market_levels(demo, market)
    assert levels
    [heads, *rows] = tables(response)[0]
    assert heads == ["Usual services", *levels.payers]
    slugs = {name: slug for slug, name in coverage.list_payers(demo)}
    for at, name in enumerate(levels.payers, 1):
        of_page = list_payer_levels(demo, market, slugs[name])
        assert of_page
        own = {one.title: write_percent(one.percent) for one in of_page.specialties}
        assert {row[0]: row[at] for row in rows} == {row[0]: own.get(row[0], "–") for row in rows}
        assert set(own) <= {row[0] for row in rows}


def test_many_rates_without_a_code_are_compared_in_files_alone(site: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.pages.code_pages.medicare.MAX_COMPARED", 100)
    # An address that no other test asks: the site keeps its answers.
    asked = {"state": "GA", "year_month": "2025-08", "payer": PEACH, "modifier": "none", "area": "state"}
    assert "Choose a code" in text_of(site.get("/medicare/", asked))
    assert json_rows(site.get("/medicare/", {**asked, "format": "json"}))


def test_without_rates_the_page_says_where_there_are_some(site: Client) -> None:
    """Notes on the fee schedules would bury the answer: nothing is compared with them."""
    empty = site.get("/medicare/", {"state": "TX", "code_type": "CPT", "code": "99213"})
    shown = text_of(empty)
    assert "No rates for CPT 99213 in Texas" in shown
    assert "This code has rates in: Georgia, August 2025" in shown
    assert "/medicare/?state=GA&amp;year_month=2025-08&amp;code_type=CPT&amp;code=99213" in empty.content.decode()
    assert "Fee schedules" not in shown
    narrowed = text_of(site.get("/medicare/", {**QUERY, "modifier": "99"}))
    assert re.search(r"Without Modifier 99 : [1-9][\d,]* rates", narrowed)
    assert "Fee schedules" not in narrowed


@pytest.mark.parametrize("page", ["organizations", "places", "specialties"])
def test_other_pages_of_a_code_say_where_there_are_rates(site: Client, page: str) -> None:
    shown = text_of(site.get(f"/{page}/", {"state": "TX", "code_type": "CPT", "code": "99213"}))
    assert "This code has rates in: Georgia, August 2025" in shown


def test_an_old_schedule_is_said_to_be_old_once() -> None:
    values: dict[str, Any] = {"state": "US", "files": [], "rows_read": 1, "rows_priced": 1, "notes": [], "left_out": {}}
    loaded = [("medicare_prof", "2025-01"), ("medicare_prof", "2025-10"), ("opps", "2025-10"), ("asc", "2026-07")]
    releases = [Release(kind=kind, release=release, **values) for kind, release in loaded]
    bases = [Basis(basis, "2025-01", 5, 5) for basis in ("MPFS facility", "MPFS non-facility", "OPPS", "ASC")]
    today = date(2026, 11, 28)
    assert find_aged_schedules(releases, bases, today) == [AgedSchedule(["medicare_prof", "opps"], "2025-10", 13)]
    assert find_aged_schedules(releases, bases[3:], today) == []
    assert find_aged_schedules(releases, bases[3:], date(2027, 1, 1)) == [AgedSchedule(["asc"], "2026-07", 6)]
