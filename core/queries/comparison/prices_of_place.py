"""The rates that hold in a place, where contracts list a price for each of several areas.

Such a contract pays one percent of Medicare, and the file lists the prices of all areas for each provider group.
So the rates of a town have those of other towns among them.
"""

import statistics
from dataclasses import dataclass

from core.queries.comparison.contract_percents import list_contract_percents
from core.queries.comparison.left_out import rates_in_figures
from core.queries.comparison.percent_of_areas import area_of_most, locality_names
from core.queries.market.market import Market
from core.queries.market.market_filters import PLACE_FILTERS
from core.queries.market.market_rates import class_of_all_sql, facts_in_memory, members_condition
from core.store.connection import Snapshot
from core.store.schema.tables import PROVIDER_PROFILE
from core.store.sql import used_parameters


@dataclass(frozen=True)
class PricesOfPlace:
    """The rates of one class and modifier that hold in a place's payment locality, in dollars.

    `elsewhere` are the other rates: prices of `contracts` provider groups for other areas. `percent` is the median of
    what holds against Medicare's amount in the locality: 1 is 100%.
    """

    area: str
    rates: int
    elsewhere: int
    contracts: int
    p25: float
    p50: float
    p75: float
    percent: float | None


def find_prices_of_place(
    db: Snapshot, market: Market, billing_class: str | None, modifier: str
) -> PricesOfPlace | None:
    """Return the rates of a code that hold in the place asked for, of one class and modifier.

    None if all rates hold there or none does, no place is asked for, most of its providers are in no one locality, or
    the rates of the code are too many to be in memory.
    """
    places = [name for name in PLACE_FILTERS if getattr(market, name)]
    percents = list_contract_percents(db, market) if places else {}
    area = _find_area(db, market, places) if percents else None
    if area is None:
        return None
    held, elsewhere, contracts, amounts = list[float](), 0, set[str](), set[float]()
    with facts_in_memory(db, market) as memory:
        if memory.code_values is None:
            return None
        facts, parameters = rates_in_figures(memory, market)
        rows = memory.rows(
            f"""SELECT fact_uid, pg_uid, negotiated_rate, {class_of_all_sql(market, "f.billing_class")},
                       billing_code_modifier
                FROM {facts} f WHERE rate_kind(f.negotiated_type, f.negotiation_arrangement) = 'dollars'""",
            parameters,
        )
    for uid, group, rate, its_class, its_modifier in rows:
        if (its_class, its_modifier) != (billing_class, modifier):
            continue
        of_areas = percents[uid][1] if uid in percents else None
        if of_areas and area in of_areas.amounts:
            amounts.add(of_areas.amounts[area])
        # A contract that lists other areas only has no price here, even if one of its providers is here.
        if of_areas and of_areas.of_areas and rate not in of_areas.prices_in(area):
            elsewhere += 1
            contracts.add(group)
        else:
            held.append(rate)
    if not elsewhere or not held:
        return None
    p25, p50, p75 = statistics.quantiles(held, n=4, method="inclusive") if len(held) > 1 else held * 3
    percent = p50 / amounts.pop() if len(amounts) == 1 else None
    return PricesOfPlace(area, len(held), elsewhere, len(contracts), p25, p50, p75, percent)


def _find_area(db: Snapshot, market: Market, places: list[str]) -> str | None:
    """Return the name of the locality in which most providers of the place practice; None if there is none."""
    sql = f"""SELECT contractor || '-' || locality AS number, count(*) AS npis FROM {PROVIDER_PROFILE.name}
              WHERE locality <> '' AND {members_condition(db, market, places)} GROUP BY ALL"""
    number = area_of_most(db.rows(sql, used_parameters(sql, market.parameters)))
    return db.ask_once(locality_names).get((market.state, number)) if number else None
