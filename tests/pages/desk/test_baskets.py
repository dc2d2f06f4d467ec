"""The page of baskets: named sets, lists of any length, indexes, and their files."""

from urllib.parse import urlsplit

import pytest
from django.test import Client

from tests.pages.markets import MONTH
from tests.site import csv_rows, tables, text_of


def test_a_named_basket_has_an_index_for_each_payer_and_a_median_for_each_code(site: Client) -> None:
    query = {**MONTH, "basket": "primary_care", "billing_class": "professional"}
    indexes, matrix = tables(site.get("/baskets/", query))
    found = csv_rows(site.get("/baskets/", {**query, "table": "indexes", "format": "csv"}))
    assert [row[0] for row in indexes[1:]] == [row["reporting_entity_name"] for row in found]
    assert [row[1] for row in indexes[1:]] == [f"{float(row['index']):,.0%}" for row in found]
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
    shown = text_of(Client().get(posted["Location"]))
    assert "Each code weighs what you render of it" in shown


def test_codes_against_medicare_are_a_basket(site: Client) -> None:
    response = site.get("/medicare/", {**MONTH, "codes": "99213,70450"})
    assert response.redirect_chain[-1][0].startswith("/baskets/?state=GA&year_month=2025-08&codes=99213,70450")
    assert "of Medicare" in text_of(response)


def test_other_pages_refuse_what_is_posted(site: Client) -> None:
    assert site.post("/organizations/", MONTH).status_code == 405
