"""The examples of docs/api.md work, and it names every resource and every status."""

import json
import re
from pathlib import Path

import pytest
from django.test import Client

from core.api.openapi import PREFIX, document
from core.api.protocol.problems import KINDS
from tests.paths import ROOT

GUIDE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
ADDRESSES = sorted(set(re.findall(r"'http://127\.0\.0\.1:8000(/api/v1/[^']*)'(?! -H)", GUIDE)))
TABLES = [re.findall(r"(?m)^\|(.*?)\|", part) for part in re.split(r"(?m)^\|(?:---\|)+$", GUIDE)[1:]]


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_address_of_the_guide_has_rows(site: Client, address: str) -> None:
    response = site.get(address)
    assert response.status_code == 200, response.content
    assert response.json()["rows"]


def test_the_body_of_the_guide_is_answered(site: Client) -> None:
    ((address, body),) = re.findall(r"'http://127\.0\.0\.1:8000(/api/v1/[^']*)' -H [^\n]*\n\s+-d '([^']*)'", GUIDE)
    assert site.post(address, body, content_type="application/json").status_code == 200


def test_the_recipe_for_excel_asks_an_address_with_rows(site: Client) -> None:
    (path,) = re.findall(r'RelativePath = "([^"]*)"', GUIDE)
    (recipe,) = re.findall(r"Query = \[(.*?)\]", GUIDE, re.DOTALL)
    parameters = dict(re.findall(r'(\w+) = "([^"]*)"', recipe))
    assert parameters["format"] == "csv"
    assert len(_csv(site, f"/{path}", parameters)) > 1


def test_the_recipe_for_google_sheets_asks_an_address_with_rows(site: Client) -> None:
    (address,) = re.findall(r'IMPORTDATA\("http://127\.0\.0\.1:8000([^"]*)"\)', GUIDE)
    assert len(_csv(site, address, {})) > 1


def _csv(site: Client, address: str, parameters: dict[str, str]) -> list[str]:
    response = site.get(address, parameters or None)
    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/csv")
    return b"".join(response).decode("utf-8").splitlines()


def test_the_guide_names_every_resource_with_its_required_parameters() -> None:
    named = {f"{PREFIX}{one}" for cell in TABLES[0] for one in re.findall("`([^`]*)`", cell)}
    required = {
        path: [one["name"] for one in methods["get"]["parameters"] if one["required"] and one["in"] == "query"]
        for path, methods in document()["paths"].items()
    }
    assert named == {path + (f"?{names[0]}=" if names else "") for path, names in required.items()}


def test_the_guide_explains_every_status() -> None:
    assert {int(cell) for cell in TABLES[1]} == {status for status, *_ in KINDS.values()}
    assert {kind for kind in KINDS if f"`{kind}`" in GUIDE} == {"cursor-of-other-data", "cursor-not-usable"}


def test_the_error_in_the_guide_is_what_the_api_answers(site: Client) -> None:
    (shown,) = re.findall(r"(?s)\n    (\{\"type\".*?\}\]\})\n", GUIDE)
    answered = site.get("/api/v1/rates", {"code": "99213", "state": "ZZ"}).json()
    expected = json.loads(shown)
    assert re.fullmatch("[0-9a-f]{32}", answered.pop("request_id"))
    assert re.fullmatch("[0-9a-f]{32}", expected.pop("request_id"))
    assert answered == expected


def test_the_loop_of_the_guide_reads_the_link_header(site: Client, tmp_path: Path) -> None:
    (pattern,) = re.findall(r"sed -n 's\|\^\[Ll\]ink: <(\S*)>", GUIDE)
    assert pattern == r"\([^>]*\)"
    link = site.get("/api/v1/rates?code=99213&limit=30")["Link"]
    match = re.match("<([^>]*)>", link)
    assert match
    assert site.get(match[1]).json()["rows"]
