"""What pages refuse, and what they say then."""

import pytest
from django.test import Client

from core.fields.codes.code_list import MAX_CODES
from tests.pages.markets import QUERY
from tests.site import text_of


@pytest.mark.parametrize(
    ("parameter", "value", "message"),
    [
        ("state", "ZZ", "'ZZ' is not a state: two letters, such as GA"),
        ("year_month", "2025-13", "'2025-13' is not a month as YYYY-MM"),
        ("pos", "1" * 21, "at most 20 characters"),
        ("pos", "11, 22", "'11,22' is not a place of service"),
        ("billing_class", "x" * 41, "at most 40 characters"),
        ("modifier", "26,TC", "'26,TC' is not a modifier such as 26, or none"),
        ("npi", "123", "'123' is not an NPI"),
        ("tin", "12-3x", "'123x' is not a tax ID: the 9 digits of an EIN"),
        ("payer", "A B", "'A B' is not a payer's key"),
        ("page", "0", "'0' is not a page number from 1 to 1,000,000"),
        ("page", "x", "'x' is not a page number"),
        ("sort", "color", "'color' is not a valid sort order: expected one of rate, -rate, payer, expires"),
        ("format", "xml", "'xml' is not a valid format: expected one of html, csv, json, parquet, xlsx"),
        ("table", "none", "'none' is not a valid table: expected one of rates, summary, histogram"),
        ("code", "9" * 200, "at most 40 characters"),
        ("code", "9\x00", "Null characters are not allowed"),
    ],
)
def test_an_invalid_parameter_of_rates_is_explained(site: Client, parameter: str, value: str, message: str) -> None:
    response = site.get("/rates/", {**QUERY, parameter: value})
    assert response.status_code == 400
    shown = text_of(response)
    assert message in shown
    assert parameter in shown


@pytest.mark.parametrize(
    ("address", "parameters", "message"),
    [
        ("/payers/", {"codes": " ".join(map(str, range(MAX_CODES + 1)))}, "1,001 codes: expected at most 1,000"),
        ("/payers/", {"codes": "9" * 60_001}, "at most 60000 characters"),
        ("/payers/", {"codes": "99213", "base": "A B"}, "'A B' is not a payer's key"),
        ("/payers/", {"codes": "99213\x00"}, "Null characters are not allowed"),
        ("/changes/", {"from": "2025-13"}, "'2025-13' is not a month as YYYY-MM"),
        ("/changes/", {"from": "2025-08", "year_month": "2025-08"}, "'2025-08' is not before 2025-08"),
        ("/changes/", {"from": "2025-09"}, "'2025-09' is not before 2025-08"),
        ("/changes/", {"what": "sideways"}, "'sideways' is not a valid outcome: expected one of up, down, "),
        ("/changes/", {"sort": "color"}, "'color' is not a valid sort order"),
    ],
)
def test_an_invalid_parameter_of_payers_or_changes_is_explained(
    site: Client, address: str, parameters: dict[str, str], message: str
) -> None:
    response = site.get(address, parameters)
    assert response.status_code == 400
    assert message in text_of(response)


@pytest.mark.parametrize(
    "value", ["'; DROP TABLE fact_rate; --", "$state", "<script>alert(1)</script>", "%", "\\", "é\u202e", "1 OR 1=1"]
)
def test_hostile_text_is_only_text(site: Client, value: str) -> None:
    for address in ("/rates/", "/medicare/", "/organizations/"):
        response = site.get(address, {"code": value[:40], "code_type": value[:20]})
        assert response.status_code == 200, value
        assert "<script>alert" not in response.content.decode()
    assert site.get("/codes/", {"q": value}).status_code == 200
    assert site.get("/rates/", {"payer": value}).status_code == 400


@pytest.mark.parametrize("value", ["'; DROP TABLE f; --", "$state", "<script>alert(1)</script>", "é\u202e", "1 OR 1=1"])
def test_hostile_codes_are_only_codes(site: Client, value: str) -> None:
    for parameters in ({"codes": value}, {"code": value[:40], "code_type": value[:20]}):
        response = site.get("/payers/", parameters, follow=True)
        assert response.status_code == 200
        assert "<script>alert" not in response.content.decode()
    assert site.get("/changes/", {"code": value[:40], "code_type": value[:20]}).status_code == 200


@pytest.mark.parametrize("table_format", ["csv", "json", "parquet", "xlsx"])
@pytest.mark.parametrize(
    ("address", "status", "said"),
    [
        ("/rates/?code=99213&table=none", 400, "table: 'none' is not a valid table: expected one of rates, summary"),
        ("/rates/?table=rates", 400, "code: choose a billing code"),
        ("/tin/000000001/?table=rates", 404, "Tax ID not found"),
        ("/payers/?payer=nobody", 404, "payer: No rates of the payer 'nobody' are loaded."),
    ],
)
def test_whoever_asks_for_a_file_is_told_in_plain_text_why_there_is_none(
    site: Client, address: str, status: int, said: str, table_format: str
) -> None:
    response = site.get(f"{address}&format={table_format}")
    assert (response.status_code, response["Content-Type"]) == (status, "text/plain; charset=utf-8")
    assert said in response.content.decode()
    assert "<" not in response.content.decode()
    assert site.get(address)["Content-Type"].startswith("text/html"), "a page stays one"
