"""The distribution of a market's rates in dollars, as a histogram."""

from dataclasses import dataclass
from typing import Annotated

from core.queries.comparison.left_out import counted_in_figures
from core.queries.market.market import Market
from core.queries.rules.columns import RateCount, described
from core.queries.rules.named_rows import read_rows
from core.store.connection import Snapshot

BINS = 30

_LONGEST_TAIL = 2
"""The bins end at so many times the 90th percentile, if the 99th is beyond: else all other rates would be one bar."""


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
    lowest: float | None
    """The lowest rate above zero; none if there are no such rates."""
    highest: float | None


@dataclass(frozen=True)
class _BinCount:
    """How many rates are in a bin, and the ends of all bins. -1 is below them, BINS above."""

    low: float
    high: float
    lowest: float
    highest: float
    bin: int
    rates: int


def build_histogram(db: Snapshot, market: Market) -> Histogram:
    """Return the histogram of the market's rates in dollars, without zeros, from their 1st to their 99th percentile.

    It ends before that at the last rate of at most _LONGEST_TAIL times the 90th percentile.
    There is one bin if all of these are the same amount, and none if there are no rates.
    """
    rates, parameters = counted_in_figures(db, market)
    rows = read_rows(
        db,
        _BinCount,
        f"""WITH f AS (
                SELECT negotiated_rate AS rate, sum(rate_count)::BIGINT AS n FROM {rates} f
                WHERE negotiated_rate > 0 AND rate_kind(f.negotiated_type, f.negotiation_arrangement) = 'dollars'
                GROUP BY rate),
            upto AS (SELECT rate, sum(n) OVER (ORDER BY rate) AS there, sum(n) OVER () AS every FROM f),
            -- The lowest rates with at least 1, 90, and 99 percent of all at or below them: amounts that exist.
            percentiles AS (SELECT min(rate) FILTER (there >= 0.01 * every) AS low,
                                   min(rate) FILTER (there >= 0.9 * every) AS p90,
                                   min(rate) FILTER (there >= 0.99 * every) AS p99,
                                   min(rate) AS lowest, max(rate) AS highest FROM upto),
            ends AS (SELECT low, lowest, highest,
                            max(rate) FILTER (rate <= least(p99, {_LONGEST_TAIL} * p90)) AS high
                     FROM f, percentiles GROUP BY low, lowest, highest)
            SELECT low, high, lowest, highest,
                   CASE WHEN rate < low THEN -1 WHEN rate > high THEN {BINS}
                        WHEN low = high THEN 0
                        ELSE least(floor((rate - low) / (high - low) * {BINS})::INTEGER, {BINS - 1}) END AS bin,
                   sum(n)::BIGINT AS rates
            FROM f, ends GROUP BY ALL""",
        parameters,
    )
    if not rows:
        return Histogram([], 0, 0, None, None)
    low, high = rows[0].low, rows[0].high
    counts = {row.bin: row.rates for row in rows}
    width, number = ((high - low) / BINS, BINS) if high > low else (0.0, 1)
    bins = [Bin(low + n * width, low + (n + 1) * width, counts.get(n, 0)) for n in range(number)]
    below, above = counts.get(-1, 0), counts.get(BINS, 0)
    return Histogram(bins, below=below, above=above, lowest=rows[0].lowest, highest=rows[0].highest)
