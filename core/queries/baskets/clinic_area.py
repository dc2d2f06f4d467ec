"""The prices of a clinic's own area, where its several prices are a few percents of Medicare in several areas.

Such a contract has a price for the clinic at each of its percents, and the other prices are for other areas.
Which area is the clinic's is known from its NPIs' practice addresses, or else from the city of its organization.
"""

import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.queries.baskets.clinic_rows import Clinic
from core.queries.comparison.percent_of_areas import (
    PercentsOfAreas,
    SeveralPrices,
    area_of_most,
    list_amounts_of_areas,
    locality_names,
)
from core.queries.market.market import Market
from core.queries.rules.percent_words import write_tenths
from core.store.connection import Snapshot
from core.store.schema.tables import ORGANIZATION, PROVIDER_PROFILE


@dataclass(frozen=True)
class OwnPrices:
    """The different prices of a clinic for a line, and the percent of Medicare of one of them, if it is known."""

    code: str
    modifier: str
    prices: tuple[float, ...]
    percent: float | None
    payer: str = ""


@dataclass(frozen=True)
class AreaPrices:
    """A clinic's prices that are percents of Medicare in several areas: which are its own, and of what."""

    own_area: str | None
    """The clinic's own area; None if it is not known."""
    prices: tuple[float, ...]
    """The prices of that area, or all of them if none is of it, the lowest first."""
    percents: PercentsOfAreas

    @property
    def is_own(self) -> bool:
        """Whether the prices are those of the clinic's own area."""
        return self.own_area is not None and bool(self.percents.prices_in(self.own_area))

    @property
    def area(self) -> str:
        """The area whose price the clinic's is."""
        return (self.own_area if self.is_own else self.percents.area_of(self.price)) or ""

    @property
    def price(self) -> float:
        """The clinic's price: the one in the middle, of two the lower one, as for every organization."""
        return statistics.median_low(self.prices)

    @property
    def percent(self) -> float:
        """The percent of Medicare that the price is of the amount in its own area."""
        return self.percents.of_price(self.price).percent

    @property
    def tiers(self) -> str | None:
        """The prices of the clinic's area with their percents, in words; None if none is of it."""
        if not self.is_own:
            return None
        return "; ".join(f"{write_tenths(self.percents.of_price(one).percent)}: ${one:,.2f}" for one in self.prices)


def list_area_prices(
    db: Snapshot, market: Market, clinic: Clinic, lines: Mapping[Any, OwnPrices]
) -> dict[Any, AreaPrices]:
    """Return the prices in the clinic's own area by the keys of `lines`, of those that are percents of several."""
    several = {key: one for key, one in lines.items() if len(one.prices) > 1 and one.percent}
    if not several or market.basis or market.yardstick:
        return {}
    area = find_own_area(db, market.state, clinic)
    amounts = list_amounts_of_areas(db, market.state, {one.code for one in several.values()})
    of_areas = amounts.find_of_contracts(
        {key: SeveralPrices(one.code, one.modifier, one.prices, payer=one.payer) for key, one in several.items()}
    )
    found = {}
    for key, percents in of_areas.items():
        percent, prices = several[key].percent, percents.prices_in(area)
        if percents.of_areas and percent and percents.is_near(percent):
            found[key] = AreaPrices(area, prices or several[key].prices, percents)
    return found


def find_own_area(db: Snapshot, state: str, clinic: Clinic) -> str | None:
    """Return the name of the payment locality of a state that is a clinic's; None if none is known to be.

    It is that in which most of its NPIs practice, or else in which most providers of its organization's city do.
    """
    if not clinic.members:
        return None
    number = area_of_most(
        db.rows(
            f"""SELECT contractor || '-' || locality AS number, count(*) AS npis FROM {PROVIDER_PROFILE.name}
                WHERE npi IN ({clinic.members}) AND locality <> '' GROUP BY ALL""",
            clinic.values,
        )
    ) or _find_area_of_city(db, clinic)
    return db.ask_once(locality_names).get((state, number)) if number else None


def _find_area_of_city(db: Snapshot, clinic: Clinic) -> str | None:
    """Return the number of the locality of the city that a tax ID or an organization is in."""
    if clinic.npis:
        return None
    return area_of_most(
        db.rows(
            f"""SELECT contractor || '-' || locality AS number, count(*) AS npis FROM {PROVIDER_PROFILE.name}
                WHERE locality <> '' AND city IN (
                    SELECT DISTINCT upper(city) || ', ' || upper(state) FROM {ORGANIZATION.name}
                    WHERE {clinic.tins_condition})
                GROUP BY ALL""",
            clinic.values,
        )
    )
