"""The price of a clinic's own area, where its several prices are one percent of Medicare in as many areas.

Such a contract has one price for the clinic, and the others are for whoever practices elsewhere. Which area is the
clinic's is known from its NPIs' practice addresses.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from core.queries.baskets.clinic_rows import Clinic
from core.queries.comparison.percent_of_areas import list_amounts_of_areas, locality_names
from core.queries.market.market import Market
from core.store.connection import Snapshot
from core.store.schema.tables import PROVIDER_PROFILE

LEAST_SHARE = 0.5
"""An area is the clinic's if more than this share of its NPIs whose area is known practice in it, as for groups."""


@dataclass(frozen=True)
class OwnPrices:
    """The different prices of a clinic for a line, and the percent of Medicare of one of them, if it is known."""

    code: str
    modifier: str
    prices: tuple[float, ...]
    percent: float | None


@dataclass(frozen=True)
class AreaPrice:
    """The price of the clinic's own area: what percent of Medicare it is, and the prices of all areas in words."""

    area: str
    price: float
    percent: float
    areas: str


def list_area_prices(
    db: Snapshot, market: Market, clinic: Clinic, lines: Mapping[Any, OwnPrices]
) -> dict[Any, AreaPrice]:
    """Return the prices of the clinic's own area by the keys of `lines`, of those whose prices are one percent."""
    several = {key: one for key, one in lines.items() if len(one.prices) > 1 and one.percent}
    if not several or market.basis or market.yardstick:
        return {}
    area = find_own_area(db, market.state, clinic)
    if area is None:
        return {}
    amounts = list_amounts_of_areas(db, market.state, {one.code for one in several.values()})
    found = {}
    for key, one in several.items():
        in_area = amounts.find_price_in(area, one.code, one.modifier, one.prices)
        if in_area and one.percent and in_area[1].is_near(one.percent):
            price, percents = in_area
            found[key] = AreaPrice(area.title(), price, percents.of_price(price).percent, percents.words)
    return found


def find_own_area(db: Snapshot, state: str, clinic: Clinic) -> str | None:
    """Return the name of the payment locality of a state in which most of the clinic's NPIs practice; None if none."""
    if not clinic.members:
        return None
    rows = db.rows(
        f"""SELECT contractor || '-' || locality AS number, count(*) AS npis FROM {PROVIDER_PROFILE.name}
            WHERE npi IN ({clinic.members}) AND locality <> '' GROUP BY ALL""",
        clinic.values,
    )
    number = _of_most(rows)
    return db.ask_once(locality_names).get((state, number)) if number else None


def _of_most(rows: Iterable[tuple[str, int]]) -> str | None:
    counts = dict(rows)
    return next((one for one, npis in counts.items() if npis > LEAST_SHARE * sum(counts.values())), None)
