"""A market by tax ID."""

import re
from dataclasses import replace
from pathlib import Path

from django.test import Client

from core.pages.formats import write_dollars
from core.queries.market.market import Market
from core.queries.parties import organizations
from core.queries.parties.shared_contracts import list_contracts
from core.store.connection import Snapshot
from core.store.generations.store import Store
from tests.fixture_types import Load
from tests.pages.markets import QUERY
from tests.queries.one_market import store_of_market
from tests.reference.nppes import registers
from tests.site import Visitor, csv_rows, serving, tables, text_of


def test_organizations_are_compared_with_the_middle_one(site: Client, demo: Snapshot) -> None:
    market = Market("GA", "2025-08", "CPT", "70450", billing_class="professional", modifier="26")
    response = site.get(
        "/organizations/", {**QUERY, "code": "70450", "billing_class": "professional", "modifier": "26"}
    )
    # A row of one cell is the head of a part.
    shown = [row for row in tables(response)[0] if len(row) > 1]
    totals = organizations.count_totals(demo, market)
    rows = list_contracts(demo, market, "-p50", 50, 0).rows
    ranges = [
        f"{write_dollars(row.lowest)} to {write_dollars(row.highest)} {row.prices} prices"
        if row.prices > 1
        else "one price"
        for row in rows
    ]
    assert [" ".join(row[3].split()) for row in shown[1:]] == ranges
    assert [row[1] for row in shown[1:]] == [write_dollars(row.p50) for row in rows]
    assert [row[4:] for row in shown[1:]] == [[str(row.npis), str(row.rates)] for row in rows]
    assert f"Vertical line: the middle organization, {write_dollars(totals.middle)}" in text_of(response)
    assert (
        f"In Georgia, the middle rate is {write_dollars(totals.median)} . Counted by tax ID, the middle one of "
        f"{totals.organizations} organizations is paid {write_dollars(totals.middle)} , and half of them between "
        f"{write_dollars(totals.low)} and {write_dollars(totals.high)} . The file gives"
    ) in text_of(response)
    assert shown[1][2].split(" ")[-1] in {"above", "below", "same"}
    mixed = site.get("/organizations/", {**QUERY, "code": "70450"})
    assert "Professional fee, reading only (26) 50" in text_of(mixed)
    most = organizations.count_totals(demo, replace(market, modifier="none", care_setting="non-facility or unstated"))
    assert f"the middle organization, {write_dollars(most.middle)}" in text_of(mixed), "of one class"


def test_rates_of_all_classes_together_are_compared_with_no_organization(site: Client) -> None:
    """A reading is not cheap because the market has whole scans."""
    together = site.get("/organizations/", {**QUERY, "code": "70450", "classes": "all", "sort": "p50"})
    (shown,) = tables(together)
    assert "vs. the middle one" not in shown[0]
    words = text_of(together)
    assert "so there is no comparison with the middle organization" in words
    assert "Vertical line" not in words
    rows = site.get("/api/v1/organizations", {**QUERY, "code": "70450", "classes": "all"}).json()["rows"]
    assert {row["difference"] for row in rows} == {None}
    of_one_class = site.get("/organizations/", {**QUERY, "code": "70450"})
    assert "vs. the middle one" in tables(of_one_class)[0][0]
    assert "no comparison with the middle organization" not in text_of(of_one_class)


def test_organizations_with_one_contract_are_one_row_and_the_download_has_each(store: Store, load: Load) -> None:
    file = registers.rates()
    file["in_network"][0]["negotiated_rates"][0]["provider_groups"] = [
        {"npi": [registers.SURGEON], "tin": {"type": "ein", "value": f"12345678{digit}"}} for digit in range(3)
    ]
    load(file, "GA")
    with serving(store.root):
        asked = {"state": "GA", "code": "99213"}
        response = Visitor().get("/organizations/", asked)
        rows = Visitor().get("/api/v1/organizations", asked).json()["rows"]
        listed = csv_rows(Visitor().get("/organizations/", {**asked, "format": "csv"}))
    (shown,) = tables(response)[0][1:]
    assert len(rows) == 3
    assert re.search(r"3 organizations at \$[\d.]+", shown[0])
    assert all(f"12-345678{digit}" in shown[0] for digit in range(3)), "without a script"
    assert shown[3] == "one price"
    assert "<details" in response.content.decode()
    assert "3 organizations, paid by 1 contract" in text_of(response)
    assert [row["tin_value"] for row in listed] == [row["tin_value"] for row in rows]


def test_several_prices_of_a_contract_are_a_range(tmp_path: Path) -> None:
    db = store_of_market(tmp_path, {}, {"negotiated_rate": 12.5}, {"group": 1, "negotiated_rate": 20.0})
    with serving(db.root):
        (table,) = tables(Visitor().get("/organizations/", {"state": "GA", "code": "99213", "sort": "p50"}))
    names = [head.split(" ")[0] for head in table[0]]
    price, prices = (names.index(name) for name in ("Price", "Lowest"))
    shown = [(row[price], " ".join(row[prices].split())) for row in table[1:]]
    assert shown == [("$10.00", "$10.00 to $12.50 2 prices"), ("$20.00", "one price")]


def test_organizations_are_found_by_name_above_the_table(site: Client) -> None:
    asked = {**QUERY, "code": "99214"}
    rows = site.get("/api/v1/organizations", {**asked, "limit": 1000}).json()["rows"]
    name = next(row["business_name"] for row in rows if row["business_name"])
    response = site.get("/organizations/", {**asked, "q": name})
    body = response.content.decode()
    assert body.index('name="q"') < body.index('name="near"') < body.index("<table")
    assert body.index('<select name="specialty"') < body.index("<table")
    found = site.get("/api/v1/organizations", {**asked, "q": name}).json()
    assert name in {row["business_name"] for row in found["rows"]}
    assert found["total"] == len(found["rows"]) < len(rows)
    assert f"called “{name}”" in text_of(response)
    nobody = site.get("/organizations/", {**asked, "q": "nobody is called so"})
    assert "No organization with these rates is called “nobody is called so”" in text_of(nobody)
