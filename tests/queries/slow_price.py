"""What an organization is said to be paid, slowly and obviously: the price in the middle of those that can be meant."""

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from statistics import median_low
from typing import Any

from core.queries.market.market import Market
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
    """Return whether each of a market's rates in dollars is implausible or far from the others, by its uid."""
    found = {}
    for group in slow.grouped(facts, "billing_class", "billing_code_modifier").values():
        others = [fact["negotiated_rate"] for fact in group]
        for fact in group:
            amount = slow_comparison.compared_in(market, fact, everything.benchmarks).amount
            percent = fact["negotiated_rate"] / amount if amount else None
            is_implausible = percent is not None and not 0.5 <= percent <= 30
            is_far = not slow.without_far([fact["negotiated_rate"]], others)
            found[fact["fact_uid"]] = bool(market.code) and (is_implausible or is_far)
    return found
