"""The percents of Medicare that a contract's several prices for one service are, for lists of rates one by one.

A rate of such a contract has two percents: the contract's, of the amount in one area or of the nation's, and that of
the amount that the rate is compared with, which is the state's mean where its providers' area is not known.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, TypeVar

from core.queries.comparison.percent_of_areas import MAX_PRICES, PercentsOfAreas, SharedPercent, list_amounts_of_areas
from core.queries.market.market import Market
from core.queries.market.market_rates import facts_in_memory, rates_of_market
from core.queries.rules.columns import described
from core.queries.rules.named_rows import read_rows
from core.store.connection import Snapshot

ContractPercent = Annotated[
    float | None,
    described(
        "The percent of Medicare's amount in one area, or of the national amount, that the rate is as all other rates "
        "of its provider group on the same terms are: 1.15 is 115%; null if they are none. `percent` is of the "
        "amount that the rate is compared with.",
        None,
    ),
]
ContractPercentOf = Annotated[
    str | None,
    described("What that is a percent of: `in 7 areas`, or `national amount`; null if there is none.", None),
]

TERMS = (
    "year_month",
    "billing_class",
    "setting",
    "billing_code_modifier",
    "pos_set_id",
    "negotiated_type",
    "negotiation_arrangement",
)
"""What rates of a provider group have in common of which the file does not say which applies."""


Row = TypeVar("Row")

ContractPercents = Mapping[str, tuple[SharedPercent, PercentsOfAreas]]
"""The percent that each of a contract's several rates is, and all its percents, by fact_uid."""


@dataclass(frozen=True)
class _Contract:
    modifier: str
    rates: list[float]
    fact_uids: list[str]


def list_contract_percents(db: Snapshot, market: Market) -> ContractPercents:
    """Return the percent that each of a contract's several rates is, and all its percents, by fact_uid.

    They are of the physician fee schedule, so they say nothing of a rate that is compared with another one.
    """
    if not market.code or market.basis or market.yardstick:
        return {}
    with facts_in_memory(db, market) as memory:
        facts, parameters = rates_of_market(memory, market)
        contracts = read_rows(
            memory,
            _Contract,
            f"""SELECT billing_code_modifier AS modifier, list(negotiated_rate ORDER BY fact_uid) AS rates,
                       list(fact_uid ORDER BY fact_uid) AS fact_uids
                FROM {facts} f WHERE rate_kind(f.negotiated_type, f.negotiation_arrangement) = 'dollars'
                GROUP BY pg_uid, {", ".join(TERMS)}
                HAVING count(DISTINCT negotiated_rate) BETWEEN 2 AND {MAX_PRICES}""",
            parameters,
        )
    amounts = list_amounts_of_areas(db, market.state, [market.code] if contracts else [])
    # Hundreds of provider groups have the prices of one contract.
    known: dict[tuple[str, tuple[float, ...]], PercentsOfAreas | None] = {}
    found = {}
    for one in contracts:
        prices = one.modifier, tuple(sorted(set(one.rates)))
        if prices not in known:
            known[prices] = amounts.find(market.code, *prices)
        if percents := known[prices]:
            for uid, rate in zip(one.fact_uids, one.rates, strict=True):
                found[uid] = percents.of_price(rate), percents
    return found


def with_contract_percents(percents: ContractPercents, rows: Iterable[Row]) -> Iterator[Row]:
    """Yield rows of rates with their contract_percent and contract_percent_of."""
    for row in rows:
        rate: Any = row
        found = percents.get(rate.fact_uid)
        if found and (rate.basis or "").startswith("MPFS"):
            rate = replace(rate, contract_percent=found[0].percent, contract_percent_of=found[0].where)
        yield rate
