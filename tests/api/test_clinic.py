"""A clinic's own lines, asked by POST: the answer of the page, and nothing of it kept or logged."""

import logging
from typing import Any

import pytest
from django.test import Client

from core.python_api.rate_store import open_store
from core.store.connection import Snapshot
from tests.site import csv_rows

MONTH = {"state": "GA", "year_month": "2025-08"}
LINES = [{"code": "99213", "units": 7654321, "rate": 41.37}, {"code": "70450", "units": 3}]
TEXT = "code,units,rate\n99213,7654321,41.37\n70450,3,"


@pytest.fixture(name="tin")
def a_tin(demo: Snapshot) -> str:
    return str(demo.rows("SELECT min(tin_value) FROM xref_group_tin WHERE length(tin_value) = 9")[0][0])


def test_pages_the_api_and_python_answer_alike(site: Client, demo: Snapshot, tin: str, caplog: Any) -> None:
    caplog.set_level(logging.INFO)
    address = f"/api/v1/clinic/positions?state=GA&year_month=2025-08&tin={tin}"
    posted = site.post(address, {"lines": LINES}, content_type="application/json")
    assert (posted.status_code, posted["Cache-Control"]) == (200, "no-store")
    assert "ETag" not in posted
    rows = posted.json()["rows"]
    shown = csv_rows(site.post("/clinic/", {**MONTH, "tin": tin, "lines": TEXT, "format": "csv"}))
    assert [(one["payer_slug"], one["code"]) for one in rows] == [(one["payer_slug"], one["code"]) for one in shown]
    assert {one["rate"] for one in rows if one["is_given"]} == {41.37}
    store = open_store(demo.root)
    assert store.clinic_position("GA", "2025-08", lines=TEXT, tin=tin).to_dicts() == rows
    # Without lines they are the clinic's own codes.
    own = site.get(address).json()
    assert own["total"] == len(store.clinic_position("GA", "2025-08", tin=tin))
    assert not [one for one in caplog.records if "7654321" in str(vars(one)) or "41.37" in str(vars(one))]


def test_a_line_s_payer_is_the_only_one_and_may_have_no_rates(site: Client, tin: str) -> None:
    address = f"/api/v1/clinic/positions?state=GA&year_month=2025-08&tin={tin}"

    def ask(**line: Any) -> Any:
        body = {"lines": [{"code": "99213", "rate": 90, **line}]}
        return site.post(address, body, content_type="application/json").json()["rows"]

    every = ask()
    assert len(every) > 1
    assert ask(payer=every[0]["payer_slug"]) == every[:1]
    (nobody,) = ask(payer="acme_nowhere")
    assert (nobody["payer_slug"], nobody["rates"], nobody["gap_to_middle"]) == ("acme_nowhere", 0, None)
    assert nobody["reason"] == "no rate of this payer for the code"


@pytest.mark.parametrize(
    ("body", "parameter"),
    [
        ("{", "body"),
        ({"lines": [{"code": "knee"}]}, "lines.0.code"),
        ({"lines": [{"code": "99213", "rate": -7}]}, "lines.0.rate"),
        ({"lines": [{"code": "99213", "payer": "Acme"}]}, "lines.0.payer"),
        ({"npis": ["3"]}, "npis.0"),
        ({"color": 1}, "color"),
        ({"lines": [{"code": "99213", "units": 3}]}, "tin"),
    ],
)
def test_a_body_that_cannot_be_read_is_named_without_its_values(site: Client, body: Any, parameter: str) -> None:
    answer: Any = site.post("/api/v1/clinic/positions?state=GA", body, content_type="application/json")
    assert answer.status_code == 400
    assert [one["parameter"] for one in answer.json()["errors"]] == [parameter]
    assert "knee" not in answer.content.decode()


def test_other_methods_are_refused_with_those_that_there_are(site: Client) -> None:
    refused: Any = site.put("/api/v1/clinic/positions")
    assert (refused.status_code, refused["Allow"]) == (405, "GET, HEAD, POST")
