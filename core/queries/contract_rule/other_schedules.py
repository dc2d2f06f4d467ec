"""The rule behind rates that other schedules than the physician fee schedule pay, such as those of laboratory tests."""

from dataclasses import dataclass
from typing import Annotated

from core.queries.contract_rule.fit_rule import MIN_PRICES, RULE_SHARE
from core.queries.contract_rule.priced_rates import COMPARED_RATES, PHYSICIAN_SCHEDULE, rule_cache
from core.queries.market.market import Market
from core.queries.rules.columns import described
from core.queries.rules.named_rows import read_rows
from core.queries.rules.percent_to_the_cent import allowed_difference_sql
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

    A price is each different rate in dollars of a service, against the amount where its provider is. A schedule has
    one multiple here or none. Of a payer without a provider there are none: each contract may have another multiple.
    """
    if not market.of_provider:
        return []
    with rule_cache(db, market) as cached:
        return read_rows(
            cached,
            ScheduleMultiple,
            f"""WITH other_price AS MATERIALIZED (
                    SELECT DISTINCT schedule, code_type, code, billing_code_modifier, basis, medicare,
                           negotiated_rate, round(negotiated_rate / medicare, 3) AS multiple
                    FROM {COMPARED_RATES}
                    WHERE schedule <> '{PHYSICIAN_SCHEDULE}' AND medicare >= {LEAST_AMOUNT} AND negotiated_rate > 0),
                commonest AS (
                    SELECT schedule, multiple AS tenths FROM other_price GROUP BY schedule, multiple
                    QUALIFY 1 = row_number() OVER (PARTITION BY schedule ORDER BY count(*) DESC, multiple))
                SELECT schedule, tenths AS multiple, count(*) AS prices,
                       count(*) FILTER (abs(negotiated_rate - tenths * medicare) <= {allowed_difference_sql("tenths")})
                           AS explained
                FROM other_price JOIN commonest USING (schedule) GROUP BY ALL
                HAVING prices >= {MIN_PRICES} AND explained >= {RULE_SHARE} * prices
                ORDER BY prices DESC, schedule""",
        )
