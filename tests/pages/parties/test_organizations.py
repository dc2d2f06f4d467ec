"""A market by tax ID."""

from dataclasses import replace

from django.test import Client

from core.pages.formats import write_dollars
from core.queries.parties import organizations
from core.queries.rules.market import Market
from core.store.connection import Snapshot
from tests.pages.markets import QUERY
from tests.site import tables, text_of


def test_organizations_are_compared_with_the_market(site: Client, demo: Snapshot) -> None:
    market = Market("GA", "2025-08", "CPT", "70450", billing_class="professional", modifier="26")
    response = site.get(
        "/organizations/", {**QUERY, "code": "70450", "billing_class": "professional", "modifier": "26"}
    )
    (shown,) = tables(response)
    totals = organizations.count_totals(demo, market)
    rows = organizations.list_organizations(demo, market, "rates", 50, 0)
    assert [row[3] for row in shown[1:]] == [str(row.rank) for row in rows]
    assert f"the market median, {write_dollars(totals.median)}" in text_of(response)
    assert shown[1][-1].split(" ")[-1] in {"above", "below", "same"}
    mixed = site.get("/organizations/", {**QUERY, "code": "70450"})
    assert "Professional, reading only (26) 50" in text_of(mixed)
    most = organizations.count_totals(demo, replace(market, modifier="none"))
    assert f"the market median, {write_dollars(most.median)}" in text_of(mixed), "of one class"
