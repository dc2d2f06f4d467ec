"""What an organization is said to be paid, slowly and obviously: the price in the middle of those that can be meant."""

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from statistics import median_low
from typing import Any

from core.queries.market.market import Market
from core.queries.market.market_filters import CLASS_FILTERS
from tests.queries import slow
from tests.queries.comparison import slow_comparison
from tests.queries.slow import Everything, Row


def choose_price(rates: Sequence[float], odd: Sequence[bool] = ()) -> float:
    """Return the rate in the middle, of two the lower one, of those that are not odd, if there is one."""
    meant = [rate for rate, is_odd in zip(rates, odd, strict=True) if not is_odd] if odd else []
    return median_low(meant or rates)


def choose_percentiles(rates: Sequence[float]) -> list[float]:
    """Return the 10th, 25th, 50th, 75th, and 90th percentiles, each the first rate that at least its share is up to."""
    return [sorted(rates)[max(math.ceil(len(rates) * share / 100), 1) - 1] for share in (10, 25, 50, 75, 90)]


def largest_contract(groups_of_tin: Mapping[Any, Collection[Any]]) -> int:
    """Return how many tax IDs the contract with most of them has: those with the same provider groups."""
    return max(Counter(map(frozenset, groups_of_tin.values())).values(), default=0)


def find_odd(everything: Everything, market: Market, facts: Sequence[Row]) -> dict[str, bool]:
    """Return whether figures leave out each of a market's rates, by its uid: it is implausible and beyond the others.

    The others are all rates in dollars of its class and modifier in the market, whatever its filters but the class.
    """
    if not market.code:
        return {fact["fact_uid"]: False for fact in facts}
    judged = replace(market.of_code, **{name: getattr(market, name) for name in CLASS_FILTERS})
    in_dollars = [fact for fact in everything.of(judged) if fact["kind"] == "dollars"]
    by_class = slow.grouped(in_dollars, "billing_class", "billing_code_modifier")
    found = {}
    for fact in facts:
        others = by_class.get((fact["billing_class"], fact["billing_code_modifier"]), [])
        amount = slow_comparison.compared_in(judged, fact, everything.benchmarks).amount
        percent = fact["negotiated_rate"] / amount if amount and fact["kind"] == "dollars" else None
        is_implausible = percent is not None and not 0.5 <= percent <= 30
        found[fact["fact_uid"]] = is_implausible and slow.is_beyond(
            fact["negotiated_rate"], [one["negotiated_rate"] for one in others]
        )
    return found
