"""How a market's dollars spread: a histogram, with Medicare's amounts beside it."""

from dataclasses import dataclass

from core.queries.comparison import compared
from core.queries.market import Market
from core.store.connection import Snapshot

BINS = 30


@dataclass(frozen=True)
class Bin:
    """The rates from `low` (dollars, included) to `high` (not included, but for the last bin)."""

    low: float
    high: float
    rates: int


@dataclass(frozen=True)
class Histogram:
    """Bins of one width from the lowest shown to the highest; what lies outside is counted, not shown."""

    bins: list[Bin]
    below: int
    above: int


@dataclass(frozen=True)
class MedicareAmount:
    """An amount of one of Medicare's schedules, and how many of the market's rates it stands beside."""

    basis: str
    amount: float
    rates: int


def histogram(db: Snapshot, market: Market) -> Histogram:
    """The market's rates in dollars, zero left out, between their 1st and 99th percentile.

    Where all of these are one amount, there is one bin; where there are none, no bin.
    """
    rows = db.rows(
        f"""WITH f AS (
                SELECT negotiated_rate AS rate FROM fact_rate f
                WHERE {market.where} AND negotiated_rate > 0
                    AND rate_kind(f.negotiated_type, f.negotiation_arrangement) = 'dollars'),
            ends AS (SELECT quantile_disc(rate, 0.01) AS low, quantile_disc(rate, 0.99) AS high FROM f)
            SELECT low, high,
                   CASE WHEN rate < low THEN -1 WHEN rate > high THEN {BINS}
                        WHEN low = high THEN 0
                        ELSE least(floor((rate - low) / (high - low) * {BINS})::INTEGER, {BINS - 1}) END AS bin,
                   count(*)
            FROM f, ends GROUP BY ALL""",
        market.parameters,
    )
    if not rows:
        return Histogram([], 0, 0)
    low, high = rows[0][:2]
    counts = {row[2]: row[3] for row in rows}
    width, number = ((high - low) / BINS, BINS) if high > low else (0.0, 1)
    bins = [Bin(low + n * width, low + (n + 1) * width, counts.get(n, 0)) for n in range(number)]
    return Histogram(bins, counts.get(-1, 0), counts.get(BINS, 0))


def medicare_amounts(db: Snapshot, market: Market) -> list[MedicareAmount]:
    """Medicare's amounts for the market's rates, those that most rates stand beside first."""
    # An amount depends on these columns alone: one rate of each combination is compared, and stands for the others.
    rows = db.rows(
        f"""WITH alike AS (
                SELECT state, year_month, code_type, code, billing_class, setting, billing_code_modifier, pos_set_id,
                       negotiated_type, negotiation_arrangement, count(*) AS alike,
                       max(negotiated_rate) AS negotiated_rate
                FROM fact_rate f WHERE {market.where} GROUP BY ALL),
            {compared("true", "alike").lstrip().removeprefix("WITH ")}
            SELECT basis, medicare, sum(alike)::BIGINT AS rates
            FROM compared WHERE medicare IS NOT NULL GROUP BY basis, medicare ORDER BY rates DESC, basis, medicare""",
        market.parameters,
    )
    return [MedicareAmount(*row) for row in rows]
