"""Rates by where providers practice and by what they are: a rate counts once for each value that its group has.

A group has a county if any of its providers practices there, and likewise a ZIP code, a specialty, and so on. Thirty
providers in one county are one rate of that county; a group with offices in two counties counts in both.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from core.queries.comparison.compared_rates import SAME_TERMS, SAME_TERMS_AND_AREA
from core.queries.comparison.left_out import facts_in_figures
from core.queries.facets import Choice
from core.queries.market.market import Market
from core.queries.market.market_filters import PROFILE_FILTERS
from core.queries.market.market_rates import (
    market_members,
    members_condition,
    rates_of_market,
    uses_own_areas,
)
from core.queries.rules.alike import are_alike
from core.queries.rules.columns import (
    GroupCount,
    NewestMonth,
    OldestMonth,
    RateCount,
    RateP10,
    RateP25,
    RateP50,
    RateP75,
    RateP90,
    described,
)
from core.queries.rules.named_rows import read_row, read_rows
from core.queries.rules.percentiles import FEW_RATES, FIVE_PERCENTILES, median, percentile_columns, percentile_list
from core.queries.yardstick.medicare import with_compared_terms
from core.store.connection import Snapshot
from core.store.schema.tables import GROUP_PROFILE
from core.store.sql import used_parameters

PLACES = ("county", "metro", "city", "zip")
"""What rates may be broken down by, of where providers practice. These are filters of a market."""

KINDS = ("specialty", "entity")
"""What rates may be broken down by, of what providers are."""

_VALUES = {
    "county": "[county_fips]",
    # A division is in an area, and both are values of the filter.
    "metro": "[cbsa, division]",
    "city": "[city]",
    "zip": "[zip]",
    "specialty": "[specialty]",
    "entity": "[entity_type]",
}
"""SQL of the values of a filter that a row of `members` has."""


@dataclass(frozen=True)
class _NamedPlace:
    """What a place is called, and where it is: a county is in the middle of its ZIP codes."""

    filter: str
    value: str
    label: str | None
    latitude: float | None
    longitude: float | None


def _named_places(db: Snapshot) -> dict[tuple[str, str], _NamedPlace]:
    """Return counties and metropolitan areas by filter and value: a few thousand."""
    rows = read_rows(
        db,
        _NamedPlace,
        """SELECT 'county' AS filter, county_fips AS value,
                  coalesce(min(county), 'County ' || county_fips) || coalesce(', ' || mode(state), '') AS label,
                  avg(latitude) AS latitude, avg(longitude) AS longitude
           FROM dim_zip WHERE county_fips IS NOT NULL GROUP BY county_fips
           UNION ALL
           SELECT 'metro', cbsa, min(cbsa_title), NULL, NULL FROM dim_zip WHERE cbsa IS NOT NULL GROUP BY cbsa
           UNION ALL
           SELECT 'metro', division, min(division_title) || ' (division)', NULL, NULL
           FROM dim_zip WHERE division IS NOT NULL GROUP BY division""",
    )
    return {(row.filter, row.value): row for row in rows}


def _place(db: Snapshot, name: str, value: str) -> _NamedPlace:
    """Return what a value of a filter is called, which is the value itself unless it is a number of a place."""
    found = db.ask_once(_named_places).get((name, value)) if name in _NUMBERED else None
    return found or _NamedPlace(name, value, None, None, None)


_NUMBERED = ("county", "metro")


@dataclass(frozen=True)
class Breakdown:
    """The rates in dollars of one place, or of one specialty. Each rate counts once."""

    value: Annotated[str, described("The value to give the filter of the same name.", "13121")]
    label: Annotated[str, described("How the value is displayed.", "Fulton County, GA")]
    rates: RateCount
    groups: GroupCount
    p10: RateP10
    p25: RateP25
    p50: RateP50
    p75: RateP75
    p90: RateP90
    oldest_month: OldestMonth
    newest_month: NewestMonth
    compared: Annotated[int, described("Number of these rates that have a percent of Medicare.", 12)]
    percent: Annotated[
        float | None, described("Median percent of Medicare, or of the yardstick asked for: 1 is 100%.", 1.21)
    ]
    latitude: Annotated[float | None, described("Latitude, of a county or ZIP code; null if it is not known.", 33.75)]
    longitude: Annotated[float | None, described("Longitude, of a county or ZIP code.", -84.39)]


@dataclass(frozen=True)
class BreakdownTotals:
    """What a breakdown covers, and what it leaves out."""

    rates: Annotated[int, described("Number of rates in dollars for one service.", 120)]
    groups: GroupCount
    median: Annotated[float | None, described("Median of these rates, each counted once.", 104.5)]
    percent: Annotated[float | None, described("Median percent of Medicare of those that have one.", 1.21)]
    unknown: Annotated[
        int, described("Rates of which no provider of the group is known to have a value; in no row.", 3)
    ]


@dataclass(frozen=True)
class _ValueSpread:
    """A row of a breakdown without its name."""

    value: str
    rates: int
    groups: int
    p10: float
    p25: float
    p50: float
    p75: float
    p90: float
    oldest_month: str
    newest_month: str
    compared: int
    percent: float | None
    latitude: float | None
    longitude: float | None
    state: str | None
    """The state of a ZIP code, whose number does not say it."""

    def named(self, place: _NamedPlace) -> Breakdown:
        """Return the row with what its value is called, and where it is."""
        latitude, longitude = (place.latitude, place.longitude) if place.latitude else (self.latitude, self.longitude)
        label = place.label or (f"{self.value}, {self.state}" if self.state else self.value)
        named = {"label": label, "latitude": latitude, "longitude": longitude}
        return Breakdown(**{name: value for name, value in {**vars(self), **named}.items() if name != "state"})


def break_down(db: Snapshot, market: Market, by: str) -> tuple[BreakdownTotals, list[Breakdown]]:
    """Return the spreads of a code's rates in dollars for each value of `by`, most rates first.

    `by` is one of PLACES or KINDS. Values count only for the providers that meet the market's other filters.
    """
    values, parameters = _valued_sql(db, market, by)
    totals = read_row(
        db,
        BreakdownTotals,
        f"""{values}
            SELECT count(*) AS rates, count(DISTINCT pg_uid) AS groups, {median("negotiated_rate")} AS median,
                   {median("percent")} AS percent,
                   count(*) FILTER (pg_uid NOT IN (SELECT pg_uid FROM valued)) AS unknown
            FROM rates""",
        parameters,
    )
    located = "true" if by == "zip" else "false"
    rows = read_rows(
        db,
        _ValueSpread,
        f"""{values},
            found AS (
                SELECT value, count(*) AS rates, count(DISTINCT pg_uid) AS groups,
                       min(year_month) AS oldest_month, max(year_month) AS newest_month,
                       {percentile_list("negotiated_rate")} AS percentiles, count(percent) AS compared,
                       {median("percent")} AS percent
                FROM rates JOIN valued USING (pg_uid) GROUP BY value)
            SELECT value, rates, groups, oldest_month, newest_month, compared, percent, latitude, longitude, state,
                   {percentile_columns("percentiles", FIVE_PERCENTILES)}
            FROM found LEFT JOIN (SELECT zip AS value, latitude, longitude, state FROM dim_zip WHERE {located})
                USING (value)""",
        parameters,
    )
    found = [row.named(_place(db, by, row.value)) for row in rows]
    return totals, sorted(found, key=lambda row: (-row.rates, row.label, row.value))


@dataclass(frozen=True)
class Contrast:
    """How the medians of the rows of a breakdown differ. Rows of fewer than FEW_RATES rates are not compared."""

    highest: Sequence[Breakdown]
    """The rows with the highest median: several if it is the same."""
    lowest: Sequence[Breakdown]
    compared: int
    """Number of rows."""
    rates: int
    """Their rates, each counted once."""
    everywhere: int
    """Those of these rates that are in all of the rows, because their provider groups are."""
    fewest: int
    """The rates of the row with fewest of them."""
    most: int

    @property
    def is_alike(self) -> bool:
        """Whether the medians differ by nothing worth naming."""
        return self.compared > 1 and are_alike([self.highest[0].p50, self.lowest[0].p50])

    @property
    def is_shared(self) -> bool:
        """Whether most of the rates are in all of the rows, which then cannot differ by much."""
        return self.compared > 1 and 2 * self.everywhere >= self.rates


def contrast(db: Snapshot, market: Market, by: str, rows: Sequence[Breakdown]) -> Contrast | None:
    """Return how the medians of `rows` differ, some of those of break_down. None if all of them have few rates."""
    among = [row for row in rows if row.rates >= FEW_RATES]
    if not among:
        return None
    values, parameters = _valued_sql(db, market, by)
    shared = read_row(
        db,
        _SharedRates,
        f"""{values},
            of_group AS (
                SELECT pg_uid, count(*) AS n FROM valued
                WHERE value IN (SELECT unnest($among::VARCHAR[])) GROUP BY pg_uid)
            SELECT count(*) AS rates, count(*) FILTER (n = {len(among)}) AS everywhere
            FROM rates JOIN of_group USING (pg_uid)""",
        parameters | {"among": [row.value for row in among]},
    )
    highest, lowest = max(row.p50 for row in among), min(row.p50 for row in among)
    return Contrast(
        highest=[row for row in among if row.p50 == highest],
        lowest=[row for row in among if row.p50 == lowest],
        compared=len(among),
        fewest=min(row.rates for row in among),
        most=max(row.rates for row in among),
        **vars(shared),
    )


@dataclass(frozen=True)
class _SharedRates:
    rates: int
    everywhere: int


def _valued_sql(db: Snapshot, market: Market, by: str) -> tuple[str, dict[str, Any]]:
    """Return a WITH clause of `rates`, see _rates_sql, and of `valued`: the values of `by` that their groups have."""
    rates, parameters = _rates_sql(db, market)
    members = _members_sql(db, market, "SELECT pg_uid FROM rates")
    sql = f"""{rates},
        {members},
        valued AS MATERIALIZED (
            SELECT DISTINCT pg_uid, value FROM (SELECT pg_uid, unnest({_VALUES[by]}) AS value FROM members)
            WHERE value <> '')"""
    return sql, parameters | used_parameters(members, market.parameters)


def _rates_sql(db: Snapshot, market: Market) -> tuple[str, dict[str, Any]]:
    """Return a WITH clause that ends in `rates`: the market's rates in dollars with their percent of Medicare."""
    compared, of_terms = with_compared_terms(db, market)
    areas = uses_own_areas(db, market)
    facts, of_facts = facts_in_figures(db, market, areas=areas)
    sql = f"""{compared},
        rates AS MATERIALIZED (
            SELECT f.pg_uid, f.year_month, f.negotiated_rate, f.negotiated_rate / c.medicare AS percent
            FROM ({facts}) f
            JOIN compared c ON {SAME_TERMS_AND_AREA if areas else SAME_TERMS}
            WHERE c.kind = 'dollars')"""
    return sql, of_terms | of_facts


def _members_sql(db: Snapshot, market: Market, groups: str) -> str:
    """Return the query `members` of a WITH clause: providers of `groups` who meet the filters by provider."""
    names = [name for name in PROFILE_FILTERS if getattr(market, name)]
    return f"""members AS MATERIALIZED (
        SELECT pg_uid, zip, city, specialty, entity_type, county_fips, cbsa, division
        FROM {market_members(db, market)} WHERE pg_uid IN ({groups}) AND {members_condition(db, market, names)})"""


@dataclass(frozen=True)
class _Count:
    filter: str
    value: str
    rates: int


def count_profile_choices(
    db: Snapshot, market: Market, names: Iterable[str] = (*KINDS, *PLACES)
) -> dict[str, list[Choice]]:
    """Return the choices of the filters by provider, most rates first, in the market with all its other filters.

    A rate counts once for each value that a provider of its group has who meets the other filters by provider.
    """
    names = list(names)
    if not db.manifest.rows(GROUP_PROFILE.name):
        return {}
    chosen = [name for name in PROFILE_FILTERS if getattr(market, name)]
    rates, of_rates = rates_of_market(db, market.without(*PROFILE_FILTERS))
    fits = "".join(f", {members_condition(db, market, [name])} AS fits_{name}" for name in chosen)
    counts = " UNION ALL ".join(
        f"""SELECT '{name}' AS filter, value, sum(n)::BIGINT AS rates
            FROM (SELECT DISTINCT pg_uid, value, n
                  FROM (SELECT pg_uid, n, unnest({_VALUES[name]}) AS value FROM members
                        WHERE {" AND ".join(f"fits_{other}" for other in chosen if other != name) or "true"})
                  WHERE value <> '')
            GROUP BY value"""
        for name in names
    )
    sql = f"""
            WITH counted AS MATERIALIZED (
                SELECT f.pg_uid, count(*) AS n FROM {rates} f GROUP BY f.pg_uid),
            members AS MATERIALIZED (
                SELECT pg_uid, n, zip, city, specialty, entity_type, county_fips, cbsa, division{fits}
                FROM {market_members(db, market)} JOIN counted USING (pg_uid)),
            counts AS ({counts})
            SELECT filter, value, rates FROM counts"""
    rows = read_rows(db, _Count, sql, of_rates | used_parameters(sql, market.parameters))
    found: dict[str, list[Choice]] = {name: [] for name in names}
    for row in rows:
        label = _place(db, row.filter, row.value).label or row.value
        found[row.filter].append(
            Choice(row.filter, row.value, label, row.rates, row.value == getattr(market, row.filter))
        )
    for name, choices in found.items():
        value = getattr(market, name)
        if value and not any(choice.chosen for choice in choices):
            choices.append(Choice(name, value, _place(db, name, value).label or value, 0, True))
        choices.sort(key=lambda choice: (-choice.rates, choice.label, choice.value))
    return found


def name_places(db: Snapshot, market: Market) -> dict[str, str]:
    """Return what the county and the metropolitan area of a market are called, by filter, where that is known."""
    asked = {name: value for name in _NUMBERED if (value := getattr(market, name))}
    found = {name: _place(db, name, value).label for name, value in asked.items()}
    return {name: label for name, label in found.items() if label}


@dataclass(frozen=True)
class ZipPoint:
    """Where a ZIP code is."""

    latitude: float
    longitude: float


def list_zip_points(db: Snapshot, state: str) -> list[ZipPoint]:
    """Return where the ZIP codes of a state are. Together they show its shape."""
    return read_rows(
        db,
        ZipPoint,
        "SELECT latitude, longitude FROM dim_zip WHERE state = $state AND latitude IS NOT NULL ORDER BY zip",
        {"state": state},
    )
