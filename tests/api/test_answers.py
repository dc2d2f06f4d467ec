"""The API answers with the rows of the queries, and following the cursors returns each row once."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as st

from core.queries import coverage, rates
from core.queries.find import codes
from core.queries.market.market import Market
from core.queries.market.market_filters import ALL_CLASSES
from core.queries.parties import organizations, provider_rates, providers
from core.queries.rates_against_medicare import list_against_medicare, summarize_against_medicare
from core.queries.releases import list_releases
from core.queries.yardstick import medicare
from core.queries.yardstick.compensation import list_compensation_amounts, list_compensation_releases
from core.store.connection import Snapshot
from core.store.generations.store import Store
from tests.api.market import ALL, MARKET, QUERY, plain
from tests.api.walking import get, walk
from tests.queries.answers import a_market
from tests.queries.comparison import slow_comparison
from tests.queries.slow import Everything
from tests.site import serving
from tests.stores import open_snapshot


@pytest.fixture(scope="module")
def everything(demo_root: Path) -> Everything:
    return Everything(open_snapshot(Store(demo_root)))


def of_provider(db: Snapshot, market: Market) -> list[provider_rates.CodeRates]:
    return provider_rates.list_code_rates(db, db, market, 10**6, 0)[1]


TOGETHER = replace(MARKET, classes=ALL_CLASSES)
"""What ALL asks for: rates of several classes have no common median to be above or below."""


def test_every_table_has_the_rows_of_its_query(site: Client, demo: Snapshot) -> None:
    npi, tin = demo.rows(
        "SELECT (SELECT min(npi) FROM dim_npi), (SELECT min(tin_value) FROM dim_tin WHERE tin_type = 'ein')"
    )[0]
    (schedule,) = list_compensation_releases(demo)
    for path, parameters, expected in (
        ("coverage", {}, coverage.list_coverage(demo)),
        ("coverage/periods", {}, coverage.list_periods(demo)),
        ("coverage/benchmarks", {}, list_releases(demo)),
        ("codes", {}, codes.search_codes(demo, "", 10**6)[1]),
        ("codes", {"q": "knee repl"}, codes.search_codes(demo, "knee repl", 10**6)[1]),
        ("rates", ALL, list_against_medicare(demo, MARKET, "rate", 10**6, 0)),
        ("rates", {**ALL, "sort": "payer"}, list_against_medicare(demo, MARKET, "payer", 10**6, 0)),
        ("organizations", ALL, organizations.list_organizations(demo, TOGETHER, "-p50", 10**6, 0)),
        ("medicare", {**ALL, "sort": "-percent"}, medicare.list_comparisons(demo, MARKET, "-percent", 10**6, 0)),
        ("medicare/payers", ALL, medicare.summarize_percents(demo, MARKET)),
        (
            "medicare",
            {**ALL, "sort": "-wcfs_percent"},
            medicare.list_comparisons(demo, MARKET, "-wcfs_percent", 10**6, 0),
        ),
        ("compensation/payers", ALL, medicare.summarize_percents(demo, MARKET, medicare.COMPENSATION)),
        ("compensation", {"state": "GA"}, list_compensation_amounts(demo, schedule, "", "", 10**6, 0)[1]),
        ("compensation", {"state": "GA", "code": "704"}, list_compensation_amounts(demo, schedule, "", "704", 9, 0)[1]),
        (f"providers/npi/{npi}/rates", {}, of_provider(demo, Market("GA", "2025-08", npi=npi))),
        (f"providers/tin/{tin}/rates", {}, of_provider(demo, Market("GA", "2025-08", tin=tin))),
        (
            f"providers/tin/{tin}/rates",
            {"year_month": "2025-07", "billing_class": "professional"},
            of_provider(demo, Market("GA", "2025-07", tin=tin, billing_class="professional")),
        ),
        (f"providers/tin/{tin}/npis", {}, providers.list_npis_of_tin(demo, tin, 10**6, 0)[1]),
    ):
        assert walk(site, path, **parameters, limit=1000) == plain(list(expected)), path
        assert walk(site, path, **parameters, limit=max(len(expected) // 3, 1)) == plain(list(expected)), path
        assert expected


def test_the_other_fields_of_an_answer_are_those_of_their_queries(site: Client, demo: Snapshot) -> None:
    npi, tin = demo.rows("SELECT npi, tin_value FROM xref_tin_npi ORDER BY npi LIMIT 1")[0]
    # The market is narrowed first, so that what a mean is made of is added up in another order.
    spreads = walk(site, "rates/summary", **ALL, limit=3)
    for row, expected in zip(spreads, plain(summarize_against_medicare(demo, MARKET)), strict=True):
        assert row.pop("mean") == pytest.approx(expected.pop("mean"))
        assert row == expected
    assert spreads
    assert get(site, "rates/summary", **ALL)["counts"] == plain(rates.count_market(demo, MARKET))
    assert get(site, "organizations", **ALL)["totals"] == plain(organizations.count_totals(demo, MARKET))
    outcomes = medicare.count_outcomes(demo, MARKET)
    answer = get(site, "medicare/outcomes", **ALL)
    assert (answer["total"], answer["compared"]) == (outcomes.total, outcomes.compared)
    assert (answer["bases"], answer["reasons"]) == (plain(outcomes.bases), outcomes.reasons)
    outcomes = medicare.count_outcomes(demo, MARKET, medicare.COMPENSATION)
    answer = get(site, "compensation/outcomes", **ALL)
    assert (answer["total"], answer["compared"]) == (outcomes.total, outcomes.compared)
    assert (answer["bases"], answer["reasons"]) == (plain(outcomes.bases), outcomes.reasons)
    of_npi = get(site, f"providers/npi/{npi}")
    assert of_npi["provider"] == plain(providers.find_npi(demo, npi))
    assert of_npi["register_loaded"] is True
    ((clinic,),) = demo.rows("SELECT min(npi) FROM npi_location")
    of_clinic = get(site, f"providers/npi/{clinic}")
    assert of_clinic["other_names"] == plain(providers.list_other_names(demo, clinic)) != []
    assert of_clinic["locations"] == plain(providers.list_locations(demo, clinic)) != []
    assert get(site, "compensation", state="GA")["schedule"]["release"] == "2025-01"
    assert of_npi["tins"] == plain(providers.list_tins_of_npi(demo, npi))
    assert of_npi["groups"] == plain(providers.list_groups(demo, "npi", npi))
    of_tin = get(site, f"providers/tin/{tin}")
    assert (of_tin["tins"], of_tin["groups"]) == (
        plain(providers.find_tins(demo, tin)),
        plain(providers.list_groups(demo, "tin", tin)),
    )
    assert of_tin["generation"] == demo.manifest.generation


def test_an_omitted_month_or_code_system_is_chosen_and_returned(site: Client) -> None:
    answer = get(site, "rates", code="99213")
    of_class = {"billing_class": "professional", "modifier": "none", "care_setting": "non-facility or unstated"}
    assert {name: value for name, value in answer["market"].items() if value} == {**QUERY, **of_class}
    assert get(site, "rates", code="450")["market"]["code"] == "0450"
    assert len(answer["rows"]) == answer["total"] == 50
    assert [(one["billing_class"], one["rates"], one["chosen"]) for one in answer["rate_classes"]] == [
        ("professional", 50, True), ("professional", 10, False), ("institutional", 10, False),
    ]  # fmt: skip
    assert get(site, "rates", code="99213", classes="all")["total"] == 70


def test_link_headers_lead_through_the_whole_table(site: Client) -> None:
    address, seen = "/api/v1/rates?code=99213&classes=all&sort=-rate&limit=30", []
    while address:
        response = site.get(address)
        seen += [row["fact_uid"] for row in response.json()["rows"]]
        link = response.headers.get("Link", "")
        assert (response.json()["next"] or "") == parse_qs(urlsplit(link[1:].split(">")[0]).query).get("cursor", [""])[
            0
        ]
        address = link[1:].split(">")[0]
    assert len(seen) == len(set(seen)) == 70


KEYS: dict[str, Any] = {
    "rate": lambda fact: (fact["negotiated_rate"], fact["fact_uid"]),
    "-rate": lambda fact: (-fact["negotiated_rate"], fact["fact_uid"]),
    "payer": lambda fact: (fact["reporting_entity_name"], fact["negotiated_rate"], fact["fact_uid"]),
    "expires": lambda fact: (
        fact["expiration_date"] is None,
        fact["expiration_date"],
        fact["negotiated_rate"],
        fact["fact_uid"],
    ),
}


@settings(max_examples=4)
@given(data=st.data())
def test_following_cursors_returns_each_rate_once_in_order(
    site: Client, everything: Everything, data: st.DataObject
) -> None:
    market = data.draw(a_market(everything).filter(lambda market: market.code is not None))
    if market.code_type is None:
        system = "HCPCS" if str(market.code)[0].isalpha() else "CPT"
        market = Market(**{**vars(market), "code_type": system})
    sort, limit = data.draw(st.sampled_from(sorted(KEYS))), data.draw(st.integers(7, 90))
    asked = {**{name: value for name, value in vars(market).items() if value is not None}, "classes": "all"}
    facts = everything.of(market)
    found = walk(site, "rates", **asked, sort=sort, limit=limit)
    assert [row["fact_uid"] for row in found] == [fact["fact_uid"] for fact in sorted(facts, key=KEYS[sort])]
    by_uid = {fact["fact_uid"]: fact for fact in facts}
    for row in found:
        fact = by_uid[row["fact_uid"]]
        assert (row["negotiated_rate"], row["kind"]) == (fact["negotiated_rate"], fact["kind"])
        assert (row["npis"], row["service_codes"]) == (len(fact["npis"]), fact["places"])
    compared = walk(site, "medicare", **asked, sort=data.draw(st.sampled_from(["percent", "-percent"])), limit=limit)
    for row in compared:
        outcome = slow_comparison.compared_in(market, by_uid[row["fact_uid"]], everything.benchmarks)
        assert (row["reason"], row["basis"], row["medicare"]) == (outcome.reason, outcome.basis, outcome.amount)
    assert sorted(row["fact_uid"] for row in compared) == sorted(by_uid)
    per_tin = {tin for fact in facts if fact["kind"] == "dollars" for tin in fact["tins"]}
    order = data.draw(st.sampled_from(["mean", "-mean", "p50", "-p50", "rates"]))
    of_tins = walk(site, "organizations", **asked, sort=order, limit=max(limit // 9, 1))
    assert sorted((row["tin_type"], row["tin_value"]) for row in of_tins) == sorted(per_tin)


def test_a_store_without_rates_answers_503(tmp_path: Path) -> None:
    with serving(tmp_path / "nothing"):
        response = Client().get("/api/v1/coverage")
    assert response.status_code == 503
    assert response["Retry-After"] == "30"
    assert response.json()["type"] == "/api/docs#nothing-loaded"


@pytest.mark.parametrize(
    ("page", "table", "resource"),
    [
        ("rates", "rates", "rates"),
        ("rates", "summary", "rates/summary"),
        ("medicare", "rates", "medicare"),
        ("medicare", "payers", "medicare/payers"),
        ("organizations", "organizations", "organizations"),
        ("changes", "rates", "changes"),
    ],
)
def test_the_json_download_of_a_page_has_the_rows_and_columns_of_the_api(
    site: Client, page: str, table: str, resource: str
) -> None:
    response = site.get(f"/{page}/", {**QUERY, "table": table, "format": "json"})
    downloaded = json.loads(b"".join(response.streaming_content))["rows"]  # type: ignore[attr-defined]
    rows = walk(site, resource, **QUERY, limit=1000)
    assert [list(row) for row in downloaded] == [list(row) for row in rows]
    for row, other in zip(downloaded, rows, strict=True):
        # The market is narrowed for one of the two, so that a mean is added up in another order.
        assert row.pop("mean", 0) == pytest.approx(other.pop("mean", 0))
        assert row == other
    assert rows


def test_pages_and_api_write_a_moment_the_same_way(site: Client) -> None:
    response = site.get("/payers/", {"format": "json"})
    downloaded = json.loads(b"".join(response.streaming_content))["rows"]  # type: ignore[attr-defined]
    assert downloaded == walk(site, "coverage")
    assert all(row["loaded_at"].endswith("Z") for row in downloaded)
