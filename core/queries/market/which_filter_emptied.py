"""Why an answer is empty: which of its filters leaves no rate."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.queries.market.market import Market
from core.queries.market.market_filters import FILTERS
from core.store.connection import Snapshot


@dataclass(frozen=True)
class RatesWithoutFilter:
    """How many rates there would be without one filter."""

    filter: str
    value: str
    rates: int


def count_without_each_filter(db: Snapshot, market: Market, codes: Sequence[str] = ()) -> list[RatesWithoutFilter]:
    """Return for each filter of a market how many rates there would be without it.

    `codes` select rates as well, if there are any. If one filter alone is to blame, its number is above 0; if several
    are, all numbers may be 0.
    """
    numbers = {f"code{n}": code for n, code in enumerate(codes)}
    in_codes = f" AND f.code IN ({', '.join(f'${name}' for name in numbers)})" if numbers else ""
    found = []
    for name in FILTERS:
        value = getattr(market, name)
        if value is not None:
            wider = market.without(name)
            ((rates,),) = db.rows(
                f"SELECT count(*) FROM fact_rate f WHERE {wider.where}{in_codes}", {**wider.parameters, **numbers}
            )
            found.append(RatesWithoutFilter(name, value, rates))
    return found
