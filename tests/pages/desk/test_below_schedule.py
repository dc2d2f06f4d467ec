"""The yardstick of the state's schedule on pages, and the page of those who accept less than it."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from django.test import Client

from core.pages.formats import write_percent
from core.pages.shared.paging import PAGE_ROWS
from core.queries.code_answer import spread_by_terms
from core.queries.code_titles import code_titles
from core.queries.market.market import Market
from core.queries.yardstick.below_schedule import (
    ROW_TYPES,
    count_below_schedule,
    count_where_listed,
    list_below_schedule,
)
from core.store.connection import Snapshot
from core.vocabulary.compensation_codes import list_usual_codes
from tests.pages.markets import MONTH
from tests.queries.one_market import store_of_market
from tests.queries.tables import written
from tests.site import Visitor, csv_rows, serving, tables, text_of

HEAD_CT = {**MONTH, "code_type": "CPT", "code": "70450"}
OF_CLASS = {**HEAD_CT, "billing_class": "professional", "modifier": "none"}
MARKET = Market(
    "GA", "2025-08", "CPT", "70450", "non-facility or unstated", billing_class="professional", modifier="none"
)
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
    answer = spread_by_terms(demo, replace(MARKET, yardstick="compensation"))[0]
    shown = text_of(site.get("/rates/", MEASURED))
    percent = write_percent(answer.percent_p50)
    assert f"{percent} of the workers’ compensation schedule of Georgia, in effect from January 2025" in shown
    assert "workers’ compensation, professional $195.00" in shown


def test_a_state_without_a_schedule_is_not_offered_one(site: Client) -> None:
    page = site.get("/rates/", {"state": "TX", "code": "70450", "yardstick": "compensation"})
    assert "No workers’ compensation schedule of Texas is loaded" in text_of(page)
    offered = site.get("/rates/", {"state": "TX", "code": "70450"}).content.decode()
    assert "yardstick=compensation" not in offered


def test_those_who_are_paid_less_are_listed_with_counts_and_shares(site: Client, demo: Snapshot) -> None:
    totals = count_below_schedule(demo, MARKET)
    page = site.get("/compensation/below/", OF_CLASS)
    answer = f"{totals.organizations_below} of {totals.organizations} organizations have a negotiated rate below"
    assert answer in text_of(page)
    payers, organizations, _ = tables(page)
    assert len(payers) == 4
    assert len(organizations) == totals.organizations + 1
    rows = csv_rows(site.get("/compensation/below/", {**OF_CLASS, "table": "payers", "format": "csv"}))
    listed = list_below_schedule(demo, MARKET, "payers", 10, 0)[1]
    assert [row["below"] for row in rows] == [str(one.below) for one in listed]
    assert {row["release"] for row in rows} == {"2025-01"}


def test_all_codes_near_a_place_need_no_code(site: Client) -> None:
    near = {**MONTH, "city": "ATLANTA"}
    shown = site.get("/compensation/below/", near)
    assert "Who is paid less than the schedule?" in text_of(shown)
    payers, _, codes, *_ = tables(shown)
    assert payers[0][0] == "Payer"
    usual = list_usual_codes()
    listed = [row[0].split()[1] for row in codes[1:]]
    positions = [usual.index(code) if code in usual else len(usual) for code in listed]
    assert positions == sorted(positions)
    assert listed[0] in usual
    # The lowest of several codes names its own.
    assert re.search(r"[0-9A-Z]{5}: \$[0-9.,]+ of \$", " ".join(payers[1]))


CODES = {**MONTH, "codes": "99213,70450"}


def test_a_list_of_codes_has_a_row_for_each_organization_and_code_in_dollars(site: Client) -> None:
    rows = csv_rows(site.get("/compensation/below/", {**CODES, "format": "csv"}))
    assert {row["code"] for row in rows} == {"99213", "70450"}
    assert len({(row["tin_value"], row["code"]) for row in rows}) == len(rows)
    for row in rows:
        assert float(row["lowest"]) == pytest.approx(float(row["lowest_rate"]) / float(row["lowest_amount"]), abs=1e-3)
        assert float(row["lowest_rate"]) <= float(row["p50"])
    for code in ("99213", "70450"):
        alone = {**MONTH, "code": code, "billing_class": "professional", "modifier": "none", "format": "csv"}
        single = csv_rows(site.get("/compensation/below/", alone))
        of_list = [row for row in rows if row["code"] == code]
        figures = ("tin_value", "compared", "below", "p50", "amount", "lowest_rate", "implausible")
        # Of one code, likely performers come first.
        assert sorted([row[name] for name in figures] for row in single) == sorted(
            [row[name] for name in figures] for row in of_list
        )
    page = site.get("/compensation/below/", CODES)
    payers, organizations, of_codes, _ = tables(page)
    assert "2 codes" in text_of(page)
    assert len(of_codes) == 3
    assert len(organizations) == min(len(rows), PAGE_ROWS) + 1
    assert payers[0][4] == "Median % of schedule", "dollars of two codes together say nothing"
    assert organizations[0][5:7] == ["Median", "Schedule"]
    assert site.get("/api/v1/compensation/below/organizations", CODES).json()["total"] == len(rows)
    assert "codes" in text_of(site.get("/compensation/below/", {**MONTH, "basket": "imaging"}))


def test_a_code_is_shown_by_modifier_where_the_schedule_has_amounts_for_some(site: Client, demo: Snapshot) -> None:
    rows = csv_rows(site.get("/compensation/below/", {**OF_CLASS, "table": "modifiers", "format": "csv"}))
    assert {row["modifier"]: row["amount"] for row in rows} == {"": "195.0", "26": "72.0", "TC": "123.0"}
    for row in rows:
        modifier = row["modifier"] or "none"
        alone = csv_rows(
            site.get("/compensation/below/", {**OF_CLASS, "modifier": modifier, "table": "codes", "format": "csv"})
        )
        figures = ("compared", "below", "p50", "amount", "lowest")
        assert [[one[name] for name in figures] for one in alone] == [[row[name] for name in figures]]
    page = site.get("/compensation/below/", OF_CLASS)
    assert "By modifier" in text_of(page)
    assert {row[0] for row in tables(page)[-1][1:]} == {
        "none: the whole service",
        "26: the reading",
        "TC: the technical part",
    }
    assert "By modifier" not in text_of(site.get("/compensation/below/", {**OF_CLASS, "code": "99213"}))
    of_list = csv_rows(site.get("/compensation/below/", {**CODES, "table": "modifiers", "format": "csv"}))
    assert {(row["code"], row["modifier"]) for row in of_list} >= {("70450", ""), ("70450", "26"), ("99213", "")}


def test_files_name_a_code_as_the_site_does_before_its_figures(site: Client, demo: Snapshot) -> None:
    titles = code_titles(demo)
    for table in ("codes", "modifiers", "organizations"):
        rows = csv_rows(site.get("/compensation/below/", {**CODES, "table": table, "format": "csv"}))
        assert {row["name"] for row in rows} == {titles["CPT", "99213"], titles["CPT", "70450"]}
        heads = list(rows[0])
        assert heads.index("name") < heads.index("compared")
    changed = csv_rows(site.get("/changes/", {**HEAD_CT, "from": "2025-07", "format": "csv"}))
    assert {row["name"] for row in changed} == {titles["CPT", "70450"]}
    assert {(row["compared_with"], row["year_month"]) for row in changed} == {("2025-07", "2025-08")}


def test_a_lowest_rate_that_is_implausible_is_marked(tmp_path: Path) -> None:
    rates = [{"group": group, "negotiated_rate": rate} for group, rate in ((0, 2.0), (1, 80.0), (3, 150.0))]
    plain = store_of_market(tmp_path, *rates)
    amount = {"release": "2025-01", "state": "GA", "code_type": "CPT", "code": "99213"}
    priced = {**amount, "wcfs_status": "priced", "wcfs_amount": 100.0}
    schedule = [{**priced, "year_month": month} for month in ("2025-01", "2025-08")]  # each month that it is in force
    of_release = {
        "kind": "wcfs",
        "release": "2025-01",
        "state": "GA",
        "states": ["GA"],
        "year_month": "2025-01",
        "files": ["ga.csv"],
    }
    db = written(plain.root, {"bench_wcfs": schedule, "dim_benchmark": [of_release]})
    market = Market("GA", "2025-08", "CPT", "99213")
    totals = count_below_schedule(db, market)
    assert (totals.compared, totals.below, totals.implausible) == (3, 2, 1)
    found = {one.tin_value: one for one in list_below_schedule(db, market, "organizations", 10, 0)[1]}  # type: ignore[attr-defined]
    assert [found[tin].lowest_plausible for tin in sorted(found)] == [False, True, True]
    assert [found[tin].lowest_rate for tin in sorted(found)] == [2.0, 80.0, 150.0]
    (payer,) = list_below_schedule(db, market, "payers", 10, 0)[1]
    assert (payer.lowest, payer.lowest_plausible) == (0.8, True), "the $2.00 is counted, and no lowest"
    with serving(plain.root):
        page = text_of(Visitor().get("/compensation/below/", {**MONTH, "code": "99213"}))
    assert "1 of these rates is below 50% or above 3,000% of Medicare" in page
    assert "2.0% $2.00 of $100.00 implausible" in page
    assert "80% $80.00 of $100.00" in page
    assert "In effect from" not in page, "the title says it once"


def test_who_is_mostly_above_the_schedule_is_not_among_those_who_accept_less(tmp_path: Path) -> None:
    """Group 0 has two rates below and three above, which is more below than group 1 has at all."""
    rates = [
        *((0, rate) for rate in (80.0, 90.0, 121.0, 130.0, 140.0)), (1, 95.0), *((3, rate) for rate in (60.0, 70.0)),
    ]  # fmt: skip
    places = ("11", "12", "13", "14", "15")
    made = [
        {"group": group, "negotiated_rate": rate, "places": [place]}
        for (group, rate), place in zip(rates, places * 2, strict=False)
    ]
    plain = store_of_market(tmp_path, *made)
    priced = {"release": "2025-01", "state": "GA", "code_type": "CPT", "code": "99213", "wcfs_status": "priced"}
    schedule = [{**priced, "wcfs_amount": 100.0, "year_month": month} for month in ("2025-01", "2025-08")]
    release = {"kind": "wcfs", "release": "2025-01", "state": "GA", "states": ["GA"], "year_month": "2025-01"}
    db = written(plain.root, {"bench_wcfs": schedule, "dim_benchmark": [{**release, "files": ["ga.csv"]}]})
    market = Market("GA", "2025-08", "CPT", "99213")
    totals = count_below_schedule(db, market)
    assert (totals.organizations, totals.organizations_below, totals.organizations_mostly_below) == (3, 3, 2)
    assert totals.percent_p50 == pytest.approx(0.925)
    listed = list_below_schedule(db, market, "organizations", 10, 0)[1]
    assert [(one.tin_value, one.below, one.is_mostly_below) for one in listed] == [  # type: ignore[attr-defined]
        ("100000003", 2, True), ("100000002", 1, True), ("100000001", 2, False),
    ]  # fmt: skip
    with serving(db.root):
        page = Visitor().get("/compensation/below/", {**MONTH, "code": "99213"})
    shown = text_of(page)
    assert "In the middle, these rates are 92% of the schedule : 5 of the 8 that it prices are below" in shown
    assert "2 of 3 organizations are paid less for most rates: 100000003 65% in the middle, 100000002 95%" in shown
    assert "40% most are not below" in shown


def test_the_api_asks_the_same(site: Client, demo: Snapshot) -> None:
    for by in ROW_TYPES:
        found = site.get(f"/api/v1/compensation/below/{by}", OF_CLASS).json()
        listed = list_below_schedule(demo, MARKET, by, 100, 0)[1]
        assert [row["below"] for row in found["rows"]] == [one.below for one in listed]
        assert found["totals"]["below"] == count_below_schedule(demo, MARKET).below


def test_organizations_say_who_bills_under_them_and_those_of_other_states_come_last(tmp_path: Path) -> None:
    rates = [{"group": group, "negotiated_rate": rate} for group, rate in ((0, 60.0), (0, 61.0), (1, 80.0), (3, 70.0))]
    plain = store_of_market(tmp_path, *rates)
    priced = {"release": "2025-01", "state": "GA", "code_type": "CPT", "code": "99213", "wcfs_status": "priced"}
    schedule = [{**priced, "wcfs_amount": 100.0, "year_month": month} for month in ("2025-01", "2025-08")]
    release = {"kind": "wcfs", "release": "2025-01", "state": "GA", "states": ["GA"], "year_month": "2025-01"}
    of_month = {"year_month": "2025-08", "payer_slug": "payer_a", "tin_type": "ein"}
    db = written(
        plain.root,
        {
            "bench_wcfs": schedule,
            "dim_benchmark": [{**release, "files": ["ga.csv"]}],
            "xref_tin_npi": [
                {**of_month, "tin_value": "100000001", "npi": "1912951245"},
                {**of_month, "tin_value": "100000002", "npi": "1003027533"},
            ],
            "dim_npi": [
                {"npi": "1912951245", "entity_type": "organization", "name": "DALLAS CLINIC", "city": "Dallas",
                 "state": "TX"},
                {"npi": "1003027533", "entity_type": "individual", "name": "DOE, ANN", "city": "Macon", "state": "GA"},
            ],
        },
    )  # fmt: skip
    market = Market("GA", "2025-08", "CPT", "99213")
    _, listed = list_below_schedule(db, market, "organizations", 10, 0)
    found = [(one.tin_value, one.in_state, one.npis, one.main_city, one.example) for one in listed]  # type: ignore[attr-defined]
    assert found == [
        ("100000003", None, 0, None, None),
        ("100000002", True, 1, "MACON, GA", None),
        ("100000001", False, 1, "DALLAS, TX", "DALLAS CLINIC"),
    ], "two rates of Dallas are below the schedule, and stand last"
    only = list_below_schedule(db, market, "organizations", 10, 0, of_state_only=True)
    assert only[0] == 1
    totals = count_below_schedule(db, market, of_state_only=True)
    assert (totals.organizations_in_state, totals.organizations_elsewhere, totals.organization_rows) == (1, 1, 1)
    assert totals.organizations_below_in_state == 1
    of_texas = replace(market, state="TX")
    assert count_where_listed(db, market, of_state_only=None)[1] is True
    assert count_where_listed(db, market, of_state_only=False)[1] is False
    assert count_where_listed(db, of_texas, of_state_only=None) == (count_below_schedule(db, of_texas), False)
    with serving(plain.root):
        asked = {**MONTH, "code": "99213"}
        page = text_of(Visitor().get("/compensation/below/", {**asked, "practice": "anywhere"}))
        of_state = text_of(Visitor().get("/compensation/below/", asked))
        files = [
            csv_rows(Visitor().get("/compensation/below/", {**asked, **chosen, "format": "csv"}))
            for chosen in ({}, {"practice": "state"}, {"practice": "anywhere"})
        ]
        answers = [
            Visitor().get("/api/v1/compensation/below/organizations", {**asked, **chosen}).json()
            for chosen in ({}, {"practice": "anywhere"})
        ]
    assert "1 NPI, in DALLAS, TX none in Georgia for example DALLAS CLINIC" in page
    assert "1 of the 3 practices in other states only" in page
    assert [len(rows) for rows in files] == [1, 1, 3]
    assert [(one["total"], one["totals"]["organizations"]) for one in answers] == [(1, 3), (3, 3)]
    assert "MACON, GA" in of_state
    assert (
        "1 of 1 organization with somebody who practices in Georgia has a negotiated rate below the schedule"
        in of_state
    )
    assert "(3 of 3 with those elsewhere)" in of_state
    assert "Show all 3" in of_state
    assert "DALLAS CLINIC" not in of_state


def test_a_code_in_the_list_of_all_has_the_figures_of_its_own_page(site: Client) -> None:
    of_payer = {**MONTH, "payer": "example_savannah_benefit_administrators"}
    page = site.get("/compensation/below/", of_payer)
    assert "Each code counts with the rates that its own page opens with" in text_of(page)
    every = csv_rows(site.get("/compensation/below/", {**of_payer, "table": "codes", "format": "csv"}))
    figures = ("compared", "below", "percent_p50", "p50", "amount", "lowest_rate")
    for row in every:
        own = {**of_payer, "code": row["code"], "code_type": row["code_type"], "table": "codes", "format": "csv"}
        alone = csv_rows(site.get("/compensation/below/", own))
        assert [[one[name] for name in figures] for one in alone] == [[row[name] for name in figures]], row["code"]
    together = site.get("/compensation/below/", {**of_payer, "classes": "all"})
    assert "Rates of all classes are counted together" in text_of(together)
    pooled = csv_rows(
        site.get("/compensation/below/", {**of_payer, "classes": "all", "table": "codes", "format": "csv"})
    )
    assert sum(int(row["compared"]) for row in pooled) > sum(int(row["compared"]) for row in every)


def test_a_schedule_that_is_newer_than_the_rates_is_shown_beside_them(tmp_path: Path) -> None:
    """Who was below the schedule of the time is not known, but the page is no dead end."""
    plain = store_of_market(tmp_path, {"negotiated_rate": 80.0}, {"negotiated_rate": 60.0, "group": 1})
    of_release = {"release": "2026-01", "state": "GA", "year_month": "2026-01"}
    priced = {**of_release, "code_type": "CPT", "code": "99213", "wcfs_status": "priced", "wcfs_amount": 100.0}
    release = {**of_release, "kind": "wcfs", "states": ["GA"], "files": ["ga.csv"]}
    db = written(plain.root, {"bench_wcfs": [priced], "dim_benchmark": [release]})
    with serving(db.root):
        start = Visitor().get("/compensation/below/")
        of_code = Visitor().get("/compensation/below/", {"state": "GA", "code": "99213"})
        of_list = Visitor().get("/compensation/below/", {"state": "GA", "codes": "99213,99214"})
        elsewhere = Visitor().get("/compensation/below/", {"state": "TX"})
    for page in (start, of_code, of_list):
        assert "is in effect from January 2026. So these percents are of later amounts" in text_of(page)
    assert [row[:1] + row[-1:] for row in tables(start)[0][1:]] == [["99213", "70%"]]
    assert "PAYER_A pays professionals" in text_of(of_code)
    assert "$70.00 in the middle of 2 rates: 70% of the schedule’s $100.00" in text_of(of_code)
    assert tables(of_list)[0][1][2:7] == ["$100.00", "PAYER_A", "2", "$70.00 $60.00 to $80.00", "70%"]
    assert "No workers’ compensation schedule of Texas is loaded" in text_of(elsewhere)
    assert 'href="/compensation/below/?state=GA"' in elsewhere.content.decode()
