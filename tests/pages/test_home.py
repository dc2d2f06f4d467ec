"""The first page."""

from django.test import Client

from core.queries import coverage
from core.store.connection import Snapshot
from tests.site import csv_rows, tables, text_of


def test_the_first_page_lists_the_available_rates(site: Client, demo: Snapshot) -> None:
    response = site.get("/")
    (loaded,) = tables(response)
    assert [row[2] for row in loaded[1:]] == [row.reporting_entity_name for row in coverage.list_coverage(demo)]
    assert f"{sum(row.rates for row in coverage.list_coverage(demo)):,} negotiated rates from 3 payers" in text_of(
        response
    )
    assert len(csv_rows(site.get("/", {"format": "csv"}))) == 6
