"""What is paid for a code, in the middle: the answer that its page begins with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated

from core.queries.comparison.compared_rates import (
    EXTREMES_SQL,
    PLAUSIBLE_RATE_SQL,
    SAME_TERMS,
    SAME_TERMS_AND_AREA,
)
from core.queries.comparison.left_out import count_left_out_by_terms, counted_in_figures
from core.queries.market.market import Market
from core.queries.market.market_rates import class_of_all_sql, uses_own_areas
from core.queries.rates import RateRow
from core.queries.rules.columns import (
    BillingClass,
    FarFromOthers,
    Highest,
    Implausible,
    LeftOutCount,
    Lowest,
    Mean,
    Modifier,
    PlausibleHighest,
    PlausibleLowest,
    PlausibleMean,
    RateCount,
    RateP10,
    RateP25,
    RateP50,
    RateP75,
    RateP90,
    described,
)
from core.queries.rules.far_from_others import far_sql, is_far
from core.queries.rules.measured_class import LIKE_CLASSES, class_of_like
from core.queries.rules.named_rows import read_rows
from core.queries.rules.percentiles import FIVE_PERCENTILES, mean, median, percentile_columns, percentile_list
from core.queries.yardstick.medicare import with_compared_terms
from core.store.connection import Snapshot

MAX_LISTED = 4
"""So many rates are listed one by one in a sentence, rather than described by their quartiles."""


@dataclass(frozen=True)
class AnswerSpread:
    """The rates in dollars of one payer, or of all together, for one class and modifier, with their percent of
    Medicare."""

    reporting_entity_name: Annotated[
        str | None, described("Name of the payer; null for all payers together.", "Example Peach Health Plan")
    ]
    payer_slug: Annotated[str | None, described("Key of the payer; null for all payers together.", "example_peach")]
    billing_class: BillingClass
    modifier: Modifier
    rates: RateCount
    lowest: Lowest
    p10: RateP10
    p25: RateP25
    p50: RateP50
    p75: RateP75
    p90: RateP90
    highest: Highest
    mean: Mean
    compared: Annotated[int, described("Number of these rates that have a percent of Medicare.", 12)]
    percent_p50: Annotated[
        float | None,
        described("Median of the percents of Medicare, or of the yardstick asked for; null if none has one.", 1.21),
    ]
    left_out: LeftOutCount
    implausible: Implausible
    far_from_others: FarFromOthers
    plausible_lowest: PlausibleLowest
    plausible_highest: PlausibleHighest
    plausible_mean: PlausibleMean

    @property
    def terms(self) -> tuple[str | None, str]:
        """What rates have in common that may be in one spread."""
        return self.billing_class, self.modifier

    @property
    def percentiles(self) -> tuple[float, float, float, float, float]:
        """The five percentiles."""
        return self.p10, self.p25, self.p50, self.p75, self.p90

    @property
    def few_amounts(self) -> tuple[float, ...]:
        """The amounts themselves, see list_few_amounts."""
        return list_few_amounts(self)


@dataclass(frozen=True)
class MiddleOfRates:
    """The same rates without their percents: what is asked of a code that is only named."""

    billing_class: BillingClass
    modifier: Modifier
    rates: RateCount
    lowest: Lowest
    p25: RateP25
    p50: RateP50
    p75: RateP75
    highest: Highest


def list_few_amounts(row: AnswerSpread | MiddleOfRates) -> tuple[float, ...]:
    """Return the amounts themselves, lowest first, where they are at most MAX_LISTED; nothing where they are more.

    Quartiles of so few lie between the rates, where no rate is. Percentiles interpolate, so the second of four rates is
    known from the first quartile: that is a quarter of the lowest and three quarters of the second.
    """
    if row.rates > MAX_LISTED:
        return ()
    of_number = {
        1: (row.p50,),
        2: (row.lowest, row.highest),
        3: (row.lowest, row.p50, row.highest),
        4: (
            row.lowest,
            round((4 * row.p25 - row.lowest) / 3, 6),
            round((4 * row.p75 - row.highest) / 3, 6),
            row.highest,
        ),
    }
    return of_number.get(row.rates, ())


@dataclass(frozen=True)
class CodeAnswer:
    """The class and modifier with most rates in dollars of a market: all payers together, and each payer.

    Where the class is one of LIKE_CLASSES, a payer's rates that are labeled otherwise have a spread of their own.
    """

    everybody: AnswerSpread
    payers: Sequence[AnswerSpread]

    def label_of(self, payer: AnswerSpread) -> str:
        """Return what a payer labels its rates, if that is not the class that they are measured as; or empty text."""
        is_other = payer.billing_class != class_of_like(self.everybody.billing_class)
        return payer.billing_class or "" if is_other else ""


def spread_by_terms(db: Snapshot, market: Market) -> list[AnswerSpread]:
    """Return the spread of each class and modifier, of all payers and of each, and the median percent of Medicare.

    All payers come before each payer. Every rate counts once, but for those that figures leave out. `db` may be a cache
    of the market. In a market of one of LIKE_CLASSES, all payers together have that class, and each payer the class
    that it states.
    """
    together = class_of_all_sql(market, "f.billing_class")
    areas = uses_own_areas(db, market)
    rates, parameters = counted_in_figures(db, market, areas=areas)
    compared_terms, of_terms = with_compared_terms(db, market)
    same = SAME_TERMS_AND_AREA if areas else SAME_TERMS
    rows = read_rows(
        db,
        AnswerSpread,
        f"""{compared_terms},
            each AS MATERIALIZED (
                SELECT f.reporting_entity_name, f.billing_class, {together} AS class_of_all,
                       f.billing_code_modifier AS modifier, f.negotiated_rate,
                       f.negotiated_rate / c.medicare AS percent, f.rate_count
                FROM {rates} f LEFT JOIN compared c ON {same}
                WHERE rate_kind(f.negotiated_type, f.negotiation_arrangement) = 'dollars'),
            of_class AS (
                SELECT class_of_all, modifier, count(*) AS others, {median("negotiated_rate")} AS middle
                FROM (SELECT class_of_all, modifier, negotiated_rate, unnest(range(rate_count)) FROM each)
                GROUP BY class_of_all, modifier)
            SELECT reporting_entity_name, payer_slug(reporting_entity_name) AS payer_slug,
                   if(of_payer, billing_class, class_of_all) AS billing_class, modifier, rates, lowest,
                   {percentile_columns("percentiles", FIVE_PERCENTILES)}, highest, mean, compared, percent_p50,
                   0::BIGINT AS left_out, implausible, far_from_others, plausible_lowest, plausible_highest,
                   plausible_mean
            FROM (SELECT reporting_entity_name, billing_class, class_of_all, modifier,
                         grouping(reporting_entity_name) = 0 AS of_payer, count(*) AS rates,
                         min(negotiated_rate) AS lowest, max(negotiated_rate) AS highest,
                         {mean("negotiated_rate")} AS mean, {percentile_list("negotiated_rate")} AS percentiles,
                         count(percent) AS compared, {EXTREMES_SQL}, {mean(PLAUSIBLE_RATE_SQL)} AS plausible_mean,
                         {median("percent")} AS percent_p50
                  FROM (SELECT e.*, {far_sql("negotiated_rate", "o.middle", "o.others")} AS is_far,
                               unnest(range(rate_count))
                        FROM each e JOIN of_class o ON e.class_of_all IS NOT DISTINCT FROM o.class_of_all
                            AND e.modifier IS NOT DISTINCT FROM o.modifier)
                  GROUP BY GROUPING SETS (
                      (class_of_all, modifier), (billing_class, modifier, reporting_entity_name)))
            ORDER BY of_payer, rates DESC, billing_class NULLS LAST, modifier, lower(reporting_entity_name)""",
        parameters | of_terms,
    )
    left_out = count_left_out_by_terms(db, market)
    return (
        [replace(row, left_out=left_out[row.reporting_entity_name, *row.terms]) for row in rows] if left_out else rows
    )


def list_middles(db: Snapshot, market: Market) -> list[MiddleOfRates]:
    """Return the spread of each class and modifier, of all payers together, as spread_by_terms has it: most first."""
    together = class_of_all_sql(market, "f.billing_class")
    rates, parameters = counted_in_figures(db, market)
    return read_rows(
        db,
        MiddleOfRates,
        f"""SELECT billing_class, modifier, rates, lowest, {percentile_columns("percentiles", ("p25", "p50", "p75"))},
                   highest
            FROM (SELECT billing_class, modifier, count(*) AS rates, min(negotiated_rate) AS lowest,
                         max(negotiated_rate) AS highest, {percentile_list("negotiated_rate")} AS percentiles
                  FROM (SELECT {together} AS billing_class, f.billing_code_modifier AS modifier, f.negotiated_rate,
                               unnest(range(f.rate_count))
                        FROM {rates} f
                        WHERE rate_kind(f.negotiated_type, f.negotiation_arrangement) = 'dollars')
                  GROUP BY billing_class, modifier)
            ORDER BY rates DESC, billing_class NULLS LAST, modifier""",
        parameters,
    )


def is_far_from_others(
    market: Market, row: RateRow, middles: Mapping[tuple[str | None, str], AnswerSpread | MiddleOfRates]
) -> bool:
    """Return whether a rate in dollars is far from those of its class and modifier: `middles` are those of the market,
    of all payers together, by class and modifier."""
    billing_class = market.billing_class if market.is_measured else row.billing_class
    middle = middles.get((billing_class, row.modifier)) if row.kind == "dollars" else None
    return middle is not None and is_far(row.negotiated_rate, middle.p50, middle.rates)


def answer_code(spreads: Sequence[AnswerSpread]) -> CodeAnswer | None:
    """Return the spreads of the class and modifier with most rates, by spread_by_terms; None if there are no rates."""
    everybody = next((row for row in spreads if row.reporting_entity_name is None), None)
    if everybody is None:
        return None
    is_like = everybody.billing_class in LIKE_CLASSES
    payers = [
        row
        for row in spreads
        if row.reporting_entity_name is not None
        and (row.terms == everybody.terms or (is_like and row.modifier == everybody.modifier))
    ]
    return CodeAnswer(everybody, sorted(payers, key=lambda row: (-row.rates, row.reporting_entity_name or "")))
