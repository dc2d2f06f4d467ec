"""How a market's dollars spread: a histogram."""

from dataclasses import dataclass
from typing import Annotated

from core.queries.rules.columns import RateCount, described
from core.queries.rules.market import Market, counted_rates
from core.store.connection import Snapshot

BINS = 30


@dataclass(frozen=True)
class Bin:
    """The rates from `low` (included) up to `high` (included in the last bin only)."""

    low: Annotated[float, described("Lowest amount of the bin in dollars, included.", 88.0)]
    high: Annotated[float, described("Highest amount of the bin in dollars, included in the last bin only.", 89.75)]
    rates: RateCount


@dataclass(frozen=True)
class Histogram:
    """Bins of equal width. Rates outside of them are counted in `below` and `above`."""

    bins: list[Bin]
    below: int
    above: int


def build_histogram(db: Snapshot, market: Market) -> Histogram:
    """The market's rates in dollars, zero left out, between their 1st and 99th percentile.

    Where all of these are one amount, there is one bin; where there are none, no bin.
    """
    rates, parameters = counted_rates(db, market)
    rows = db.rows(
        f"""WITH f AS (
                SELECT negotiated_rate AS rate, sum(rate_count)::BIGINT AS n FROM {rates} f
                WHERE negotiated_rate > 0 AND rate_kind(f.negotiated_type, f.negotiation_arrangement) = 'dollars'
                GROUP BY rate),
            upto AS (SELECT rate, sum(n) OVER (ORDER BY rate) AS there, sum(n) OVER () AS every FROM f),
            ends AS (SELECT min(rate) FILTER (there >= 0.01 * every) AS low,
                            min(rate) FILTER (there >= 0.99 * every) AS high FROM upto)
            SELECT low, high,
                   CASE WHEN rate < low THEN -1 WHEN rate > high THEN {BINS}
                        WHEN low = high THEN 0
                        ELSE least(floor((rate - low) / (high - low) * {BINS})::INTEGER, {BINS - 1}) END AS bin,
                   sum(n)::BIGINT
            FROM f, ends GROUP BY ALL""",
        parameters,
    )
    if not rows:
        return Histogram([], 0, 0)
    low, high = rows[0][:2]
    counts = {row[2]: row[3] for row in rows}
    width, number = ((high - low) / BINS, BINS) if high > low else (0.0, 1)
    bins = [Bin(low + n * width, low + (n + 1) * width, counts.get(n, 0)) for n in range(number)]
    return Histogram(bins, counts.get(-1, 0), counts.get(BINS, 0))
