"""The search for codes."""

import re

import pytest
from django.test import Client

from core.fields.codes.accompanying_code import is_accompanying
from core.pages.formats import write_code_name
from core.queries.find.code_index import code_index
from core.store.connection import Snapshot
from core.vocabulary.services import FAMILIAR_CODES, plain_names
from tests.site import csv_rows, tables, text_of


def test_codes_are_found_by_words(site: Client) -> None:
    response = site.get("/codes/", {"q": "knee repl"})
    (found,) = tables(response)
    assert [row[0].split()[-1] for row in found[1:]] == ["27447", "470", "469"]
    nothing = site.get("/codes/", {"q": "zzz"})
    assert "No rates for a code like “zzz”" in text_of(nothing)
    assert 'href="/?q=zzz"' in nothing.content.decode(), "the search of everything is a click away"
    assert [row["code"] for row in csv_rows(site.get("/codes/", {"q": "knee repl", "format": "csv"}))] == [
        "27447",
        "470",
        "469",
    ]


@pytest.mark.in_turns(4, of="answers of many pages")
def test_the_list_begins_with_the_codes_that_people_ask_for(site: Client) -> None:
    (asked,) = tables(site.get("/codes/"))
    (by_code,) = tables(site.get("/codes/", {"sort": "code"}))
    codes = [row[0].split()[-1] for row in asked[1:]]
    familiar = [code for code in FAMILIAR_CODES if code in codes]
    assert familiar
    assert codes[: len(familiar)] == familiar
    every = csv_rows(site.get("/codes/", {"format": "csv"}))
    plain = [(row["code_type"], row["code"]) in plain_names() for row in every][len(familiar) :]
    assert plain == sorted(plain, reverse=True), "those with a name of our own come before the others"
    named = every[len(familiar) : len(familiar) + sum(plain)]
    alone = [is_accompanying(row["code_type"], row["code"]) for row in named]
    assert alone == sorted(alone), "tissue under the microscope comes after what people choose"
    assert {row["code"] for row in every} == {
        row["code"] for row in csv_rows(site.get("/codes/", {"sort": "code", "format": "csv"}))
    }
    ordered = [tuple(row[0].split()) for row in by_code[1:]]
    assert ordered == sorted(ordered)


def test_the_list_keeps_its_state(site: Client, demo: Snapshot) -> None:
    response = site.get("/codes/", {"q": "knee", "state": "GA"}, follow=False)
    html = response.content.decode()
    assert response.status_code == 200
    assert "Codes in Georgia" in text_of(response)
    assert '<input type="hidden" name="state" value="GA">' in html
    links = re.findall(r'href="(/rates/[^"]*)"', html)
    assert len(links) > 1
    assert all("state=GA" in link for link in links), "those of the navigation as well"
    rows = csv_rows(site.get("/codes/", {"state": "GA", "format": "csv"}))
    counted = [int(row["rates"]) > 0 for row in rows]
    assert counted == sorted(counted, reverse=True), "what has rates there is first"
    by_state = {key: rates["GA"][1] for key, rates in code_index(demo).rates.items() if "GA" in rates}
    assert {(row["code_type"], row["code"]): int(row["rates"]) for row in rows if int(row["rates"])} == by_state
    assert "none in TX" in text_of(site.get("/codes/", {"q": "27447", "state": "TX"}))


def test_names_in_capitals_are_written_like_the_others() -> None:
    assert write_code_name("LAT RETINACULAR RELEASE OPEN") == "Lateral retinacular release open"
    assert write_code_name("MRI JNT OF LWR EXTRE W/O DYE") == "MRI joint of lower extremity without dye"
    assert write_code_name("Knee X-ray, 3 views") == "Knee X-ray, 3 views"
    assert write_code_name(None) == ""
