"""Every table of every page can be downloaded, and contains the rows of its question."""

import json
from typing import Any

from django.test import Client

from core.fields.codes.code_list import read_codes
from core.queries import coverage
from core.queries.classes.rate_classes import choose_class
from core.queries.find.codes import list_asked_codes, list_market_codes
from core.queries.loaded_files import list_files
from core.queries.market.market import Market
from core.queries.over_time import changes
from core.queries.parties import organizations, provider_rates, providers
from core.queries.payers import networks
from core.queries.rates_against_medicare import stream_against_medicare, summarize_against_medicare
from core.queries.side_by_side.payer_comparison import compare_payers
from core.queries.yardstick import medicare
from core.rows import RowEncoder, column_names, row_values
from core.store.connection import Snapshot
from core.vocabulary.services import FAMILIAR_CODES
from tests.pages.markets import MARKET, MONTH, PIEDMONT, QUERY
from tests.site import csv_rows, json_rows


def test_tables_of_codes_and_providers_can_be_downloaded(site: Client, demo: Snapshot) -> None:
    npi, tin = demo.rows(
        "SELECT (SELECT min(npi) FROM dim_npi), (SELECT min(tin_value) FROM dim_tin WHERE tin_type = 'ein')"
    )[0]
    market = choose_class(demo, MARKET).market  # files follow the page
    of_npi = Market("GA", "2025-08", npi=npi)
    for address, table, expected in (
        ("/rates/", "rates", list(stream_against_medicare(demo, market, "rate", 10**6, 60))),
        ("/rates/", "summary", summarize_against_medicare(demo, market)),
        ("/medicare/", "rates", medicare.list_comparisons(demo, market, "percent", 10**6, 0)),
        ("/medicare/", "payers", medicare.summarize_percents(demo, market)),
        ("/medicare/", "bases", medicare.count_outcomes(demo, market).bases),
        ("/organizations/", "organizations", organizations.list_organizations(demo, market, "-p50", 10**6, 0)),
        (f"/npi/{npi}/", "rates", provider_rates.list_code_rates(demo, demo, of_npi, 10**6, 0)[1]),
        (f"/npi/{npi}/", "groups", providers.list_groups(demo, "npi", npi)),
        (f"/tin/{tin}/", "npis", providers.list_npis_of_tin(demo, tin, 10**6, 0)[1]),
        ("/codes/", "rows", list_asked_codes(demo, 10**6, 0, FAMILIAR_CODES)[1]),
        ("/", "rows", coverage.list_coverage(demo)),
    ):
        parameters: dict[str, Any] = {
            "table": table,
            **(QUERY if address in {"/rates/", "/medicare/", "/organizations/"} else {}),
        }
        from_json = json_rows(site.get(address, {**parameters, "format": "json"}))
        from_csv = csv_rows(site.get(address, {**parameters, "format": "csv"}))
        wanted = [json.loads(json.dumps(row_values(row, column_names(type(row))), cls=RowEncoder)) for row in expected]
        assert from_json == wanted, (address, table)
        for row, other in zip(from_csv, wanted, strict=True):
            assert list(row)[: len(other)] == list(other), "what was asked comes after the columns of the table"
        if address in {"/rates/", "/medicare/", "/organizations/"}:
            assert {(row["state"], row["year_month"], row["code"]) for row in from_csv} == {("GA", "2025-08", "99213")}
        assert len(from_csv) == len(wanted) > 0
    reasons = json_rows(site.get("/medicare/", {**QUERY, "table": "reasons", "format": "json"}))
    assert {row["reason"]: row["rates"] for row in reasons} == medicare.count_outcomes(demo, market).reasons


def test_tables_of_the_market_can_be_downloaded(site: Client, demo: Snapshot) -> None:
    both = choose_class(demo, MARKET).market
    of_code = changes.count_movements(demo, both, "2025-07")
    of_payer = changes.count_movements(demo, Market(**MONTH, payer=PIEDMONT), "2025-07")
    slug = "example_savannah_benefit_administrators"
    for address, query, expected in (
        (
            "/payers/",
            {**MONTH, "codes": "99213,450"},
            compare_payers(demo, Market(**MONTH), read_codes("99213,450"), None)[0],
        ),
        ("/payers/", {"payer": slug, "table": "networks"}, networks.list_networks(demo, slug)),
        ("/payers/", {"payer": slug, "table": "files"}, list_files(demo, slug)),
        ("/payers/", {"payer": slug, "table": "codes"}, list_market_codes(demo, Market(**MONTH, payer=slug), 10**6)),
        ("/payers/", {}, coverage.list_coverage(demo)),
        ("/changes/", QUERY, changes.list_changed_pay(demo, both, "2025-07", None, "moved", 10**6, 0)[1]),
        ("/changes/", {**QUERY, "table": "payers"}, of_code.payers),
        ("/changes/", {**QUERY, "table": "terms"}, of_code.terms),
        ("/changes/", {"payer": PIEDMONT, "table": "codes"}, sorted(of_payer.codes, key=lambda row: -row.moved)),
        (
            "/changes/",
            {"payer": PIEDMONT, "table": "organizations"},
            sorted(of_payer.tax_ids, key=lambda row: -row.moved),
        ),
        ("/changes/", {}, changes.count_payer_months(coverage.list_coverage(demo), "GA", "2025-07", "2025-08")),
        ("/organizations/", QUERY, organizations.list_organizations(demo, both, "-p50", 10**6, 0)),
    ):
        wanted = [json.loads(json.dumps(row_values(row, column_names(type(row))), cls=RowEncoder)) for row in expected]
        from_json = json_rows(site.get(address, {**query, "format": "json"}))
        assert sorted(from_json, key=str) == sorted(wanted, key=str), (address, query)
        assert len(csv_rows(site.get(address, {**query, "format": "csv"}))) == len(wanted) > 0
