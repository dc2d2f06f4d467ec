"""The report of a code on one sheet."""

from django.test import Client

from core.pages.formats import write_change, write_dollars, write_percent
from core.queries.code_answer import spread_by_terms
from core.queries.over_time.trend import list_trend
from core.queries.parties.organizations import list_organizations
from core.queries.rate_classes import choose_class
from core.queries.rules.market import Market
from core.store.connection import Snapshot
from tests.pages.markets import MONTH
from tests.site import csv_rows, tables, text_of

QUERY = {**MONTH, "code_type": "CPT", "code": "70450", "billing_class": "professional", "modifier": "none"}


def test_a_report_has_the_answer_its_payers_sources_and_citation(site: Client, demo: Snapshot) -> None:
    market = choose_class(demo, Market("GA", "2025-08", "CPT", "70450")).market
    everybody, *payers = spread_by_terms(demo, market)
    response = site.get("/report/", QUERY)
    (table,) = tables(response)
    assert [(row[1], row[4], row[7]) for row in table[1:]] == [
        (str(one.rates), write_dollars(one.p50), write_percent(one.percent_p50))
        for one in [everybody, *sorted(payers, key=lambda one: (-one.rates, one.reporting_entity_name or ""))]
    ]
    shown = text_of(response)
    assert f"is paid {write_dollars(everybody.p50)} in the middle" in shown
    assert "2025-08-01_peach_in-network-rates.json.gz, of Aug 1, 2025" in shown
    assert f"generation {demo.manifest.generation} of " in shown
    rows = csv_rows(site.get("/report/", {**QUERY, "format": "csv"}))
    assert len(rows) == 1 + len(payers)


def test_a_report_can_measure_by_the_schedule(site: Client) -> None:
    shown = text_of(site.get("/report/", {**QUERY, "yardstick": "compensation"}))
    assert "Schedule amounts: workers’ compensation, professional $195.00." in shown
    assert "Median % of schedule" in shown
    assert "One-page report" in text_of(site.get("/rates/", QUERY))


def test_a_report_says_who_is_paid_best_and_what_changed_last(site: Client, demo: Snapshot) -> None:
    """It repeats neither the tabs nor the notices of the page of rates."""
    market = choose_class(demo, Market("GA", "2025-08", "CPT", "70450")).market
    page = site.get("/report/", QUERY).content.decode()
    shown = " ".join(text_of(site.get("/report/", QUERY)).split())
    best, worst = (list_organizations(demo, market, order, 3, 0) for order in ("-p50", "p50"))
    said = ["; ".join(f"{(one.business_name or one.tin_value)[:45]} {write_dollars(one.p50)}" for one in some)
            for some in (best, worst)]  # fmt: skip
    assert f"in the middle of their rates: {said[0]}. The least: {said[1]}." in shown
    last = {point.payer_slug: point for point in list_trend(demo, market) if point.change is not None}
    assert last
    for point in last.values():
        assert (
            f"{point.reporting_entity_name} {write_change(point.change)} to {write_dollars(point.p50)} in August 2025"
            in shown
        )
    assert 'class="classes"' not in page
    assert 'class="label-note"' not in page
    assert "Cite, share, or follow" not in page
