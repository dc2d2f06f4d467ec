"""The rates of a provider by code, against its market. A rate that the 30 NPIs of a group share is one rate of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from core.queries.code_titles import with_titles
from core.queries.market.market import Market
from core.queries.parties.area_percents import PAYER_LINE, find_percents_of_lines
from core.queries.parties.line_medians import LEAST_FOR_PERCENTILES, LINE
from core.queries.parties.lines_in_figures import LINES_OF_CODES
from core.queries.parties.placed_rates import CODE_RATES, PLACED_RATES, placed_rates
from core.queries.rules.columns import (
    AreasOfPercents,
    BillingClass,
    Code,
    CodeName,
    CodeType,
    FarFromOthers,
    Highest,
    Implausible,
    LeftOutCount,
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
from core.queries.rules.keyset import ascending, descending, order_by
from core.queries.rules.named_rows import read_page
from core.store.connection import Snapshot

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
    """The rates of a provider for one code at one payer, of one kind, class, modifier, and setting."""

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
    care_setting: Annotated[
        str | None,
        described(
            "`non-facility or unstated` or `facility or unstated`, where professionals have rates for facilities alone "
            "and others for other places alone: the rates are then compared with those of this side. A rate for either "
            "is in the row of the side where the code is usually rendered. Null otherwise.",
            None,
        ),
    ]
    rate: Annotated[
        float,
        described(
            "As on the provider's page: the price of its own area, where its prices are percents of Medicare in "
            "several areas and it has at most 50 rows; otherwise `p50`.",
            102.5,
        ),
    ]
    rate_percent: Annotated[
        float | None,
        described("The percent of Medicare of `rate`: that of its area, or else `percent`. 1.25 is 125%.", 1.25),
    ]
    rate_area: Annotated[str | None, described("The area whose price `rate` is; null if it is of none.", "Dallas")]
    middle: Annotated[
        float | None,
        described(
            "What the payer pays its middle organization. Null where the row is not compared: of over 50, none is.",
            104.0,
        ),
    ]
    middle_difference: Annotated[
        float | None, described("`rate` against `middle`: -0.1 is 10% below; null as `middle` is.", -0.0144)
    ]
    paid_more: Annotated[
        int | None, described("Number of other organizations that the payer pays more; null as `middle` is.", 40)
    ]
    other_organizations: Annotated[
        int | None, described("Number of the other organizations; null as `middle` is.", 120)
    ]
    rates: RateCount
    lowest: Lowest
    p50: Annotated[
        float,
        described(
            "The rate in the middle of all areas, of two the lower one: a price of a contract.",
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
            "Median of all rates of this code, kind, class, modifier, and `care_setting` in the state and month. Null "
            "where medians of so large a market have not been prepared.",
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
    left_out: LeftOutCount
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


_BY_LINE = ascending("code", "code_type", "kind", "reporting_entity_name", "billing_class", "modifier", "care_setting")
ORDERS = {
    "usual": descending("services", "usual", "common", "most_market_rates", "most_p50") + _BY_LINE,
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

The usual order: what the provider bills most to Medicare, then what is usual (see _show_usual_codes), what Medicare
pays for most often, what most of the market has a rate for, and what is paid most.
"""


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
    care_setting: str | None
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
    left_out: int
    implausible: int
    far_from_others: int
    plausible_lowest: float | None
    plausible_highest: float | None
    usual: int
    common: float | None
    most_market_rates: int | None
    most_p50: float
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

    They are not yet placed among organizations, see `place_rows`.

    `provider` is the generation itself, or its `market_cache` of the provider's facts. The rows are in one of ORDERS.
    """
    with placed_rates(db, provider, market) as memory:
        condition, parameters = _condition(within)
        sorting = order_by(ORDERS[order])
        total, rows = read_page(
            memory,
            _ProviderLine,
            f"""WITH page AS (
                    SELECT count(*) OVER () AS total, * FROM {CODE_RATES} WHERE {condition}
                    ORDER BY {sorting} LIMIT $limit OFFSET $offset)
                SELECT p.*, d.name, payer_slug(reporting_entity_name) AS payer_slug, m.few_amounts AS amounts
                FROM page p LEFT JOIN dim_code d USING (code_type, code)
                LEFT JOIN {LINES_OF_CODES} m ON m.rates < {LEAST_FOR_PERCENTILES}
                    AND {" AND ".join(f"p.{name} IS NOT DISTINCT FROM m.{name}" for name in LINE)}
                ORDER BY {sorting}""",
            {**parameters, "limit": limit, "offset": offset},
        )
        several = {row.code for row in rows if row.prices > 1}
        found_of = find_percents_of_lines(memory, market, PLACED_RATES, several) if several else {}
        by_area = [found_of.get(tuple(getattr(row, name) for name in PAYER_LINE)) for row in rows]
    found_rates = [
        CodeRates(
            state=market.state,
            year_month=market.month_of(row.payer_slug),
            **{name: value for name, value in vars(row).items() if name not in _NOT_SHOWN},
            rate=row.p50,
            rate_percent=found.single.percent if found and found.single else row.percent,
            rate_area=None,
            middle=None,
            middle_difference=None,
            paid_more=None,
            other_organizations=None,
            above=None if row.amounts is None else sum(amount > row.p50 for amount in row.amounts),
            market_prices=None if row.amounts is None else len(row.amounts),
            difference=row.p50 / row.market - 1 if row.market else None,
            percent_of_areas=found.single.percent if found and found.single else None,
            percents=found.summary if found else None,
            areas=found.words if found else None,
        )
        for row, found in zip(rows, by_area, strict=True)
    ]
    return total, with_titles(db, found_rates)


_NOT_SHOWN = ("usual", "common", "amounts", "most_market_rates", "most_p50")


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
