"""A provider in a few figures: its payers and codes, its percent of Medicare, and where its rates stand in the market.

Each negotiated rate counts once, as on its page. Percents are those of the rates that can be compared, positions those
of the rates in dollars for one service that others have rates beside. Rates that are likely errors are counted apart.
"""

from dataclasses import dataclass, replace
from typing import Annotated

from core.queries.comparison.compared_rates import LEAST_PLAUSIBLE, MOST_PLAUSIBLE
from core.queries.market.market import Market
from core.queries.parties.placed_rates import PLACED_RATES, placed_rates
from core.queries.parties.provider_rates import Family, Percentile
from core.queries.rules.columns import Month, PayerName, PayerSlug, RateCount, described
from core.queries.rules.named_rows import read_row, read_rows
from core.queries.rules.percentiles import FEW_RATES, FIVE_PERCENTILES, median, percentile_columns, percentile_list
from core.store.connection import Snapshot

CodesOfPart = Annotated[int, described("Number of billing codes.", 12)]
Compared = Annotated[int, described("Number of rates that have a percent of Medicare.", 12)]
Placed = Annotated[int, described("Number of rates whose position in the market counts.", 12)]
Odd = Annotated[
    int,
    described(
        "Number of rates that are likely errors: below 50% or above 3,000% of Medicare, and over five times or under a "
        "fifth of the market's median. The percentiles and the position are without them, unless there are no others.",
        0,
    ),
]
_PERCENT = (
    "percentile of the percents of Medicare: 1 is 100%. Where several prices of a code are percents of several payment "
    "localities, each counts with that."
)
P10 = Annotated[float | None, described(f"10th {_PERCENT}", 0.8)]
P25 = Annotated[float | None, described(f"25th {_PERCENT}", 0.9)]
P50 = Annotated[float | None, described("Median percent of Medicare: 1 is 100%.", 1.1)]
P75 = Annotated[float | None, described(f"75th {_PERCENT}", 1.3)]
P90 = Annotated[float | None, described(f"90th {_PERCENT}", 1.6)]


@dataclass(frozen=True)
class ProviderSummary:
    """All of a provider's rates in a few figures."""

    payers: Annotated[int, described("Number of payers.", 2)]
    codes: CodesOfPart
    rates: RateCount
    dollars: Annotated[int, described("Number of rates in dollars for one service.", 12)]
    shares: Annotated[int, described("Number of rates that are a percent of what is billed.", 0)]
    share_p50: Annotated[float | None, described("Median of these percents: 40.5 means 40.5%.", None)]
    compared: Compared
    odd: Odd
    p10: P10
    p25: P25
    p50: P50
    p75: P75
    p90: P90
    placed: Placed
    percentile: Percentile
    below: Annotated[int, described("Number of odd rates below 50% of Medicare.", 0)]
    odd_p50: Annotated[float | None, described("Median percent of Medicare of these: 1 is 100%.", None)]
    above: Annotated[int, described("Number of odd rates above 3,000% of Medicare.", 0)]
    in_areas: Annotated[
        int, described("Number of rates that count with their percent of the amount of another locality.", 0)
    ]
    market_rates: Annotated[
        float | None, described("How many rates the markets have that these are placed in: their median.", 70.0)
    ]

    @property
    def has_percentiles(self) -> bool:
        """Whether most of the markets have as many rates as a percentile needs: of two, the higher is no 75th."""
        return self.market_rates is not None and self.market_rates >= FEW_RATES


@dataclass(frozen=True)
class FamilyRates:
    """A provider's rates of one family of codes in a few figures."""

    family: Family
    codes: CodesOfPart
    rates: RateCount
    compared: Compared
    odd: Odd
    p10: P10
    p25: P25
    p50: P50
    p75: P75
    p90: P90
    placed: Placed
    percentile: Percentile


@dataclass(frozen=True)
class ProviderPayer:
    """A provider's rates at one payer in a few figures."""

    reporting_entity_name: PayerName
    payer_slug: PayerSlug
    year_month: Month
    codes: CodesOfPart
    rates: RateCount
    compared: Compared
    odd: Odd
    p10: P10
    p25: P25
    p50: P50
    p75: P75
    p90: P90
    placed: Placed
    percentile: Percentile


_RATES = f"""(SELECT *, percent < {LEAST_PLAUSIBLE} AS is_below, percent > {MOST_PLAUSIBLE} AS is_above,
                     coalesce(of_areas, percent) AS counted, unnest(range(rate_count)) FROM {PLACED_RATES})"""
_IN_DOLLARS = "kind = 'dollars'"
_OF_CHARGE = "kind = 'percentage'"
_IS_MEANT = "NOT is_odd"
_SPREAD = f"coalesce({percentile_list('counted', _IS_MEANT)}, {percentile_list('counted')})"
_POSITION = f"""coalesce({median("position", f"{_IN_DOLLARS} AND {_IS_MEANT}")}, {median("position", _IN_DOLLARS)})"""
_FIGURES = f"""
    count(DISTINCT (code_type, code)) AS codes, count(*) AS rates, count(percent) AS compared,
    count(*) FILTER (is_odd) AS odd, {percentile_columns(_SPREAD, FIVE_PERCENTILES)},
    coalesce(nullif(count(position) FILTER ({_IN_DOLLARS} AND {_IS_MEANT}), 0), count(position) FILTER ({_IN_DOLLARS}))
        AS placed, {_POSITION} AS percentile"""
_IS_BELOW = "is_odd AND is_below"


def summarize_provider(db: Snapshot, provider: Snapshot, market: Market) -> ProviderSummary:
    """Return the market's provider in a few figures. `provider` is what list_code_rates takes."""
    with placed_rates(db, provider, market) as memory:
        return read_row(
            memory,
            ProviderSummary,
            f"""SELECT count(DISTINCT reporting_entity_name) AS payers, {_FIGURES},
                       count(*) FILTER ({_IN_DOLLARS}) AS dollars, count(*) FILTER ({_OF_CHARGE}) AS shares,
                       quantile_cont(negotiated_rate, 0.5) FILTER ({_OF_CHARGE}) AS share_p50,
                       count(*) FILTER ({_IS_BELOW}) AS below, {median("percent", _IS_BELOW)} AS odd_p50,
                       count(*) FILTER (is_odd AND is_above) AS above,
                       count(of_areas) FILTER ({_IS_MEANT}) AS in_areas,
                       quantile_cont(market_rates, 0.5) FILTER ({_IN_DOLLARS} AND position IS NOT NULL) AS market_rates
                FROM {_RATES}""",
        )


def list_family_rates(db: Snapshot, provider: Snapshot, market: Market) -> list[FamilyRates]:
    """Return the provider's families of codes, most rates first."""
    with placed_rates(db, provider, market) as memory:
        return read_rows(
            memory,
            FamilyRates,
            f"""SELECT family, {_FIGURES} FROM {_RATES}
                GROUP BY family ORDER BY rates DESC, family""",
        )


def list_provider_payers(db: Snapshot, provider: Snapshot, market: Market) -> list[ProviderPayer]:
    """Return the provider's payers, most rates first."""
    with placed_rates(db, provider, market) as memory:
        rows = read_rows(
            memory,
            ProviderPayer,
            f"""SELECT reporting_entity_name, payer_slug(reporting_entity_name) AS payer_slug, '' AS year_month,
                       {_FIGURES}
                FROM {_RATES} GROUP BY reporting_entity_name ORDER BY rates DESC, reporting_entity_name""",
        )
    return [replace(row, year_month=market.month_of(row.payer_slug)) for row in rows]
