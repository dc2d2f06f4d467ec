"""Rates by where providers practice, with a map, and by what they are."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from django.http import HttpResponseBase

from core.pages.charts import place_map, spread_chart
from core.pages.code_pages.no_rates import find_instead
from core.pages.formats import write_dollars, write_filter, write_percent, write_state
from core.pages.forms.profile_forms import PlacesForm, SpecialtiesForm
from core.pages.shared.page import MarketQuery, market_page
from core.pages.shared.state_places import divide_by_state
from core.queries.find import codes
from core.queries.parties.shared_contracts import find_performing
from core.queries.profiles import (
    Breakdown,
    BreakdownTotals,
    Contrast,
    break_down,
    contrast,
    list_zip_points,
)
from core.queries.rules.evidence import list_billing_specialties
from core.queries.rules.percentiles import FEW_RATES

MAPPED = ("county", "zip")
"""What has a point on the map: a metropolitan area and a city do not."""

MAX_ROWS = 200
"""Rows of a page's table. The files have all of them."""

MAX_BARS = 12

_SEVERAL = {
    "county": "counties",
    "metro": "metropolitan areas",
    "city": "cities",
    "zip": "ZIP codes",
    "specialty": "specialties",
}
"""What the values of a breakdown are called."""


@market_page(PlacesForm, "places", needs_code=True)
def show_places(query: MarketQuery[PlacesForm]) -> HttpResponseBase:
    """Show `/places/`"""
    market, by = query.market, query.values["by"]
    totals, rows = break_down(query.cached_by_area, market, by)
    if query.wants_file:
        return query.download(rows, Breakdown, f"rates_{market.code}_by_{by}")
    color = query.values["color"] or ("percent" if any(row.compared for row in rows) else "median")
    # A map of counties if the table's places have no point.
    mapped = rows if by in MAPPED else break_down(query.cached_by_area, market, "county")[1]
    own, elsewhere = divide_by_state(rows, market.state)
    inside = divide_by_state(mapped, market.state)[0]
    found = contrast(query.cached_by_area, market, by, own)
    return query.render(
        "pages/places.html",
        code=codes.describe_code(query.db, market.code_type, market.code),
        by=by,
        color=color,
        elsewhere=elsewhere[:MAX_ROWS],
        map=_draw_map(query, inside, color, found),
        contrast=found,
        known=bool(rows) or not totals.rates or totals.unknown < totals.rates,
        **_table(query, totals, own, by),
    )


@market_page(SpecialtiesForm, "specialties", needs_code=True)
def show_specialties(query: MarketQuery[SpecialtiesForm]) -> HttpResponseBase:
    """Show `/specialties/`"""
    market = query.market
    if query.wants_file:
        by = "entity" if query.values["table"] == "entities" else "specialty"
        return query.download(
            break_down(query.cached_by_area, market, by)[1], Breakdown, f"rates_{market.code}_by_{by}"
        )
    totals, rows = break_down(query.cached_by_area, market, "specialty")
    _, entities = break_down(query.cached_by_area, market, "entity")
    performing = find_performing(query.db, market)
    # A rate is listed for each specialty of its group, whichever of them performs the service. Those that perform it
    # most are first: nearly every large group has a hospital.
    usual = sorted((row for row in rows if row.value in performing), key=lambda row: performing.index(row.value))
    seldom = [row for row in rows if row.value not in performing] if usual else []
    shown = usual or rows
    bars = [spread_chart.Bar(row.label, (row.p10, row.p25, row.p50, row.p75, row.p90)) for row in shown[:MAX_BARS]]
    return query.render(
        "pages/specialties.html",
        code=codes.describe_code(query.db, market.code_type, market.code),
        entities=entities,
        chart=spread_chart.draw_spreads(
            bars, spread_chart.dollars(totals.median), "Rates in dollars by specialty; the line marks the market median"
        ),
        charted=len(bars),
        seldom=seldom[:MAX_ROWS],
        usual=bool(usual),
        billed=bool(list_billing_specialties(query.db, market.code or "")),
        contrast=contrast(query.cached_by_area, market, "specialty", shown),
        **_table(query, totals, shown, "specialty", "specialties that usually perform it" if usual else ""),
    )


def _table(
    query: MarketQuery[PlacesForm] | MarketQuery[SpecialtiesForm],
    totals: BreakdownTotals,
    rows: Sequence[Breakdown],
    by: str,
    several: str = "",
) -> dict[str, Any]:
    """Return what the templates of both pages show besides what is their own. `several` is what the rows are called."""
    return {
        "totals": totals,
        "rows": rows[:MAX_ROWS],
        "left_out": max(len(rows) - MAX_ROWS, 0),
        "filter_name": by,
        "several": several or _SEVERAL[by],
        "most_alike": _find_most_alike(rows),
        "few": FEW_RATES,
        "instead": None if totals.rates else find_instead(query, "rates"),
        "answer_rows": totals.rates,
    }


def _find_most_alike(rows: Sequence[Breakdown]) -> tuple[int, float] | None:
    """Return how many of the rows have the same median, and which: the commonest. None if no two have."""
    [(amount, number)] = Counter(row.p50 for row in rows).most_common(1) or [(0.0, 0)]
    return (number, amount) if number > 1 else None


def _draw_map(
    query: MarketQuery[PlacesForm],
    rows: Sequence[Breakdown],
    color: str,
    found: Contrast | None,
) -> place_map.PlaceMap | None:
    """Return a map of the rows with a point, colored by their median or by their percent of Medicare.

    There is none where nothing says that they differ: colors would show differences that are none, and one color says
    nothing.
    """
    if found is None or found.compared < 2 or found.is_alike:
        return None
    what = "ZIP code" if query.values["by"] == "zip" else "county"
    places = [
        place_map.MapPlace(write_filter(row.label, what), row.latitude, row.longitude, value, row.rates)
        for row in rows
        if row.latitude is not None
        and row.longitude is not None
        and (value := row.percent if color == "percent" else row.p50) is not None
    ]
    shape = [(point.latitude, point.longitude) for point in list_zip_points(query.db, query.market.state)]
    figure = f"Median percent of {query.measured.name}" if color == "percent" else "Median rate"
    write = write_percent if color == "percent" else write_dollars
    title = f"{figure} by {what} in {write_state(query.market.state)}"
    drawn = place_map.draw_map(places, shape, write, title)
    return drawn if drawn and drawn.legend else None
