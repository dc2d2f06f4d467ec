"""The rule behind rates that other schedules than the physician fee schedule pay, such as those of laboratory tests."""

from dataclasses import dataclass, replace
from typing import Annotated

from core.queries.comparison.compared_rates import SAME_TERMS
from core.queries.contract_rule.fit_rule import MIN_PRICES, RULE_SHARE
from core.queries.contract_rule.priced_rates import PHYSICIAN_SCHEDULE
from core.queries.market.market import Market
from core.queries.market.market_filters import STATE_MEAN
from core.queries.market.market_rates import counted_rates, market_cache
from core.queries.rules.columns import described
from core.queries.rules.named_rows import read_rows
from core.queries.rules.percent_to_the_cent import allowed_difference_sql
from core.queries.yardstick.medicare import with_compared_terms
from core.store.connection import Snapshot

LEAST_AMOUNT = 2.0
"""Of smaller amounts in dollars, any price is some tenth of a percent to the cent."""


@dataclass(frozen=True)
class ScheduleMultiple:
    """The multiple of one of Medicare's schedules that reproduces most prices of the services that it pays."""

    schedule: Annotated[str, described("Kind of the schedule, such as clfs, that of laboratory tests.", "clfs")]
    multiple: Annotated[float, described("Rate divided by the amount: 1.4 is 140%.", 1.4)]
    prices: Annotated[
        int, described(f"Number of prices of services for which Medicare pays at least ${LEAST_AMOUNT:g}.", 1721)
    ]
    explained: Annotated[int, described("Number of these that the multiple reproduces to the cent.", 1610)]


def list_other_schedules(db: Snapshot, market: Market) -> list[ScheduleMultiple]:
    """Return the multiples of other schedules that reproduce most of a provider's prices, that of most prices first.

    A price is each different rate in dollars of a service. A schedule has one multiple here or none: each of its
    amounts holds in the whole state, or is compared by the mean of it. Of a payer without a provider there are none:
    each of its contracts may have another multiple.
    """
    if not market.of_provider:
        return []
    market = replace(market, area=STATE_MEAN, yardstick=None)
    with market_cache(db, market) as cached:
        compared, of_terms = with_compared_terms(cached, market)
        rates, parameters = counted_rates(cached, market)
        return read_rows(
            cached,
            ScheduleMultiple,
            f"""{compared},
                other_price AS MATERIALIZED (
                    SELECT DISTINCT c.schedule, f.code_type, f.code, f.billing_code_modifier, c.basis, c.medicare,
                           f.negotiated_rate, round(f.negotiated_rate / c.medicare, 3) AS multiple
                    FROM {rates} f JOIN compared c ON {SAME_TERMS}
                    WHERE c.schedule <> '{PHYSICIAN_SCHEDULE}' AND c.medicare >= {LEAST_AMOUNT}
                        AND f.negotiated_rate > 0),
                commonest AS (
                    SELECT schedule, multiple AS tenths FROM other_price GROUP BY schedule, multiple
                    QUALIFY 1 = row_number() OVER (PARTITION BY schedule ORDER BY count(*) DESC, multiple))
                SELECT schedule, tenths AS multiple, count(*) AS prices,
                       count(*) FILTER (abs(negotiated_rate - tenths * medicare) <= {allowed_difference_sql("tenths")})
                           AS explained
                FROM other_price JOIN commonest USING (schedule) GROUP BY ALL
                HAVING prices >= {MIN_PRICES} AND explained >= {RULE_SHARE} * prices
                ORDER BY prices DESC, schedule""",
            {**parameters, **of_terms},
        )
