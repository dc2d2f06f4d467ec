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
    rows = organizations.list_organizations(demo, market, "-p50", 50, 0)
    assert [row[3] for row in shown[1:]] == [str(row.rank) for row in rows]
    assert f"the market median, {write_dollars(totals.median)}" in text_of(response)
    assert (
        f"In Georgia, the middle one of {totals.organizations} organizations is paid {write_dollars(totals.middle)} , "
        f"by the median of its rates; half of them are paid between {write_dollars(totals.low)} and "
        f"{write_dollars(totals.high)} ."
    ) in text_of(response)
    assert shown[1][-1].split(" ")[-1] in {"above", "below", "same"}
    mixed = site.get("/organizations/", {**QUERY, "code": "70450"})
    assert "Professional, reading only (26) 50" in text_of(mixed)
    most = organizations.count_totals(demo, replace(market, modifier="none", care_setting="non-facility or unstated"))
    assert f"the market median, {write_dollars(most.median)}" in text_of(mixed), "of one class"


def test_rates_of_all_classes_together_are_compared_with_no_market(site: Client) -> None:
    """A reading is not cheap because the market has whole scans."""
    together = site.get("/organizations/", {**QUERY, "code": "70450", "classes": "all", "sort": "p50"})
    (shown,) = tables(together)
    assert not {"Rank", "vs. market"} & set(shown[0])
    words = text_of(together)
    assert "so there is no rank and no comparison with the market" in words
    assert "the market median" not in words
    rows = site.get("/api/v1/organizations", {**QUERY, "code": "70450", "classes": "all"}).json()["rows"]
    assert {row["difference"] for row in rows} == {None}
    of_one_class = site.get("/organizations/", {**QUERY, "code": "70450"})
    assert {"Rank", "vs. market"} <= {
        head.split(" ")[0] if head.startswith("Rank") else head for head in tables(of_one_class)[0][0]
    }
    assert "no comparison with the market" not in text_of(of_one_class)
