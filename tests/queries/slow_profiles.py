"""Filters and breakdowns by provider, slowly: look at each provider of each rate."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from core.queries.market.market import Market
from core.queries.market.market_filters import PROFILE_FILTERS
from core.store.connection import Snapshot
from tests.queries.slow import Everything, Row
from tests.queries.slow_distance import great_circle_miles

COLUMNS = (
    "npi", "entity_type", "specialty", "zip", "city", "county_fips", "cbsa", "division", "latitude", "longitude",
)  # fmt: skip

VALUES: dict[str, Callable[[Mapping[str, Any]], set[Any]]] = {
    "county": lambda who: {who["county_fips"]} - {None},
    "metro": lambda who: {who["cbsa"], who["division"]} - {None},
    "city": lambda who: {who["city"]} - {None},
    "zip": lambda who: {who["zip"]} - {None},
    "specialty": lambda who: {who["specialty"]} - {None},
    "entity": lambda who: {who["entity_type"]} - {None},
}
"""The values of each breakdown that a provider has."""


class Providers:
    """The providers of a store, by NPI."""

    def __init__(self, db: Snapshot) -> None:
        rows = db.rows(f"SELECT {', '.join(COLUMNS)} FROM provider_profile")
        self.by_npi = {row[0]: dict(zip(COLUMNS, row, strict=True)) for row in rows}
        self.points = {row[0]: row[1:] for row in db.rows("SELECT zip, latitude, longitude FROM dim_zip")}

    def meets(self, npi: str, name: str, value: str) -> bool:
        """Return whether a provider meets a filter."""
        who = self.by_npi.get(npi)
        if who is None:
            return False
        if name == "city":
            return bool(who["city"]) and value in {
                who["city"],
                who["city"].partition(", ")[0],
                who["city"].replace(",", ""),
            }
        if name != "near":
            return value in VALUES[name](who)
        place, miles = value.split(",")
        other = self.by_npi.get(place, {})
        origin = self.points.get(place) or (other.get("latitude"), other.get("longitude"))
        point = who["latitude"], who["longitude"]
        return None not in (*origin, *point) and great_circle_miles(origin, point) <= int(miles)

    def members(self, fact: Row, market: Market, without: Iterable[str] = ()) -> list[Mapping[str, Any]]:
        """Return the providers of a rate's group who meet all of the market's filters by provider, except some."""
        chosen = {name: value for name in PROFILE_FILTERS if name not in without and (value := getattr(market, name))}
        return [
            self.by_npi[npi]
            for npi in fact["npis"]
            if npi in self.by_npi and all(self.meets(npi, name, value) for name, value in chosen.items())
        ]


def facts_of(everything: Everything, providers: Providers, market: Market) -> list[Row]:
    """Return the facts of a market with filters by provider."""
    facts = everything.of(market)
    filtered = any(getattr(market, name) for name in PROFILE_FILTERS)
    return [fact for fact in facts if not filtered or providers.members(fact, market)]
