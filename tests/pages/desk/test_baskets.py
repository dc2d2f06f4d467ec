"""The page of baskets: named sets, lists of any length, indexes, and their files."""

import re
from urllib.parse import urlsplit

import pytest
from django.test import Client

from core.pages.formats import write_sum
from tests.pages.markets import MONTH
from tests.site import csv_rows, tables, text_of


def test_a_named_basket_has_an_index_for_each_payer_and_a_median_for_each_code(site: Client) -> None:
    query = {**MONTH, "basket": "primary_care", "billing_class": "professional"}
    indexes, matrix = tables(site.get("/baskets/", query))
    found = csv_rows(site.get("/baskets/", {**query, "table": "indexes", "format": "csv"}))
    assert [row[0] for row in indexes[1:]] == [row["reporting_entity_name"] for row in found]
    for shown, row in zip(indexes[1:], found, strict=True):
        assert shown[1].startswith(f"{float(row['index']):,.0%}" if row["index"] else "– only ")
    cells = csv_rows(site.get("/baskets/", {**query, "format": "csv"}))
    assert matrix[1][-1].startswith("$")
    assert {row["code"] for row in cells} == {row[0].split()[0] for row in matrix[1:]}
    wide = csv_rows(site.get("/baskets/", {**query, "table": "payers", "format": "csv"}))
    assert [row["payer_slug"] for row in wide] == [row["payer_slug"] for row in found]


@pytest.mark.parametrize("path", ["/baskets/", "/payers/"])
def test_a_posted_list_of_200_quoted_codes_has_a_short_address(site: Client, path: str) -> None:
    codes = ", ".join(f'"{code}"' for code in range(99200, 99400))
    posted = Client().post(path, {**MONTH, "codes": codes})
    assert posted.status_code == 303
    assert len(posted["Location"]) < 1_000
    shown = Client().get(posted["Location"])
    assert shown.status_code == 200, "an address that needs no other spelling"
    assert "200 codes" in text_of(shown)
    plain = site.get(path, {**MONTH, "codes": codes}, follow=False)
    assert urlsplit(plain["Location"]).query.split("&codes=")[1].startswith("~")


def test_volumes_weigh_the_index(site: Client) -> None:
    posted = Client().post("/baskets/", {**MONTH, "codes": "99213 120\n70450 3", "billing_class": "professional"})
    assert "codes=99213*120,70450*3" in posted["Location"]
    response = Client().get(posted["Location"])
    assert "Each code weighs what you render of it" in text_of(response)
    _, dollars, _ = tables(response)
    assert dollars[0] == [
        "Payer", "At this payer", "At the market", "At 100% of Medicare", "1% of Medicare", "Codes",
    ]  # fmt: skip
    found = csv_rows(site.get(f"{posted['Location']}&table=indexes&format=csv"))
    medians = csv_rows(site.get(f"{posted['Location']}&format=csv"))
    units = {"99213": 120, "70450": 3}
    for row, one in zip(dollars[1:], found, strict=True):
        cells = [cell for cell in medians if cell["payer_slug"] == one["payer_slug"]]
        total = sum(units[cell["code"]] * float(cell["price"]) for cell in cells)
        assert float(one["dollars"]) == pytest.approx(total, abs=1)
        assert row[:2] == [one["reporting_entity_name"], write_sum(float(one["dollars"]))]
        assert row[4] == write_sum(float(one["one_percent"]))
    assert "Dollars a year" not in text_of(site.get("/baskets/", {**MONTH, "codes": "99213,70450"}))


def test_without_rates_for_half_of_a_basket_nobody_pays_the_most(site: Client) -> None:
    codes = ",".join(["99213", *(f"0{number:03}U" for number in range(1, 5))])
    shown = site.get("/baskets/", {**MONTH, "codes": codes, "billing_class": "professional"})
    assert "The payers cannot be ranked: only 1 of 5 codes can be" in text_of(shown)
    assert "pays the most" not in text_of(shown)
    indexes, _ = tables(shown)
    assert {row[1] for row in indexes[1:]} == {"– only 1 of 5 codes can be compared with other payers"}
    assert {row[2] for row in indexes[1:]} == {"– prices only 1 of 5 codes"}
    assert {row[3] for row in indexes[1:]} == {"20%"}
    assert {row[4] for row in indexes[1:]} == {"1 of 5"}


def test_a_price_of_few_organizations_says_so(site: Client) -> None:
    query = {**MONTH, "codes": "99213,99214,70450", "billing_class": "institutional"}
    cells = csv_rows(site.get("/baskets/", {**query, "format": "csv"}))
    _, matrix = tables(site.get("/baskets/", query))
    marked = sum(
        bool(re.search(r" by \d+ rates?: (no known|\d+) organizations?$", cell)) for row in matrix[1:] for cell in row
    )
    assert marked == sum(cell["by_organizations"].lower() == "false" for cell in cells) > 0


def test_codes_against_medicare_are_a_basket(site: Client) -> None:
    response = site.get("/medicare/", {**MONTH, "codes": "99213,70450"})
    assert response.redirect_chain[-1][0].startswith("/baskets/?state=GA&year_month=2025-08&codes=99213,70450")
    assert "of Medicare" in text_of(response)


def test_other_pages_refuse_what_is_posted(site: Client) -> None:
    assert site.post("/organizations/", MONTH).status_code == 405
