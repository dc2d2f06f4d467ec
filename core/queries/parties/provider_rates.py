"""The rates of a provider by code, against its market. A rate that the 30 NPIs of a group share is one rate of each."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated

from core.fields.codes.code_family import HCPCS_SYSTEMS
from core.fields.codes.performing_specialties import list_unfit_families
from core.queries.comparison.area_amounts import locality_values
from core.queries.comparison.asked_place import asked_place
from core.queries.comparison.compared_rates import EXTREMES_SQL, IS_ODD_SQL, compared_sql
from core.queries.comparison.lookup_scope import bind_codes, find_scope
from core.queries.comparison.lookups import keep_lookups
from core.queries.market.market import Market
from core.queries.market.market_rates import counted_rates, market_cache, uses_own_areas
from core.queries.parties.area_percents import PAYER_LINE, find_percents_of_lines, show_area_percents
from core.queries.parties.billed_services import MEMBERS, list_leading_specialties, services_sql
from core.queries.parties.line_medians import LEAST_FOR_PERCENTILES, LINE, market_lines
from core.queries.rules.asked_first import known_sql
from core.queries.rules.code_families import accompanying_sql, family_sql
from core.queries.rules.columns import (
    AreasOfPercents,
    BillingClass,
    Code,
    CodeName,
    CodeType,
    FarFromOthers,
    Highest,
    Implausible,
    Lowest,
    Modifier,
    Month,
    PayerName,
    PayerSlug,
    PlausibleHighest,
    PlausibleLowest,
    RateCount,
    RateKind,
    State,
    described,
)
from core.queries.rules.far_from_others import far_sql
from core.queries.rules.keyset import ascending, descending, order_by
from core.queries.rules.named_rows import read_page
from core.queries.rules.organization_price import price_sql
from core.store.connection import Snapshot
from core.store.market_snapshot import MarketSnapshot
from core.store.sql import quote, used_parameters
from core.vocabulary.services import FAMILIAR_CODES

Family = Annotated[
    str, described("Family of the code by its number, in words of our own, such as ultrasound.", "visits")
]
Percentile = Annotated[
    float | None,
    described(
        "The middle of the rates' positions in the market: the share of its rates below, those equal counting half: "
        "0.25 is 25%. Null where the market has no other rates than these, or its medians are not known.",
        0.625,
    ),
]


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
    family: Family
    kind: RateKind
    billing_class: BillingClass
    modifier: Modifier
    rates: RateCount
    lowest: Lowest
    p50: Annotated[
        float,
        described(
            "The rate in the middle, of two the lower one: a price of a contract. Rates that are implausible or far "
            "from the others are left out, unless there are no others.",
            104.5,
        ),
    ]
    highest: Highest
    prices: Annotated[
        int,
        described("Number of different rates: several for one code, of which the file does not say which applies.", 2),
    ]
    place_lists: Annotated[
        int, described("Number of different lists of places of service that these rates are for.", 1)
    ]
    percent: Annotated[
        float | None, described("Median percent of Medicare, or of the yardstick asked for: 1 is 100%.", 1.2095)
    ]
    compared: Annotated[int, described("Number of rates that have a percent of Medicare.", 12)]
    market: Annotated[
        float | None,
        described(
            "Median of all rates of this code, kind, class and modifier in the state and month. Null where medians of "
            "so large a market have not been prepared.",
            95.0,
        ),
    ]
    market_rates: Annotated[int | None, described("Number of rates behind the market's median.", 70)]
    difference: Annotated[
        float | None,
        described("p50 against the market's median: 0.1 is 10% above; null if the market's is zero or not known.", 0.1),
    ]
    percentile: Percentile
    above: Annotated[
        int | None,
        described(
            "Number of the market's different prices that are higher than p50, in a market of fewer than "
            f"{LEAST_FOR_PERCENTILES} rates. Null in a larger one, and where its medians are not known.",
            2,
        ),
    ]
    market_prices: Annotated[
        int | None, described("Number of different prices of the market, where `above` counts those above.", 7)
    ]
    services: Annotated[
        float | None,
        described("Services of the code that the provider billed to Medicare in a year; null if not known.", 120.0),
    ]
    implausible: Implausible
    far_from_others: FarFromOthers
    plausible_lowest: PlausibleLowest
    plausible_highest: PlausibleHighest
    percent_of_areas: Annotated[
        float | None,
        described(
            "The percent of Medicare that all prices of the row are, of the amounts of several payment localities; "
            "null if they are not one percent.",
            1.15,
        ),
    ] = None
    percents: Annotated[
        str | None,
        described(
            "The percents of Medicare that the prices of the row are, in words; null if they are not a few percents.",
            "115% and 125% of Medicare in 5 areas",
        ),
    ] = None
    areas: AreasOfPercents = None


_BY_LINE = ascending("code", "code_type", "kind", "reporting_entity_name", "billing_class", "modifier")
ORDERS = {
    "usual": descending("services", "usual", "common", "market_rates", "p50") + _BY_LINE,
    "code": _BY_LINE,
    "-code": descending("code") + _BY_LINE,
    "rates": descending("rates", "market_rates") + _BY_LINE,
    "p50": ascending("p50") + _BY_LINE,
    "-p50": descending("p50") + _BY_LINE,
    "percent": ascending("percent") + _BY_LINE,
    "-percent": descending("percent") + _BY_LINE,
    "percentile": ascending("percentile") + _BY_LINE,
    "-percentile": descending("percentile") + _BY_LINE,
}
"""How the rates may be sorted.

The usual order: what the provider bills most to Medicare, then what is usual (see _usual_sql), what Medicare pays for
most often, what most of the market has a rate for, and what is paid most.
"""

PLACED_RATES, _CODE_RATES = "placed_rate", "provider_code_rate"
"""Tables in memory: a provider's rates with their percents and positions, and the same by code.

Where several prices are percents of areas' amounts, `of_areas` is that of the rate. `is_odd` says that nobody can mean
the rate.
"""

_COMPARED, _LINES, _SERVICES = "provider_compared", "provider_line", "provider_service"
"""Tables in memory: a provider's rates with their percents, the lines of its codes, and what it bills to Medicare."""

_PLACED, _AREA_PERCENTS = "rate_in_place", "provider_area_percent"
"""Tables in memory that PLACED_RATES is joined from."""


def _usual_sql(specialties: Collection[str]) -> str:
    """Return SQL of how usual a code is for a provider with these specialties, from 4 down to 0.

    First the few codes that everybody knows, if these specialties usually perform them; then others of the
    vocabulary's few hundred that they perform; then other familiar ones, and parts of services; then any other; and
    last what only comes with another service. Of most families, such as visits, anybody performs the codes.
    """
    unfit = ", ".join(map(quote, list_unfit_families(specialties))) or "''"
    return f"""CASE WHEN {accompanying_sql("c.code_type", "c.code")} THEN 0
        WHEN NOT {known_sql("c.code_type", "c.code")} THEN 1
        WHEN c.modifier <> '' OR {family_sql("c.code_type", "c.code")} IN ({unfit}) THEN 2
        WHEN c.code IN ({", ".join(map(quote, FAMILIAR_CODES))}) THEN 4 ELSE 3 END"""


_PAYER_LINE = ", ".join(PAYER_LINE)


@dataclass(frozen=True)
class Within:
    """What of a provider's rates a table shows: some codes (of which system and number), or a family of codes."""

    codes: Sequence[tuple[str, str]] | None = None
    family: str = ""


ALL_CODES = Within()


@dataclass(frozen=True)
class _ProviderLine:
    code_type: str
    code: str
    family: str
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
    prices: int
    place_lists: int
    percent: float | None
    compared: int
    market: float | None
    market_rates: int | None
    percentile: float | None
    services: float | None
    implausible: int
    far_from_others: int
    plausible_lowest: float | None
    plausible_highest: float | None
    usual: int
    common: float | None
    amounts: list[float] | None


def list_code_rates(
    db: Snapshot,
    provider: Snapshot,
    market: Market,
    limit: int,
    offset: int,
    order: str = "usual",
    within: Within = ALL_CODES,
) -> tuple[int, list[CodeRates]]:
    """Return the rates of the market's provider by code and payer, and how many such rows there are.

    `provider` is the generation itself, or its `market_cache` of the provider's facts. The rows are in one of ORDERS.
    """
    with placed_rates(db, provider, market) as memory:
        condition, parameters = _condition(within)
        sorting = order_by(ORDERS[order])
        total, rows = read_page(
            memory,
            _ProviderLine,
            f"""WITH page AS (
                    SELECT count(*) OVER () AS total, * FROM {_CODE_RATES} WHERE {condition}
                    ORDER BY {sorting} LIMIT $limit OFFSET $offset)
                SELECT p.*, d.name, payer_slug(reporting_entity_name) AS payer_slug, m.amounts
                FROM page p LEFT JOIN dim_code d USING (code_type, code)
                LEFT JOIN {_LINES} m ON m.rates < {LEAST_FOR_PERCENTILES}
                    AND {" AND ".join(f"p.{name} IS NOT DISTINCT FROM m.{name}" for name in LINE)}
                ORDER BY {sorting}""",
            {**parameters, "limit": limit, "offset": offset},
        )
        several = {row.code for row in rows if row.prices > 1}
        found_of = find_percents_of_lines(memory, market, PLACED_RATES, several) if several else {}
        by_area = [found_of.get(tuple(getattr(row, name) for name in PAYER_LINE)) for row in rows]
    return total, [
        CodeRates(
            state=market.state,
            year_month=market.month_of(row.payer_slug),
            **{name: value for name, value in vars(row).items() if name not in _NOT_SHOWN},
            above=None if row.amounts is None else sum(amount > row.p50 for amount in row.amounts),
            market_prices=None if row.amounts is None else len(row.amounts),
            difference=row.p50 / row.market - 1 if row.market else None,
            percent_of_areas=found.single.percent if found and found.single else None,
            percents=found.summary if found else None,
            areas=found.words if found else None,
        )
        for row, found in zip(rows, by_area, strict=True)
    ]


_NOT_SHOWN = ("usual", "common", "amounts")


def _condition(within: Within) -> tuple[str, dict[str, str]]:
    """Return the condition on a provider's rates by code that they are among those that are asked for."""
    conditions, parameters = ["true"], {}
    if within.family:
        conditions.append("family = $family")
        parameters["family"] = within.family
    if within.codes is not None:
        # A long list would take DuckDB longer to bind than to search.
        conditions.append("code_type || ' ' || code IN (SELECT unnest(string_split($among::VARCHAR, chr(10))))")
        parameters["among"] = "\n".join(f"{code_type} {code}" for code_type, code in within.codes)
    return " AND ".join(conditions), parameters


@contextmanager
def placed_rates(db: Snapshot, provider: Snapshot, market: Market) -> Iterator[MarketSnapshot]:
    """Yield the provider's facts in memory with PLACED_RATES: each rate's percent of Medicare and its position.

    A row stands for `rate_count` rates. These tables are kept: other pages, orders, and words find them there.
    """
    if not isinstance(provider, MarketSnapshot):
        whole = market.unfiltered.without("code_type", "code")
        with (
            market_cache(db, whole, areas=uses_own_areas(db, market)) as cached,
            placed_rates(db, cached, market) as memory,
        ):
            yield memory
        return
    provider.make_for(PLACED_RATES, market, lambda: _keep_tables(db, provider, market))
    yield provider


def _keep_tables(db: Snapshot, provider: MarketSnapshot, market: Market) -> None:
    _keep_services(provider, market)
    _keep_placed_rates(db, provider, market)
    provider.keep_table(
        _CODE_RATES,
        f"""SELECT {_PAYER_LINE}, {family_sql()} AS family, services, usual, common, count(*) AS rates,
                   min(negotiated_rate) AS lowest, {price_sql()} AS p50,
                   max(negotiated_rate) AS highest, count(DISTINCT negotiated_rate) AS prices,
                   count(DISTINCT pos_set_id) AS place_lists,
                   {price_sql("percent")} AS percent, count(percent) AS compared,
                   {EXTREMES_SQL}, market, market_rates, {price_sql("position")} AS percentile
            FROM (SELECT *, unnest(range(rate_count)) FROM {PLACED_RATES}) GROUP BY ALL""",
        {},
        made_from=market.parameters,
    )


def _keep_placed_rates(db: Snapshot, provider: MarketSnapshot, market: Market) -> None:
    areas = uses_own_areas(provider, market)
    rates, of_rates = counted_rates(provider, market, areas=areas)
    codes = [code for (code,) in provider.rows(f"SELECT DISTINCT code FROM {rates} ORDER BY code", of_rates)]
    compared = compared_sql(
        "true",
        rates,
        place=asked_place(market),
        basis=market.basis,
        yardstick=market.yardstick,
        scope=keep_lookups(provider, market, find_scope(provider, market, codes), codes),
        areas=areas,
        localities=locality_values(provider) if areas else None,
    )
    # Three questions take DuckDB half as long as one: it carries the lists of the lines through fewer joins.
    provider.keep_table(
        _COMPARED,
        f"""{compared}
            SELECT code_type, code, kind, billing_class, billing_code_modifier AS modifier, reporting_entity_name,
                   pos_set_id, negotiated_rate, percent, rate_count FROM compared""",
        {**market.parameters, **of_rates, "codes": bind_codes(codes)},
    )
    provider.keep_table(_LINES, *market_lines(db, market, f"SELECT code FROM {_COMPARED}"), made_from=market.parameters)
    members = MEMBERS[_named_by(market)]
    leading = list_leading_specialties(provider, members, used_parameters(members, market.parameters))
    provider.keep_table(
        _PLACED,
        f"""SELECT c.*, s.services, {_usual_sql(leading)} AS usual, u.services AS common,
                   kind = 'dollars' AND {far_sql("negotiated_rate", "market", "market_rates")} AS is_far,
                   {IS_ODD_SQL} AS is_odd
            FROM (
                SELECT f.* EXCLUDE (own), m.median AS market, m.rates AS market_rates,
                       CASE WHEN own < m.rates THEN m.positions[list_position(m.amounts, f.negotiated_rate)] END
                           AS position
                -- All of the market's rates may be the provider's own: then their positions say nothing.
                FROM (SELECT *, sum(rate_count) OVER (PARTITION BY {_PAYER_LINE}) AS own FROM {_COMPARED}) f
                LEFT JOIN {_LINES} m ON {" AND ".join(f"f.{name} IS NOT DISTINCT FROM m.{name}" for name in LINE)}) c
            LEFT JOIN {_SERVICES} s ON s.code = c.code AND c.code_type IN {HCPCS_SYSTEMS}
            LEFT JOIN code_use u ON u.code = c.code AND c.code_type IN {HCPCS_SYSTEMS}""",
        {},
        made_from=market.parameters,
    )
    show_area_percents(provider, market, _PLACED, _AREA_PERCENTS)
    same_line = " AND ".join(f"a.{name} = coalesce(p.{name}, '')" for name in PAYER_LINE)
    provider.keep_table(
        PLACED_RATES,
        f"""SELECT p.*, a.of_areas::DOUBLE AS of_areas FROM {_PLACED} p
            LEFT JOIN {_AREA_PERCENTS} a ON {same_line} AND p.negotiated_rate = a.price::DOUBLE""",
        {},
        made_from={**market.parameters, "area_percents": True},
    )


def _named_by(market: Market) -> str:
    """Return which filter names the provider of a market."""
    return next(name for name in MEMBERS if getattr(market, name))


def _keep_services(provider: MarketSnapshot, market: Market) -> None:
    """Show what the provider billed to Medicare, by code."""
    sql = services_sql(provider, MEMBERS[_named_by(market)])
    provider.keep_table(_SERVICES, sql, used_parameters(sql, market.parameters))
