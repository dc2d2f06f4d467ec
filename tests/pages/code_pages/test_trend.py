"""The page of a code over all months."""

from django.test import Client

from core.fields.rounding import round_half_up
from core.pages.formats import write_dollars
from core.queries.market.market import Market
from core.queries.over_time import trend
from core.queries.rate_classes import choose_class
from core.store.connection import Snapshot
from tests.pages.markets import PIEDMONT, QUERY
from tests.site import csv_rows, tables, text_of


def test_a_trend_has_a_chart_and_a_table(site: Client, demo: Snapshot) -> None:
    response = site.get("/trend/", {**QUERY, "payer": PIEDMONT})
    asked = Market("GA", "2025-08", "CPT", "99213", payer=PIEDMONT)
    points = trend.list_trend(demo, choose_class(demo, asked).market)
    (table,) = tables(response)
    assert [row[6] for row in table[1:]] == [write_dollars(point.p50) for point in points]
    shown = " ".join(text_of(response).split())
    of_all = "The median of all rates of Example Piedmont Mutual, Inc. is"
    assert shown.index("that Example Piedmont Mutual, Inc. pays in both July 2025 and August 2025") < shown.index(
        of_all
    )
    assert (
        f"({points[0].rates} rates) in July 2025 and {write_dollars(points[-1].p50)} ({points[-1].rates} rates) in "
        "August 2025."
    ) in shown
    assert "The dotted line joins medians of all rates of a month" in text_of(response)
    page = response.content.decode()
    assert page.count('<svg class="chart"') == 1
    assert "July 2025: median $" in page, "in words, for a screen reader"
    rows = csv_rows(site.get("/trend/", {**QUERY, "payer": PIEDMONT, "table": "trend", "format": "csv"}))
    assert [row["p50"] for row in rows] == [str(round_half_up(point.p50, 2)) for point in points]


def test_a_trend_asks_for_a_code(site: Client) -> None:
    assert "Choose a code" in text_of(site.get("/trend/"))
