"""Negotiated rates compared with Medicare's schedules, by the rules of the room `comparison`."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated, Any, NamedTuple

from core.queries.comparison.area_amounts import NOTABLE_ERROR, WHOLE_STATE, locality_values
from core.queries.comparison.asked_place import AskedPlace, asked_place
from core.queries.comparison.compared_rates import (
    LEAST_PLAUSIBLE,
    MOST_PLAUSIBLE,
    OUTCOME,
    PLAUSIBLE_SQL,
    SAME_TERMS,
    SAME_TERMS_AND_AREA,
    compared_terms_sql,
    count_terms_sql,
    measured_sql,
)
from core.queries.comparison.contract_percents import (
    ContractPercent,
    ContractPercentOf,
    list_contract_percents,
    with_contract_percents,
)
from core.queries.comparison.left_out import counted_in_figures, marked_sql, rates_with_counts
from core.queries.comparison.lookup_scope import bind_codes, find_scope, list_codes
from core.queries.comparison.lookups import keep_lookups
from core.queries.market.market import Market
from core.queries.market.market_rates import (
    RATE_COUNT,
    counted_rates,
    knows_areas,
    market_facts,
    uses_own_areas,
)
from core.queries.rules.columns import (
    BillingClass,
    Code,
    CodeType,
    FactUid,
    IsLeftOut,
    Modifier,
    Month,
    NegotiatedRate,
    PayerName,
    PayerSlug,
    RateCount,
    RateKind,
    RawGroupId,
    ReleaseMonth,
    ScheduleRule,
    described,
)
from core.queries.rules.keyset import RowKey, ascending, descending, order_by, rows_after
from core.queries.rules.named_rows import read_rows, stream_rows
from core.queries.rules.percentiles import FIVE_PERCENTILES, percentile_columns, percentile_list
from core.store.connection import Snapshot
from core.store.market_snapshot import MarketSnapshot
from core.store.schema.ids import pos_set_id
from core.store.sql import used_parameters

ORDERS = {
    "percent": ascending("percent", "negotiated_rate", "fact_uid"),
    "-percent": descending("percent") + ascending("negotiated_rate", "fact_uid"),
    "wcfs_percent": ascending("wcfs_percent", "negotiated_rate", "fact_uid"),
    "-wcfs_percent": descending("wcfs_percent") + ascending("negotiated_rate", "fact_uid"),
    "rate": ascending("negotiated_rate", "fact_uid"),
    "-rate": descending("negotiated_rate") + ascending("fact_uid"),
}
"""How the comparisons may be sorted. fact_uid makes every order total."""

_PLAUSIBLE_TIMES = f"between {LEAST_PLAUSIBLE:g} and {MOST_PLAUSIBLE:g} times"


class Yardstick(NamedTuple):
    """What rates are measured by: the columns of `compared` with its amount, basis, release, and reason for none.

    `own_area` is the condition on rates whose amount is that of their provider's own area.
    """

    amount: str
    basis: str
    release: str
    reason: str
    own_area: str


MEDICARE = Yardstick("medicare", "basis", "release", "reason", f"area NOT IN {WHOLE_STATE}")
COMPENSATION = Yardstick("wcfs", "wcfs_basis", "wcfs_release", "wcfs_reason", "false")
"""The state's workers' compensation schedule."""


@dataclass(frozen=True)
class Comparison:
    """One rate with its percent of Medicare, or the reason why it has none."""

    fact_uid: FactUid
    reporting_entity_name: PayerName
    payer_slug: PayerSlug
    year_month: Month
    code_type: CodeType
    code: Code
    billing_class: BillingClass
    modifier: Modifier
    places: Annotated[
        str, described("Where the service is provided: facility, non-facility, mixed or unstated.", "non-facility")
    ]
    kind: RateKind
    negotiated_rate: NegotiatedRate
    provider_group_id_raw: RawGroupId
    basis: Annotated[
        str | None,
        described(
            "Medicare fee schedule and setting that the rate is compared with; null if there is a reason instead.",
            "MPFS non-facility",
        ),
    ]
    detail: Annotated[
        str | None, described("What the schedule says about the code: a status or an indicator.", "status A")
    ]
    rule: ScheduleRule
    medicare: Annotated[float | None, described("Medicare amount in dollars.", 86.4)]
    other_amount: Annotated[
        float | None,
        described(
            "Medicare amount of the other setting, facility or non-facility, if the rate's places allow both.", None
        ),
    ]
    area: Annotated[
        str | None,
        described(
            "Where the amount applies: the payment locality or wage area of the provider group, or `state mean` for "
            "the mean over the state's areas; null if the schedule has no areas.",
            "state mean",
        ),
    ]
    mean_error: Annotated[
        float | None,
        described(
            "How far the mean of the state is from the amount of the provider group's own area: 0.1 is 10% above. If "
            "the rate is compared with the mean, the largest such difference among the state's areas, without a sign.",
            0.0288,
        ),
    ]
    release: Annotated[str | None, described("Month in which the release of the schedule takes effect.", "2025-01")]
    percent: Annotated[float | None, described("Rate divided by the Medicare amount: 1 is 100%.", 1.2095)]
    plausible: Annotated[bool | None, described(f"Whether the rate is {_PLAUSIBLE_TIMES} the Medicare amount.", True)]
    reason: Annotated[str | None, described("Why the rate has no percent of Medicare.", None)]
    wcfs: Annotated[float | None, described("Amount of the state's workers' compensation schedule in dollars.", 150.0)]
    wcfs_basis: Annotated[
        str | None,
        described(
            "Which of the schedule's amounts that is: professional, professional in a facility, hospital outpatient, "
            "surgical center, or hospital inpatient, with the modifier; null if there is a reason instead.",
            "professional",
        ),
    ]
    wcfs_release: Annotated[
        str | None,
        described("Month in which the release of the workers' compensation schedule takes effect.", "2025-01"),
    ]
    wcfs_percent: Annotated[
        float | None, described("Rate divided by the workers' compensation amount: 1 is 100%.", 0.6967)
    ]
    wcfs_reason: Annotated[
        str | None, described("Why the rate has no percent of the workers' compensation schedule.", None)
    ]
    contract_percent: ContractPercent
    contract_percent_of: ContractPercentOf
    left_out: IsLeftOut

    @property
    def has_notable_error(self) -> bool:
        """Return whether the state's mean is, or may be, so far off that it misleads."""
        return self.mean_error is not None and abs(self.mean_error) > NOTABLE_ERROR

    @property
    def is_state_mean(self) -> bool:
        """Return whether the amount is the state's, not that of the provider's own area."""
        return self.area in WHOLE_STATE


@dataclass(frozen=True)
class PercentSpread:
    """The percents of Medicare, or of a state's workers' compensation schedule, of one payer's rates."""

    reporting_entity_name: PayerName
    payer_slug: PayerSlug
    year_month: Month
    rates: Annotated[int, described("Number of rates that have a percent.", 12)]
    implausible: Annotated[
        int, described(f"Rates that are not {_PLAUSIBLE_TIMES} the amount; `rates` includes them.", 1)
    ]
    p10: Annotated[float, described("10th percentile of the percents: 1 is 100%.", 0.85)]
    p25: Annotated[float, described("25th percentile of the percents: 1 is 100%.", 1.02)]
    p50: Annotated[float, described("Median of the percents: 1 is 100%.", 1.21)]
    p75: Annotated[float, described("75th percentile of the percents: 1 is 100%.", 1.4)]
    p90: Annotated[float, described("90th percentile of the percents: 1 is 100%.", 1.75)]


@dataclass(frozen=True)
class Basis:
    """The number of rates that are compared with one release of a fee schedule."""

    basis: Annotated[str, described("Fee schedule and setting that the rates are compared with.", "MPFS non-facility")]
    release: ReleaseMonth
    rates: RateCount
    own_area: Annotated[
        int, described("Number of these rates that are compared with the amount of their provider's own area.", 10)
    ]


@dataclass(frozen=True)
class Outcomes:
    """How many rates of figures are compared with a yardstick: total = those of all bases + those of all reasons."""

    total: int
    bases: list[Basis]
    reasons: dict[str, int]

    @property
    def compared(self) -> int:
        """Return how many rates have a percent."""
        return sum(basis.rates for basis in self.bases)

    @property
    def own_area(self) -> int:
        """Return how many rates are compared with the amount of their provider's own area."""
        return sum(basis.own_area for basis in self.bases)


def by_medicare(market: Market) -> Market:
    """Return the market measured by Medicare, whose comparison has the amounts of both yardsticks."""
    return replace(market, yardstick=None)


def list_comparisons(
    db: Snapshot, market: Market, order: str, limit: int, offset: int, last: RowKey | None = None
) -> list[Comparison]:
    """Return at most `limit` rates in one of ORDERS: those from `offset` on, or those after the row with key `last`."""
    condition, key = rows_after(ORDERS[order], last)
    sql, parameters = _comparisons_sql(db, market, order, limit, offset, condition)
    percents = list_contract_percents(db, market)
    return list(with_contract_percents(percents, read_rows(db, Comparison, sql, parameters | key)))


def stream_comparisons(db: Snapshot, market: Market, order: str, limit: int, seconds: float) -> Iterator[Comparison]:
    """Yield at most `limit` rates, read as they are needed. Stop with QueryTimeout after `seconds`."""
    sql, parameters = _comparisons_sql(db, market, order, limit, 0)
    percents = list_contract_percents(db, market)
    with db.cursor(seconds) as cursor:
        cursor.execute(sql, parameters)
        yield from with_contract_percents(percents, stream_rows(cursor, Comparison))


def _comparisons_sql(
    db: Snapshot, market: Market, order: str, limit: int, offset: int, condition: str = "true"
) -> tuple[str, dict[str, Any]]:
    market = by_medicare(market)  # a row has the amounts of both yardsticks
    compared_terms, of_terms = with_compared_terms(db, market, with_errors=True)
    areas = uses_own_areas(db, market)
    facts, of_facts = market_facts(db, market, areas=areas)
    same = SAME_TERMS_AND_AREA if areas else SAME_TERMS
    sql = f"""{compared_terms}
        SELECT fact_uid, reporting_entity_name, payer_slug(reporting_entity_name) AS payer_slug, year_month, code_type,
               code,
               billing_class, billing_code_modifier AS modifier, kind, negotiated_rate,
               -- A side that is asked about decides the amount, and does not state a place.
               if(pos_set_id = '{pos_set_id([])}', 'unstated', places) AS places,
               provider_group_id_raw, basis, detail, rule, medicare, other_amount, area, mean_error, release, percent,
               {PLAUSIBLE_SQL} AS plausible, reason, wcfs, wcfs_basis, wcfs_release, wcfs_percent, wcfs_reason,
               NULL::DOUBLE AS contract_percent, NULL::VARCHAR AS contract_percent_of, left_out
        FROM (SELECT f.*, {OUTCOME}, f.negotiated_rate / c.medicare AS percent,
                     f.negotiated_rate / c.wcfs AS wcfs_percent
              FROM ({marked_sql(db, market, f"({facts})", has_payee=True)}) f JOIN compared c ON {same})
        WHERE {condition} ORDER BY {order_by(ORDERS[order])} LIMIT {limit:d} OFFSET {offset:d}"""
    return sql, of_terms | of_facts


def with_compared_terms(
    db: Snapshot, market: Market, *, with_errors: bool = False, counted: bool = False, everywhere: bool = False
) -> tuple[str, dict[str, Any]]:
    """Return a WITH clause whose `compared` has one row for all rates of the same terms, and its parameters.

    If they are to be `counted`, its rows are those that the market's rates have, each with its `rate_count`, which does
    not count those that figures leave out. Otherwise there may be others, which join with no rate. Counted
    `everywhere`, terms have a row for each of the market's areas and one for the mean of the state, each with the
    number of rates of the terms wherever their groups are. That takes the cache of a code.

    Where `db` is the cache of one code, its rates are compared once, whatever the filters, and all questions of a page
    find the outcomes in a table: comparing takes longer than the questions. The columns of Medicare are those of the
    market's yardstick, see measured_sql.
    """
    if isinstance(db, MarketSnapshot) and db.market_values is None and not market.code:
        return _compare_once(db, market)
    if not isinstance(db, MarketSnapshot) or db.market_values is None or not market.code:
        figures = rates_with_counts(db, market, areas=uses_own_areas(db, market))[0] if counted or everywhere else None
        return compare_terms(db, market, rates=figures, with_errors=with_errors)
    areas = uses_own_areas(db, market)
    # With the areas of groups, how far the state's mean is off costs nothing more.
    with_errors = areas or (with_errors and knows_areas(db))
    table = f"compared_{f'{asked_place(market)} {market.basis} {areas} {with_errors}'.encode().hex()}"
    everything = replace(market.unfiltered, basis=market.basis, area=market.area)
    outcomes = measured_sql(table, market.yardstick)
    query, _ = compare_terms(db, everything, asked_place(market), with_errors=with_errors, means=True)
    # Of all payers, whose months may be more than those of the market.
    values = {**everything.parameters, **market.parameters}
    db.keep_table(table, f"{query} SELECT * EXCLUDE (rate_count) FROM compared", values)
    if not (counted or everywhere):
        return f"WITH compared AS (SELECT * FROM {outcomes})", {}
    rates, parameters = rates_with_counts(db, market, areas=areas)
    terms = count_terms_sql(rates, outcomes, RATE_COUNT, areas=areas and not everywhere)
    return f"WITH compared AS ({terms})", parameters


def _compare_once(db: MarketSnapshot, market: Market) -> tuple[str, dict[str, Any]]:
    """Return what with_compared_terms does, for a market without a code in a snapshot with tables of its own.

    The questions of a page find the outcomes in a table: comparing the rates of two months takes a second.
    """
    table = f"compared_{f'{asked_place(market)} {market.basis} {uses_own_areas(db, market)}'.encode().hex()}"
    query, parameters = compare_terms(db, market, with_errors=knows_areas(db))
    db.keep_table(table, f"{query} SELECT * FROM compared", parameters)
    return f"WITH compared AS (SELECT * FROM {table})", {}


def compare_terms(
    db: Snapshot,
    market: Market,
    place: AskedPlace | None = None,
    *,
    rates: str | None = None,
    with_errors: bool = False,
    means: bool = False,
) -> tuple[str, dict[str, Any]]:
    """Return what with_compared_terms does, by comparing. `place` is what is asked about, that of the market if None.

    `rates` is SQL of the rates, with `rate_count`; they are those of the market if None.

    The errors of the state's means take time, and are known only if the areas of some provider groups are.
    """
    areas = uses_own_areas(db, market)
    by_area = areas or (with_errors and knows_areas(db))
    rates = rates or counted_rates(db, market, areas=areas)[0]
    codes = [] if market.code else list_codes(db, rates, used_parameters(rates, market.parameters))
    sql = compared_terms_sql(
        rates,
        RATE_COUNT,
        place=place or asked_place(market),
        basis=market.basis,
        scope=keep_lookups(db, market, find_scope(db, market, codes), codes, areas=by_area),
        areas=areas,
        means=means,
        localities=locality_values(db) if by_area else None,
        yardstick=market.yardstick,
    )
    return sql, used_parameters(sql, {**market.parameters, "codes": bind_codes(codes)})


@dataclass(frozen=True)
class _OutcomeCount:
    basis: str | None
    release: str | None
    reason: str | None
    rates: int
    own_area: int


def count_outcomes(db: Snapshot, market: Market, yardstick: Yardstick = MEDICARE) -> Outcomes:
    """Return how many rates have each basis, and how many have each reason for no percent, most rates first.

    Rates that figures leave out are not counted.
    """
    market = by_medicare(market)  # the columns of either yardstick have their own names
    compared_terms, parameters = with_compared_terms(db, market, counted=True)
    counts = read_rows(
        db,
        _OutcomeCount,
        f"""{compared_terms}
            SELECT {yardstick.basis} AS basis, {yardstick.release} AS release, {yardstick.reason} AS reason,
                   sum(rate_count)::BIGINT AS rates,
                   coalesce(sum(rate_count) FILTER ({yardstick.own_area}), 0)::BIGINT AS own_area
            FROM compared
            GROUP BY ALL HAVING sum(rate_count) > 0 ORDER BY rates DESC, basis, release, reason""",
        parameters,
    )
    return Outcomes(
        total=sum(count.rates for count in counts),
        bases=[
            Basis(count.basis, count.release, count.rates, count.own_area)
            for count in counts
            if count.basis is not None and count.release is not None
        ],
        reasons={count.reason: count.rates for count in counts if count.reason is not None},
    )


def summarize_percents(db: Snapshot, market: Market, yardstick: Yardstick = MEDICARE) -> list[PercentSpread]:
    """Return the distribution of each payer's percents, each counted once, without those that figures leave out."""
    market = by_medicare(market)
    areas = uses_own_areas(db, market)
    rates, parameters = counted_in_figures(db, market, areas=areas)
    compared_terms, of_terms = with_compared_terms(db, market)
    same = SAME_TERMS_AND_AREA if areas else SAME_TERMS
    return read_rows(
        db,
        PercentSpread,
        f"""{compared_terms}
            SELECT reporting_entity_name, payer_slug(reporting_entity_name) AS payer_slug, year_month, rates,
                   implausible,
                   {percentile_columns("percentiles", FIVE_PERCENTILES)}
            FROM (SELECT reporting_entity_name, max(year_month) AS year_month, count(*) AS rates,
                         count(*) FILTER (NOT {PLAUSIBLE_SQL}) AS implausible,
                         {percentile_list("percent")} AS percentiles
                  FROM (SELECT reporting_entity_name, f.year_month, f.negotiated_rate / c.{yardstick.amount} AS percent,
                               unnest(range(f.rate_count))
                        FROM {rates} f JOIN compared c ON {same} WHERE c.{yardstick.amount} IS NOT NULL)
                  GROUP BY ALL)
            ORDER BY reporting_entity_name""",
        {**parameters, **of_terms},
    )
