"""The rates of a provider by code, against its market. A rate that the 30 NPIs of a group share is one rate of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from core.queries.comparison.area_amounts import locality_values
from core.queries.comparison.compared_rates import compared_sql
from core.queries.comparison.lookup_scope import as_listed, find_scope
from core.queries.comparison.lookups import keep_lookups
from core.queries.parties.line_medians import LINE, MEDIAN_OF_LINE, line_medians, lines_of
from core.queries.rules.columns import (
    BillingClass,
    Code,
    CodeName,
    CodeType,
    Highest,
    Lowest,
    Modifier,
    Month,
    PayerName,
    PayerSlug,
    RateCount,
    RateKind,
    RateP50,
    State,
    described,
)
from core.queries.rules.market import Market, asked_place, counted_rates, uses_own_areas
from core.queries.rules.named_rows import read_by_key, read_page
from core.queries.rules.percentiles import median
from core.store.connection import Snapshot
from core.store.sql import used_parameters


@dataclass(frozen=True)
class CodeRates:
    """The rates of a provider for one code at one payer, of one kind, class and modifier."""

    state: State
    year_month: Month
    reporting_entity_name: PayerName
    payer_slug: PayerSlug
    code_type: CodeType
    code: Code
    name: CodeName
    kind: RateKind
    billing_class: BillingClass
    modifier: Modifier
    rates: RateCount
    lowest: Lowest
    p50: RateP50
    highest: Highest
    percent: Annotated[float | None, described("Median percent of Medicare of the rates: 1 is 100%.", 1.2095)]
    compared: Annotated[int, described("Number of rates that have a percent of Medicare.", 12)]
    market: Annotated[
        float, described("Median of all rates of this code, kind, class and modifier in the state and month.", 95.0)
    ]
    market_rates: Annotated[int, described("Number of rates behind the market's median.", 70)]
    difference: Annotated[
        float | None, described("p50 against the market's median: 0.1 is 10% above; null if the market's is zero.", 0.1)
    ]


_RATES_OF_CODES = "rate_of_codes"
"""The table in memory of a provider's rates of the codes on a page."""

_PAYER_LINE = (*LINE, "reporting_entity_name")


@dataclass(frozen=True)
class _ProviderLine:
    """The distribution of a provider's rates at one payer."""

    code_type: str
    code: str
    kind: str
    billing_class: str | None
    modifier: str
    reporting_entity_name: str
    payer_slug: str
    name: str | None
    rates: int
    lowest: float
    p50: float
    highest: float


@dataclass(frozen=True)
class _Percent:
    """The median percent of Medicare of the rates that have one."""

    percent: float | None
    compared: int


@dataclass(frozen=True)
class _MarketMedian:
    """The median of a line's rates in the whole market."""

    median: float
    rates: int


def list_code_rates(
    db: Snapshot, provider: Snapshot, market: Market, limit: int, offset: int
) -> tuple[int, list[CodeRates]]:
    """Return the rates of the market's provider by code and payer, and how many such rows there are.

    `provider` is the generation itself, or its `market_cache` of the provider's facts.
    """
    rates, parameters = counted_rates(provider, market)
    line = ", ".join(_PAYER_LINE)
    total, rows = read_page(
        provider,
        _ProviderLine,
        f"""WITH f AS (
                SELECT code_type, code, rate_kind(negotiated_type, negotiation_arrangement) AS kind,
                       reporting_entity_name, billing_class, billing_code_modifier AS modifier, negotiated_rate,
                       unnest(range(rate_count))
                FROM {rates}),
            page AS (
                SELECT count(*) OVER () AS total, {line}, count(*) AS rates, min(negotiated_rate) AS lowest,
                       {median("negotiated_rate")} AS p50, max(negotiated_rate) AS highest
                FROM f GROUP BY {line}
                ORDER BY code, code_type, kind, reporting_entity_name, billing_class, modifier
                LIMIT $limit OFFSET $offset)
            SELECT p.*, d.name, payer_slug(reporting_entity_name) AS payer_slug
            FROM page p LEFT JOIN dim_code d USING (code_type, code)
            ORDER BY code, code_type, kind, reporting_entity_name, billing_class, modifier""",
        {**parameters, "limit": limit, "offset": offset},
    )
    codes = sorted({row.code for row in rows})
    percents = _percents(provider, market, codes) if codes else {}
    medians = _market_medians(db, market, codes) if codes else {}
    found = []
    for row in rows:
        of_medicare = percents.get(_key(row, _PAYER_LINE), _Percent(None, 0))
        of_market = medians[_key(row, LINE)]
        found.append(
            CodeRates(
                state=market.state,
                year_month=market.month_of(row.payer_slug),
                **vars(row),
                percent=of_medicare.percent,
                compared=of_medicare.compared,
                market=of_market.median,
                market_rates=of_market.rates,
                difference=row.p50 / of_market.median - 1 if of_market.median else None,
            )
        )
    return total, found


def _key(row: object, names: Sequence[str]) -> tuple[Any, ...]:
    return tuple(getattr(row, name) for name in names)


def _percents(provider: Snapshot, market: Market, codes: list[str]) -> dict[tuple[Any, ...], _Percent]:
    """Return the provider's percents of Medicare by the values of _PAYER_LINE."""
    areas = uses_own_areas(provider, market)
    rates, _ = counted_rates(provider, market, areas=areas)
    values = {**market.parameters, "codes": codes}
    rates_of_codes = f"SELECT f.* FROM {rates} f WHERE list_contains($codes, f.code)"
    if provider.market_values is not None:
        # Without parameters, DuckDB plans the comparison once for all providers.
        provider.keep_table(_RATES_OF_CODES, rates_of_codes, values)
    compared = compared_sql(
        "true",
        f"({rates_of_codes})" if provider.market_values is None else _RATES_OF_CODES,
        place=asked_place(market),
        basis=market.basis,
        scope=keep_lookups(provider, market, find_scope(provider, market, codes), codes),
        areas=areas,
        localities=locality_values(provider) if areas else None,
    )
    sql = f"""{compared}
            SELECT code_type, code, kind, reporting_entity_name, billing_class, billing_code_modifier AS modifier,
                   {median("percent")} AS percent, count(percent) AS compared
            FROM (SELECT *, unnest(range(rate_count)) FROM compared) GROUP BY ALL"""
    # The codes are listed by schedules as as_listed writes them, which finds those of the rates as well.
    parameters = used_parameters(sql, {**values, "codes": as_listed(codes)})
    return read_by_key(
        provider,
        _PAYER_LINE,
        _Percent,
        sql,
        parameters,
    )


def _market_medians(db: Snapshot, market: Market, codes: list[str]) -> dict[tuple[Any, ...], _MarketMedian]:
    """Return the market's medians by the values of LINE."""
    # The facts are sorted by code: between the first and the last, DuckDB reads some row groups rather than all.
    of_codes = "code BETWEEN $first AND $last AND list_contains($codes, code)"
    bound = {"codes": codes, "first": codes[0], "last": codes[-1]}
    if not market.one_month:
        # The stored medians are of one month each, and medians cannot be put together.
        whole = Market(market.state, market.year_month, latest=market.latest)
        facts = f"(SELECT f.* FROM fact_rate f WHERE {whole.where} AND {of_codes})"
        sql = f"SELECT {', '.join(LINE)}, {MEDIAN_OF_LINE} FROM {lines_of(facts)} GROUP BY {', '.join(LINE)}"
        return read_by_key(db, LINE, _MarketMedian, sql, {**whole.parameters, **bound})
    return read_by_key(
        db,
        LINE,
        _MarketMedian,
        f"""SELECT {", ".join(LINE)}, median, rates FROM {line_medians(db)}
            WHERE state = $state AND year_month = $year_month AND {of_codes}""",
        {"state": market.state, "year_month": market.one_month, **bound},
    )
