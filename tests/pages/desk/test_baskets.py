"""The page of baskets: named sets, lists of any length, indexes, and their files."""

import re
from urllib.parse import urlsplit

import pytest
from django.test import Client

from core.pages.formats import write_sum
from core.pages.shared.words.basket_words import describe_counting
from core.queries.baskets.basket_index import PayerIndex
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


def test_what_payers_are_compared_by_is_said_of_each() -> None:
    def index(name: str, codes: int, by_rates: int, unplaced: int = 0) -> PayerIndex:
        return PayerIndex(
            payer_slug=name, reporting_entity_name=name, index=1.0, percent=1.0, unlike=0, unplaced=unplaced,
            coverage=1.0, placed_coverage=1.0, codes=codes, codes_of_basket=9, by_rates=by_rates, by_one_contract=0,
            rates=5,
        )  # fmt: skip

    usual = "A payer counts with what its middle organization is paid"
    why = "fewer than 5 organizations with such rates"
    assert describe_counting([index("A", 3, 0), index("B", 3, 0)]) == usual
    some = describe_counting([index("A", 3, 0), index("B", 3, 3), index("C", 4, 2)])
    said = "but B with its middle rate; C with its middle rate for 2 of its 4 codes"
    assert some == f"{usual}, {said}, because {why} are known there"
    assert describe_counting([index("A", 4, 3, 1)]) == f"It counts with its middle rate, because {why} are known"
    assert describe_counting([index("A", 1, 1), index("B", 2, 2)]).startswith("Each payer counts with its middle rate")


def test_the_page_says_which_payer_counts_with_its_middle_rate_and_how_codes_weigh(site: Client) -> None:
    query = {**MONTH, "codes": "99213,99214,70450", "billing_class": "institutional"}
    shown = text_of(site.get("/baskets/", query))
    for row in csv_rows(site.get("/baskets/", {**query, "table": "indexes", "format": "csv"})):
        said = (
            f"{row['reporting_entity_name']} with its middle rate" in shown or "with its middle rate, because" in shown
        )
        assert said == (int(row["by_rates"]) > 0)
    assert "A percent is the mean of the codes’ percents, each code counting the same." in shown
    of_volumes = text_of(site.get("/baskets/", {**query, "codes": "99213*120,70450*3"}))
    assert "mean of the codes’ percents, weighted by your volumes." in of_volumes


def test_the_percent_of_a_price_is_of_the_amount_beside_it(site: Client) -> None:
    rows = csv_rows(site.get("/baskets/", {**MONTH, "basket": "primary_care", "format": "csv"}))
    compared = [row for row in rows if row["percent"]]
    assert len(compared) > 5
    for row in compared:
        price, amount, percent = (float(row[name]) for name in ("price", "medicare", "percent"))
        # A file has cents and hundredths of a percent.
        assert price == pytest.approx(amount * percent, abs=0.006 * percent + 1e-4 * amount + 0.006)
    assert {row["medicare"] for row in rows if not row["percent"]} <= {""}


def test_codes_against_medicare_are_a_basket(site: Client) -> None:
    response = site.get("/medicare/", {**MONTH, "codes": "99213,70450"})
    assert response.redirect_chain[-1][0].startswith("/baskets/?state=GA&year_month=2025-08&codes=99213,70450")
    assert "of Medicare" in text_of(response)


def test_other_pages_refuse_what_is_posted(site: Client) -> None:
    assert site.post("/organizations/", MONTH).status_code == 405


def test_where_no_rate_is_left_the_page_says_which_filter_keeps_them_away(site: Client) -> None:
    shown = text_of(site.get("/baskets/", {**MONTH, "codes": "99213,99214", "payer": "example_nobody"}))
    assert "No rates in dollars for these codes in Georgia (payer example_nobody)" in shown
    assert re.search(r"Without payer .*: [1-9][\d,]* rates", shown, re.IGNORECASE)
