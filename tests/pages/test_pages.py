"""The pages: what they show, what they refuse, and that their tables are the questions' answers."""

import json
import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory

from core.demo.payer_files import STATE, write_files
from core.load.load_file import load_file
from core.pages.forms import QueryForm
from core.pages.shared.page import PageQuery, page
from core.queries import codes, coverage, medicare, organizations, providers, rates
from core.queries.rules.comparison import REASONS
from core.queries.rules.market import Market
from core.rows import RowEncoder, row_values
from core.store.connection import Snapshot
from core.store.generations.store import Store
from core.tic.source import open_documents
from tests.site import csv_rows, json_rows, serving, tables, text_of
from tests.stores import ENDLESS, change, open_snapshot

MARKET = Market("GA", "2025-08", "CPT", "99213")
QUERY: dict[str, Any] = {"state": "GA", "year_month": "2025-08", "code_type": "CPT", "code": "99213"}
PAGES = ["/", "/codes/", "/codes/?q=knee", "/rates/", "/rates/?code=99213", "/medicare/", "/medicare/?code=70450",
         "/organizations/", "/organizations/?code=99214", "/payers/", "/payers/?code=70450",
         "/payers/?codes=99213,450,XYZ", "/payers/?payer=example_peach_health_plan", "/changes/",
         "/changes/?code=99213", "/changes/?payer=example_piedmont_mutual_inc"]  # fmt: skip


@pytest.mark.parametrize("address", PAGES)
def test_every_page_answers_and_keeps_to_its_policy(site: Client, address: str) -> None:
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


@pytest.mark.parametrize("address", [*PAGES, "/rates/?code=97110&pos=11", "/npi/{npi}/", "/tin/{tin}/"])
def test_every_link_of_a_page_works(site: Client, demo: Snapshot, address: str) -> None:
    npi, tin = demo.rows("SELECT (SELECT min(npi) FROM dim_npi), (SELECT min(tin_value) FROM dim_tin)")[0]
    response = site.get(address.format(npi=npi, tin=tin))
    links = {unescape(link) for link in re.findall(r'href="([^"#]*)"', response.content.decode())}
    assert len(links) > 5
    for link in links:
        target = link if link.startswith("/") else f"/{link}"
        if not target.startswith("/static/"):
            assert site.get(target).status_code == 200, link


def test_home_says_what_is_loaded(site: Client, demo: Snapshot) -> None:
    response = site.get("/")
    (loaded,) = tables(response)
    assert [row[2] for row in loaded[1:]] == [row.reporting_entity_name for row in coverage.list_coverage(demo)]
    assert f"{sum(row.rates for row in coverage.list_coverage(demo)):,} negotiated rates of 3 payers" in text_of(
        response
    )
    assert len(csv_rows(site.get("/", {"format": "csv"}))) == 6


def test_codes_are_found(site: Client) -> None:
    response = site.get("/codes/", {"q": "knee repl"})
    (found,) = tables(response)
    assert [row[1] for row in found[1:]] == ["27447", "469", "470"]
    assert "No loaded rate has a code like “zzz”" in text_of(site.get("/codes/", {"q": "zzz"}))
    assert [row["code"] for row in csv_rows(site.get("/codes/", {"q": "knee repl", "format": "csv"}))] == [
        "27447",
        "469",
        "470",
    ]


def test_rates_of_a_code(site: Client, demo: Snapshot) -> None:
    response = site.get("/rates/", QUERY)
    spread, every = tables(response)
    summaries = rates.summarize_rates(demo, MARKET)
    assert [row[0] for row in spread[1:]] == [row.reporting_entity_name for row in summaries]
    assert [row[7] for row in spread[1:]] == [f"${row.p50:,.2f}" for row in summaries]
    assert len(every) == 51
    assert [row[0] for row in every[1:]] == [
        f"${r.negotiated_rate:,.2f}" for r in rates.list_rates(demo, MARKET, "rate", 50, 0)
    ]
    counted = rates.count_market(demo, MARKET)
    assert f"{counted.rates} rates for {counted.groups} provider groups with {counted.npis} distinct NPIs" in text_of(
        response
    )
    assert "1 to 50 of 70" in text_of(response)


def test_pages_of_a_table_hold_every_row_once(site: Client) -> None:
    whole = [row["fact_uid"] for row in csv_rows(site.get("/rates/", {**QUERY, "format": "csv"}))]
    assert len(whole) == len(set(whole)) == 70
    shown = [len(tables(site.get("/rates/", {**QUERY, "page": number}))[-1]) - 1 for number in (1, 2)]
    assert shown == [50, 20]
    beyond = site.get("/rates/", {**QUERY, "page": 3})
    assert "There is no page 3: the last one is page 2" in text_of(beyond)


def test_every_table_is_had_as_csv_and_json(site: Client, demo: Snapshot) -> None:
    npi, tin = demo.rows(
        "SELECT (SELECT min(npi) FROM dim_npi), (SELECT min(tin_value) FROM dim_tin WHERE tin_type = 'ein')"
    )[0]
    of_npi = Market("GA", "2025-08", npi=npi)
    for address, table, expected in (
        ("/rates/", "rates", list(rates.stream_rates(demo, MARKET, "rate", 10**6, 60))),
        ("/rates/", "summary", rates.summarize_rates(demo, MARKET)),
        ("/medicare/", "rates", medicare.list_comparisons(demo, MARKET, "percent", 10**6, 0)),
        ("/medicare/", "payers", medicare.summarize_percents(demo, MARKET)),
        ("/medicare/", "bases", medicare.count_outcomes(demo, MARKET).bases),
        ("/organizations/", "organizations", organizations.list_organizations(demo, MARKET, "rates", 10**6, 0)),
        (f"/npi/{npi}/", "rates", providers.list_code_rates(demo, demo, of_npi, 10**6, 0)[1]),
        (f"/npi/{npi}/", "groups", providers.list_groups(demo, "npi", npi)),
        (f"/tin/{tin}/", "npis", providers.list_npis_of_tin(demo, tin, 10**6, 0)[1]),
        ("/codes/", "rows", codes.search_codes(demo, "", 10**6)[1]),
        ("/", "rows", coverage.list_coverage(demo)),
    ):
        parameters: dict[str, Any] = {
            "table": table,
            **(QUERY if address in {"/rates/", "/medicare/", "/organizations/"} else {}),
        }
        from_json = json_rows(site.get(address, {**parameters, "format": "json"}))
        from_csv = csv_rows(site.get(address, {**parameters, "format": "csv"}))
        wanted = [json.loads(json.dumps(row_values(row), cls=RowEncoder)) for row in expected]
        assert from_json == wanted, (address, table)
        assert [list(row) for row in from_csv] == [list(row) for row in wanted]
        assert len(from_csv) == len(wanted) > 0
    reasons = json_rows(site.get("/medicare/", {**QUERY, "table": "reasons", "format": "json"}))
    assert {row["reason"]: row["rates"] for row in reasons} == medicare.count_outcomes(demo, MARKET).reasons


def test_percentages_stand_apart_from_dollars(site: Client) -> None:
    response = site.get("/rates/", {**QUERY, "code": "97110"})
    dollars, percentages, _ = tables(response)
    assert "Mean" in dollars[0]
    assert "Mean" not in percentages[0]
    assert all("%" not in cell for row in dollars for cell in row)
    assert all("$" not in cell for row in percentages for cell in row)
    assert "Percentages never part of a mean of dollars" in text_of(response)
    organizations_page = text_of(site.get("/organizations/", {**QUERY, "code": "97110"}))
    assert re.search(r"\d+ are no dollars for one service", organizations_page)


@pytest.mark.parametrize(
    ("code_type", "code", "title"),
    [("REV", "0120", "Per diems"), ("MS-DRG", "469", "Bundles"), ("CPT", "99215", "Capitation")],
)
def test_other_kinds_stand_apart_too(site: Client, code_type: str, code: str, title: str) -> None:
    assert f"{title} never part of a mean of dollars" in text_of(
        site.get("/rates/", {**QUERY, "code_type": code_type, "code": code})
    )


def test_the_filter_by_place_says_what_it_does(site: Client) -> None:
    shown = text_of(site.get("/rates/", {**QUERY, "code": "97110", "pos": "11"}))
    assert (
        "Place 11 also matches rates that hold in every place (CSTM-00). "
        "10 rates that name no place at all are left out" in shown
    )
    assert "62.5%" in shown, "the percentage holds in every place"
    assert "No rate of this code is left out for naming no place" in text_of(
        site.get("/rates/", {**QUERY, "pos": "21", "code_type": "HCPCS", "code": "G0438"})
    )


def test_a_bare_code_finds_its_system(site: Client) -> None:
    assert "REV 0450" in text_of(site.get("/rates/", {"code": "450"}))
    assert "CPT 99213" in text_of(site.get("/rates/", {"code": "99213"}))
    assert "GA" in text_of(site.get("/rates/", {"code": "99213"}))


def test_an_unknown_code_says_what_is_there_instead(site: Client) -> None:
    response = site.get("/rates/", {**QUERY, "code": "99212"})
    assert response.status_code == 200
    shown = text_of(response)
    assert "No rate of CPT 99212 in Georgia, August 2025" in shown
    assert "What is there instead" in shown
    assert "99213" in shown
    assert "Nothing is loaded for this state and month" in text_of(site.get("/rates/", {**QUERY, "state": "TX"}))


@pytest.mark.parametrize(
    ("parameter", "value", "message"),
    [
        ("state", "ZZ", "'ZZ' is not a state: two letters, such as GA"),
        ("year_month", "2025-13", "'2025-13' is not a month as YYYY-MM"),
        ("pos", "1x", "'1X' is not a place of service"),
        ("pos", "11, 22", "'11,22' is not a place of service"),
        ("billing_class", "dental", "'dental' is not a valid billing class: expected one of professional"),
        ("modifier", "26'", "is not a modifier such as 26, or none"),
        ("npi", "123", "'123' is not an NPI"),
        ("tin", "12-34", "'1234' is not a tax ID: the 9 digits of an EIN"),
        ("payer", "A B", "'A B' is not a payer's key"),
        ("page", "0", "'0' is not a page number from 1 to 1,000,000"),
        ("page", "x", "'x' is not a page number"),
        ("sort", "color", "'color' is not a valid sort order: expected one of rate, -rate, payer, expires"),
        ("format", "xml", "'xml' is not a valid format: expected one of html, csv, json, parquet"),
        ("table", "none", "'none' is not a valid table: expected one of rates, summary, histogram"),
        ("code", "9" * 200, "at most 40 characters"),
        ("code", "9\x00", "Null characters are not allowed"),
    ],
)
def test_a_wrong_parameter_is_told_with_status_400(site: Client, parameter: str, value: str, message: str) -> None:
    response = site.get("/rates/", {**QUERY, parameter: value})
    assert response.status_code == 400
    shown = text_of(response)
    assert message in shown
    assert parameter in shown


@pytest.mark.parametrize(
    "value", ["'; DROP TABLE fact_rate; --", "$state", "<script>alert(1)</script>", "%", "\\", "é\u202e", "1 OR 1=1"]
)
def test_hostile_values_are_values(site: Client, value: str) -> None:
    for address in ("/rates/", "/medicare/", "/organizations/"):
        response = site.get(address, {"code": value[:40], "code_type": value[:20]})
        assert response.status_code == 200, value
        assert "<script>alert" not in response.content.decode()
    assert site.get("/codes/", {"q": value}).status_code == 200
    assert site.get("/rates/", {"payer": value}).status_code == 400


def test_an_npi_and_a_tax_number(site: Client, demo: Snapshot) -> None:
    npi, tin, name = demo.rows(
        "SELECT npi, tin_value, business_name FROM xref_tin_npi JOIN dim_tin USING (tin_type, tin_value) "
        "WHERE business_name IS NOT NULL ORDER BY npi LIMIT 1"
    )[0]
    of_npi = site.get(f"/npi/{npi}/")
    assert npi in text_of(of_npi)
    assert name in text_of(of_npi)
    of_tin = site.get(f"/tin/{tin}/")
    assert f"{name} {tin[:2]}-{tin[2:]}" in text_of(of_tin)
    assert npi in text_of(of_tin)
    assert site.get(f"/tin/{tin[:2]}-{tin[2:]}/", follow=False)["Location"] == f"/tin/{tin}/"
    total, rows = providers.list_code_rates(demo, demo, Market("GA", "2025-08", npi=npi), 50, 0)
    assert f"1 to 50 of {total}" in text_of(of_npi)
    assert len(tables(of_npi)[0]) == len(rows) + 1


def test_who_a_provider_is(site: Client, demo: Snapshot, store: Store, tmp_path: Path) -> None:
    person = demo.rows("SELECT npi, name FROM dim_npi WHERE credential = 'MD' AND deactivated_on IS NULL ORDER BY npi")[
        0
    ]
    page = text_of(site.get(f"/npi/{person[0]}/"))
    assert re.search(
        rf"{person[1]} {person[0]} Individual, MD: .* \(demo\) \d+ MAIN ST \(DEMO\), .*, GA 3\d{{4}}-\d{{4}}", page
    )
    clinic = demo.rows("SELECT npi, name FROM dim_npi WHERE entity_type = 'organization' ORDER BY npi")[0]
    assert re.search(rf"{clinic[1]} {clinic[0]} Organization: ", text_of(site.get(f"/npi/{clinic[0]}/")))
    ((gone, day),) = demo.rows("SELECT npi, deactivated_on FROM dim_npi WHERE deactivated_on IS NOT NULL")
    assert f"Deactivated on {day}." in text_of(site.get(f"/npi/{gone}/"))
    ((unknown,),) = demo.rows("SELECT npi FROM dim_npi WHERE name IS NULL")
    assert "NPPES) as loaded has no name for it" in text_of(site.get(f"/npi/{unknown}/"))
    load_file(store, open_documents(write_files(tmp_path)[0])[0], STATE)
    with serving(store.root):
        ((any_npi,),) = open_snapshot(store).rows("SELECT min(npi) FROM dim_npi")
        assert "Name and specialty are not loaded" in text_of(site.get(f"/npi/{any_npi}/"))


@pytest.mark.parametrize(
    ("address", "status", "message"),
    [
        ("/npi/2999999999/", 404, "No loaded rate lists the NPI 2999999999"),
        ("/npi/123/", 400, "'123' is not an NPI: 10 digits, starting with 1 or 2"),
        ("/tin/999999999/", 404, "No loaded rate lists the tax ID 999999999"),
        ("/tin/abc/", 400, "'abc' is not a tax ID"),
        ("/nothing/", 404, "/nothing/ does not exist on this site"),
    ],
)
def test_what_is_not_there_is_told(site: Client, address: str, status: int, message: str) -> None:
    response = site.get(address)
    assert response.status_code == status
    assert message in text_of(response)


def test_medicare_says_the_basis_of_each_row_and_each_reason(site: Client, demo: Snapshot) -> None:
    market = Market("GA", "2025-08", "CPT", "70450")
    response = site.get("/medicare/", {**QUERY, "code": "70450"})
    shown = text_of(response)
    outcomes = medicare.count_outcomes(demo, market)
    assert f"{outcomes.compared} of {outcomes.total} rates have a Medicare amount" in shown
    for reason in outcomes.reasons:
        assert REASONS[reason] in shown
    for basis in outcomes.bases:
        assert f"{basis.basis} release of January 2025" in shown
    every, loaded = tables(response)[-2:]
    assert [row[0] for row in loaded[1:]] == [release.kind for release in coverage.list_releases(demo)]
    first = medicare.list_comparisons(demo, market, "percent", 1, 0)[0]
    assert first.percent is not None
    assert every[1][0] == f"{first.percent:.0%}"
    assert first.basis is not None
    assert every[1][3].startswith(first.basis)
    assert "MPFS non-facility, modifier 26" in shown
    assert "release of January 2025" in shown


def test_the_whole_state_is_in_the_address_in_one_order(site: Client) -> None:
    response = site.get("/rates/?pos=11&code=97110&code_type=CPT&sort=-rate&year_month=2025-08&state=GA")
    canonical = "/rates/?state=GA&amp;year_month=2025-08&amp;code_type=CPT&amp;code=97110&amp;pos=11&amp;sort=-rate"
    assert f"{canonical}&amp;page=2" in response.content.decode()


def test_an_answer_is_not_sent_twice(site: Client) -> None:
    first = site.get("/rates/", QUERY)
    again = site.get("/rates/", QUERY, headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = site.get("/rates/", {**QUERY, "page": 2}, headers={"If-None-Match": first["ETag"]})
    assert other.status_code == 200
    assert site.head("/rates/", QUERY).status_code == 200
    assert site.post("/rates/", QUERY).status_code == 405


def test_a_new_generation_changes_the_etag_and_the_page(tmp_path: Path) -> None:
    store = Store(tmp_path / "data")
    change(store, "a")
    with serving(store.root):
        client = Client()
        before = client.get("/")
        change(store, "b")
        after = client.get("/", headers={"If-None-Match": before["ETag"]})
        assert after.status_code == 200
        assert "generation 2" in after.content.decode()
        assert "No rates yet" in text_of(after)


def test_an_empty_store_says_how_to_load(tmp_path: Path) -> None:
    with serving(tmp_path / "nothing"):
        client = Client()
        response = client.get("/rates/")
        assert response.status_code == 503
        assert "manage.py ingest_mrf --state GA" in text_of(response)
        assert client.get("/readyz").status_code == 503
        assert client.get("/healthz").status_code == 200


def test_a_store_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{")
    with serving(tmp_path):
        client = Client()
        response = client.get("/")
        assert response.status_code == 503
        assert "The rates cannot be read at the moment" in text_of(response)
        assert b"not a manifest" in client.get("/readyz").content


def test_health(site: Client) -> None:
    assert site.get("/healthz").content == b"alive\n"
    assert site.get("/readyz").content.startswith(b"ready, generation ")


def test_a_slow_question_is_stopped_and_told(demo_root: Path, settings: Any) -> None:
    settings.BEACONPOINT_QUERY_SECONDS = 0.2

    @page(QueryForm)
    def endless(query: PageQuery[QueryForm]) -> HttpResponse:
        return HttpResponse(str(query.db.rows(ENDLESS)))

    with serving(demo_root):
        response = endless(RequestFactory().get("/endless/"))
    assert response.status_code == 503
    assert "the question took longer than 0.2 seconds and was stopped" in text_of(response)
