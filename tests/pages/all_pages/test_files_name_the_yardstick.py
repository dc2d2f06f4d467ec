"""Every file with percents says what they are of: Medicare, or the state's workers' compensation schedule."""

import io
import json
from typing import Any

import pyarrow.parquet as pq
import pytest
from django.test import Client
from python_calamine import CalamineWorkbook

from core.store.connection import Snapshot
from tests.pages.markets import MONTH, QUERY
from tests.site import csv_rows

CODES = {**MONTH, "codes": "99213,70450", "billing_class": "professional"}
FILES = [
    ("/rates/", {**QUERY, "table": "rates"}),
    ("/rates/", {**QUERY, "table": "summary"}),
    ("/medicare/", {**QUERY, "table": "rates"}),
    ("/medicare/", {**QUERY, "table": "payers"}),
    ("/medicare/", {**QUERY, "table": "bases"}),
    ("/payers/", QUERY),
    ("/baskets/", {**CODES, "table": "medians"}),
    ("/baskets/", {**CODES, "table": "indexes"}),
    ("/clinic/", {**CODES, "tin": "{tin}"}),
    ("/specialties/", QUERY),
    ("/trend/", QUERY),
    ("/report/", QUERY),
    ("/npi/{npi}/", MONTH),
    ("/tin/{tin}/", {**MONTH, "table": "families"}),
    ("/tin/{tin}/", {**MONTH, "table": "payers"}),
]
"""An address, and its parameters."""

MEASURED = ("percent", "medicare", "percent_p50")


@pytest.fixture(scope="module")
def parties(demo: Snapshot) -> dict[str, str]:
    """Return a provider of each kind that has rates in the market."""
    npi, tin = demo.rows(
        """SELECT min(n.npi), min(t.tin_value) FROM fact_rate f JOIN xref_group_tin t USING (pg_uid, year_month)
           JOIN group_by_npi n USING (pg_uid)
           WHERE f.state = 'GA' AND f.year_month = '2025-08' AND f.code = '99213' AND t.tin_type = 'ein'"""
    )[0]
    return {"npi": npi, "tin": tin}


def read(site: Client, address: str, query: dict[str, Any], format: str) -> bytes:  # noqa: A002
    response = site.get(address, {**query, "format": format})
    assert response.status_code == 200, (address, query)
    return b"".join(response.streaming_content)  # type: ignore[attr-defined]


@pytest.mark.in_turns(6)
@pytest.mark.parametrize(
    ("address", "query", "yardstick"),
    [*((*one, "compensation") for one in FILES), *((*one, "medicare") for one in (FILES[0], FILES[6]))],
)
def test_a_file_says_what_its_percents_are_of(
    site: Client, parties: dict[str, str], address: str, query: dict[str, Any], yardstick: str
) -> None:
    address = address.format(**parties)
    query = {name: value.format(**parties) for name, value in query.items()} | {"yardstick": yardstick}
    rows = csv_rows(site.get(address, {**query, "format": "csv"}))
    assert {row["yardstick"] for row in rows} == {yardstick}
    assert json.loads(read(site, address, query, "json"))["yardstick"] == yardstick
    assert set(pq.read_table(io.BytesIO(read(site, address, query, "parquet")))["yardstick"].to_pylist()) == {yardstick}
    book = CalamineWorkbook.from_filelike(io.BytesIO(read(site, address, query, "xlsx")))
    # A workbook leaves out empty columns, and has the others in the order of its own last sheet.
    headings = book.get_sheet_by_name("Table").to_python()[0]
    names = [line[1] for line in book.get_sheet_by_name("Columns").to_python()[1:]]
    measured = {name: heading for name, heading in zip(names, headings, strict=True) if name in MEASURED}
    schedule = "Medicare" if yardstick == "medicare" else "the Georgia schedule"
    assert all(schedule in str(heading) for heading in measured.values()), measured
    meanings = {line[1]: str(line[2]) for line in book.get_sheet_by_name("Columns").to_python()[1:]}
    if yardstick == "compensation":
        assert not any("Medicare" in meanings[name] for name in measured), measured


def test_a_table_of_the_schedule_says_so_whatever_is_measured_by(site: Client) -> None:
    for address, query in (
        ("/medicare/", {**QUERY, "table": "compensation_payers"}),
        ("/compensation/below/", QUERY),
    ):
        rows = csv_rows(site.get(address, {**query, "format": "csv"}))
        assert {row["yardstick"] for row in rows} == {"compensation"}
        book = CalamineWorkbook.from_filelike(io.BytesIO(read(site, address, query, "xlsx")))
        headings = book.get_sheet_by_name("Table").to_python()[0]
        assert any(str(heading).endswith("percent of the Georgia schedule") for heading in headings)
        assert not any("Medicare" in str(heading) for heading in headings)
