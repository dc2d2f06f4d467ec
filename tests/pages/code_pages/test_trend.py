"""The page of a code over all months."""

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from django.test import Client

from core.fields.rounding import round_half_up
from core.pages.code_pages.trend import find_same_terms
from core.pages.formats import write_change, write_dollars
from core.queries.classes.rate_classes import choose_class
from core.queries.market.market import Market
from core.queries.over_time import trend
from core.queries.over_time.trend import TrendPoint
from core.store.connection import Snapshot
from tests.pages.markets import PIEDMONT, QUERY
from tests.queries.one_market import A_RATE
from tests.queries.rates_by_month import store_of
from tests.site import csv_rows, serving, tables, text_of


def test_a_trend_has_a_chart_and_a_table(site: Client, demo: Snapshot) -> None:
    response = site.get("/trend/", {**QUERY, "payer": PIEDMONT})
    asked = Market("GA", "2025-08", "CPT", "99213", payer=PIEDMONT)
    points = trend.list_trend(demo, choose_class(demo, asked).market)
    (table,) = tables(response)
    median = table[0].index("Median of all rates")
    assert [row[median] for row in table[1:]] == [write_dollars(point.p50) for point in points]
    shown = " ".join(text_of(response).split())
    of_all = "The median of all rates of Example Piedmont Mutual, Inc. is"
    assert shown.index("that Example Piedmont Mutual, Inc. pays in both July 2025 and August 2025") < shown.index(
        of_all
    )
    assert (
        f"({points[0].rates} rates) in July 2025 and {write_dollars(points[-1].p50)} ({points[-1].rates} rates) in "
        "August 2025."
    ) in shown
    assert "The dotted line joins the medians of all rates of a month" in text_of(response)
    first, last = points[0].p50, points[-1].p50
    assert f"{write_dollars(first)} → {write_dollars(last)}, {write_change(last / first - 1)}." in shown.replace(
        " ,", ","
    )
    assert "It is not the change of anybody’s pay: of the" in shown
    page = response.content.decode()
    assert page.count('<svg class="chart"') == 1
    assert "July 2025: median $" in page, "in words, for a screen reader"
    rows = csv_rows(site.get("/trend/", {**QUERY, "payer": PIEDMONT, "table": "trend", "format": "csv"}))
    assert [row["p50"] for row in rows] == [str(round_half_up(point.p50, 2)) for point in points]


def test_a_trend_asks_for_a_code(site: Client) -> None:
    assert "Choose a code" in text_of(site.get("/trend/"))


def test_what_all_rows_share_is_said_above_the_table() -> None:
    values: dict[str, Any] = dict.fromkeys(field.name for field in fields(TrendPoint))
    point = TrendPoint(**{**values, "reporting_entity_name": "A", "billing_class": "professional", "modifier": ""})
    first, other = replace(point, basis="MPFS facility"), replace(point, reporting_entity_name="B")
    assert find_same_terms([first, other]) == {
        "billing_class": "professional",
        "modifier": "",
        "basis": "MPFS facility",
    }
    third = replace(other, basis="OPPS", modifier="26")
    assert find_same_terms([first, third]) == {"billing_class": "professional"}


def test_one_month_is_no_trend_beside_several(tmp_path: Path) -> None:
    groups: list[Any] = [(set(), {("ein", "100000001")})]
    rates = [{**A_RATE, "reporting_entity_name": payer} for payer in ("Payer A", "Payer B")]
    db = store_of(tmp_path / "two", {"2025-01": (groups, rates[:1]), "2025-08": (groups, rates)})
    with serving(db.root):
        shown = Client().get("/trend/", {"state": "GA", "code": "99213"})
    assert shown.content.decode().count('<svg class="chart"') == 1
    assert "Payer B has one month only: August 2025, with a median of $10.00" in text_of(shown)
    alone = store_of(tmp_path / "one", {"2025-08": (groups, rates)})
    with serving(alone.root):
        assert Client().get("/trend/", {"state": "GA", "code": "99213"}).content.decode().count('class="chart"') == 2
