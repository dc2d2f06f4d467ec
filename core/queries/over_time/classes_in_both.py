"""Which classes of a code's rates are in two months: a month may have other payers than the newest files together."""

from collections.abc import Sequence
from dataclasses import replace

from core.queries.classes.class_counts import count_classes
from core.queries.classes.rate_classes import RateClass
from core.queries.market.market import Market
from core.queries.market.market_filters import CLASS_FILTERS
from core.queries.market.market_rates import counted_rates, market_cache
from core.store.connection import Snapshot


def list_classes_in_both(db: Snapshot, market: Market, earlier: str, classes: Sequence[RateClass]) -> list[RateClass]:
    """Return those of some classes that the market's month and the earlier one have rates of."""
    found = list(classes)
    for month in (market.year_month, earlier):
        of_month = replace(market.without(*CLASS_FILTERS), year_month=month, latest=None)
        with market_cache(db, of_month) as cached:
            counts = count_classes(cached, of_month, *counted_rates(cached, of_month))
        found = [one for one in found if any(all(map(row.has, one.filters, one.filters.values())) for row in counts)]
    return found
