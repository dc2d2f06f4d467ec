"""What one payer pays, beside the other payers of its month: on its page, and on that of a plan of it alone."""

from dataclasses import replace

from core.queries.baskets.payer_levels import PayerLevels, list_payer_levels
from core.queries.latest import with_latest
from core.queries.market.market import Market
from core.store.connection import Snapshot


def find_levels(db: Snapshot, market: Market) -> PayerLevels:
    """Return what the payer of a market pays by specialty and by code; nothing if too many rates would be read."""
    return list_payer_levels(db, _market_beside(db, market), market.payer or "") or PayerLevels(market, [], [], [])


def _market_beside(db: Snapshot, market: Market) -> Market:
    """Return the market of all payers that a payer's month is part of: the latest files, if it is its latest."""
    latest = with_latest(db, Market(market.state, ""))
    is_latest = latest.month_of(market.payer or "") == market.year_month
    return latest if is_latest else replace(market, payer=None)
