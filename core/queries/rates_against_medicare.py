"""The rates of a code with their percent of Medicare, one by one and by payer, as files and the API have them."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from operator import attrgetter
from typing import Annotated

from core.queries import rates
from core.queries.code_answer import is_far_from_others, list_middles, spread_by_terms
from core.queries.comparison.compared_rates import is_plausible
from core.queries.comparison.contract_percents import (
    ContractPercent,
    ContractPercentOf,
    list_contract_percents,
    with_contract_percents,
)
from core.queries.comparison.overruled_labels import find_surgical_centers
from core.queries.comparison.percent_of_areas import PercentsOfAreas, SharedPercent, list_amounts_of_areas
from core.queries.market.market import Market
from core.queries.market.market_rates import market_cache, uses_own_areas
from core.queries.rates import RateRow, Summary
from core.queries.rules.columns import (
    FarFromOthers,
    Implausible,
    LeftOutCount,
    PlausibleHighest,
    PlausibleLowest,
    PlausibleMean,
    ScheduleRule,
    described,
)
from core.queries.rules.far_from_others import FAR_TIMES, LEAST_OTHERS
from core.queries.rules.keyset import RowKey
from core.queries.rules.rate_kinds import rate_size
from core.queries.yardstick.medicare_amounts import Amount, ScheduleTerms, find_amounts
from core.store.connection import Snapshot
from core.store.views import SURGICAL_CENTER_PAYEE

_ROWS_AT_ONCE = 2_000
"""The rows of a file of which surgical centers are looked up together."""


@dataclass(frozen=True)
class RateAgainstMedicare(RateRow):
    """One negotiated rate, what is known about its provider group, and what Medicare pays."""

    basis: Annotated[str | None, described("What Medicare's amount is; null if there is none.", "MPFS non-facility")]
    medicare: Annotated[float | None, described("Medicare's amount in dollars; null if there is none.", 86.4)]
    percent: Annotated[float | None, described("The rate's percent of Medicare: 1 is 100%.", 1.2)]
    plausible: Annotated[
        bool | None, described("Whether the percent is from 50% to 3,000%; null if there is none.", True)
    ]
    far_from_others: Annotated[
        bool,
        described(
            f"Whether a rate in dollars is over {FAR_TIMES} times, or under 1/{FAR_TIMES} of, the median of the "
            f"answer's rates of its class and modifier, all payers together, if these are at least {LEAST_OTHERS}.",
            False,
        ),
    ]
    rule: ScheduleRule
    reason: Annotated[str | None, described("Why there is no percent of Medicare.", None)]
    area: Annotated[
        str | None,
        described(
            "Where Medicare's amount applies: the payment locality or wage area of the provider group, or `state mean` "
            "for the mean over the state's areas; null if the schedule has no areas.",
            "state mean",
        ),
    ]
    contract_percent: ContractPercent
    contract_percent_of: ContractPercentOf


@dataclass(frozen=True)
class SummaryAgainstMedicare(Summary):
    """The spread of one payer's rates of one kind, class and modifier, and their percent of Medicare."""

    compared: Annotated[int, described("Number of these rates that have a percent of Medicare.", 12)]
    percent_p50: Annotated[
        float | None, described("Median of the rates' percents of Medicare: 1 is 100%; null if none has one.", 1.21)
    ]
    left_out: LeftOutCount
    implausible: Implausible
    far_from_others: FarFromOthers
    plausible_lowest: PlausibleLowest
    plausible_highest: PlausibleHighest
    plausible_mean: PlausibleMean


_PERCENT_FIGURES = (
    "compared", "percent_p50", "left_out", "implausible", "far_from_others", "plausible_lowest", "plausible_highest",
    "plausible_mean",
)  # fmt: skip
_OF_PERCENTS = attrgetter(*_PERCENT_FIGURES)
"""What a spread by percents says besides the distribution."""


def summarize_against_medicare(db: Snapshot, market: Market) -> list[SummaryAgainstMedicare]:
    """Return the distribution of the rates of each kind, payer, class, and modifier, with their percent of Medicare.

    Rates that figures leave out are in `left_out` alone.
    """
    with market_cache(db, market, areas=uses_own_areas(db, market)) as cached:
        summaries, spreads = rates.summarize_rates(cached, market), spread_by_terms(cached, market)
    # A spread is one of rates in dollars.
    percents = {("dollars", row.reporting_entity_name, *row.terms): row for row in spreads}
    found = []
    for row in summaries:
        spread = percents.get((row.kind, row.reporting_entity_name, row.billing_class, row.modifier))
        of_percents = _OF_PERCENTS(spread) if spread else (0, None, 0, 0, 0, row.lowest, row.highest, row.mean)
        figures = dict(zip(_PERCENT_FIGURES, of_percents, strict=True))
        found.append(SummaryAgainstMedicare(**vars(row), **figures))
    return found


def list_against_medicare(
    db: Snapshot, market: Market, order: str, limit: int, offset: int, last: RowKey | None = None
) -> list[RateAgainstMedicare]:
    """Return what rates.list_rates does, each rate with its percent of Medicare."""
    compared = _compare(db, market, rates.list_rates(db, market, order, limit, offset, last))
    return list(with_contract_percents(list_contract_percents(db, market), compared))


def stream_against_medicare(
    db: Snapshot, market: Market, order: str, limit: int, seconds: float
) -> Iterator[RateAgainstMedicare]:
    """Yield what rates.stream_rates does, each rate with its percent of Medicare."""
    compared = _compare(db, market, rates.stream_rates(db, market, order, limit, seconds))
    yield from with_contract_percents(list_contract_percents(db, market), compared)


_TERMS = (
    "year_month",
    "billing_class",
    "setting",
    "modifier",
    "pos_set_id",
    "negotiated_type",
    "negotiation_arrangement",
)

_contract_of = attrgetter("pg_uid", *_TERMS)
"""What rates have in common of which the file does not say which applies."""


def find_percents_of_areas(
    db: Snapshot, market: Market, rows: Sequence[RateRow], amounts: Sequence[Amount]
) -> dict[str, tuple[SharedPercent, PercentsOfAreas]]:
    """Return the percent of Medicare that each of a contract's several rates is, and all its percents, by fact_uid.

    `amounts` are what the rates of a code are compared with, and no area is looked at for those of another schedule.
    """
    contracts: dict[tuple[object, ...], list[RateRow]] = {}
    for row, amount in zip(rows, amounts, strict=True):
        if (amount.basis or "").startswith("MPFS"):
            contracts.setdefault(_contract_of(row), []).append(row)
    several = [some for some in contracts.values() if len({one.negotiated_rate for one in some}) > 1]
    if not several or not market.code:
        return {}
    of_areas = list_amounts_of_areas(db, market.state, [market.code])
    found: dict[str, tuple[SharedPercent, PercentsOfAreas]] = {}
    for some in several:
        by_area = of_areas.find(market.code, some[0].modifier, {one.negotiated_rate for one in some})
        if by_area:
            found |= {one.fact_uid: (by_area.of_price(one.negotiated_rate), by_area) for one in some}
    return found


_terms_of = attrgetter(*_TERMS, "reporting_entity_name", "group_area")
"""What find_amount looks at, besides the size of the rate and whether its group is a surgical center."""


def _compare(db: Snapshot, market: Market, rows: Iterable[RateRow]) -> Iterator[RateAgainstMedicare]:
    """Yield the rates with their percent of Medicare."""
    with market_cache(db, market, areas=uses_own_areas(db, market)) as cached:
        amounts = find_amounts(cached, market)
        middles = {(one.billing_class, one.modifier): one for one in list_middles(cached, market)}
    is_any = any(terms.payee == SURGICAL_CENTER_PAYEE for terms in amounts)
    code = market.code or ""
    # A file has thousands of rates of the same terms: looking three of them up costs more than finding what was found.
    found: dict[tuple[object, ...], Amount] = {}
    remaining = iter(rows)
    while some := list(islice(remaining, _ROWS_AT_ONCE)):
        centers = find_surgical_centers(db, {row.pg_uid for row in some}) if is_any else set()
        for row in some:
            alike = (*_terms_of(row), rate_size(code, row.negotiated_rate), row.pg_uid in centers)
            amount = found.get(alike)
            if amount is None:
                amount = found[alike] = find_amount(row, code, amounts, centers)
            percent = amount.percent(row.negotiated_rate)
            yield RateAgainstMedicare(
                **vars(row),
                basis=amount.basis,
                medicare=amount.medicare,
                percent=percent,
                plausible=None if percent is None else is_plausible(percent),
                far_from_others=is_far_from_others(market, row, middles),
                rule=amount.rule,
                reason=amount.reason,
                area=amount.area,
                contract_percent=None,
                contract_percent_of=None,
            )


def find_amount(row: RateRow, code: str, amounts: Mapping[ScheduleTerms, Amount], centers: Collection[str]) -> Amount:
    """Return what a rate of the code is compared with. `centers` are the groups that are surgical centers."""
    payees: Sequence[str] = [SURGICAL_CENTER_PAYEE] if row.pg_uid in centers else []
    found = (
        amounts.get(
            ScheduleTerms(
                row.year_month,
                row.billing_class,
                row.setting,
                row.modifier,
                row.pos_set_id,
                row.negotiated_type,
                row.negotiation_arrangement,
                payee,
                rate_size(code, row.negotiated_rate),
                row.group_area,
            )
        )
        for payee in (*payees, row.reporting_entity_name, "")
    )
    return next(one for one in found if one is not None)
