"""Who an NPI or a tax number is, and its rates: a rate that a group's 30 NPIs share is one rate of each."""

from dataclasses import dataclass, fields
from datetime import date
from typing import Annotated, Any, Literal

from core.queries.rules.columns import (
    BillingClass,
    BusinessName,
    Code,
    CodeName,
    CodeType,
    GroupCount,
    Highest,
    Lowest,
    Modifier,
    Month,
    NetworkNames,
    NpiCount,
    NpiNumber,
    PayerName,
    PayerSlug,
    RateCount,
    RateKind,
    RateP50,
    State,
    TinType,
    TinValue,
    described,
    stored,
)
from core.queries.rules.comparison import compared_sql
from core.queries.rules.market import Market, counted_rates
from core.store.connection import Snapshot
from core.store.schema.tables import DIM_NPI

By = Literal["npi", "tin"]

_GROUPS = {
    "npi": "SELECT DISTINCT year_month, payer_slug, pg_uid FROM xref_group_npi WHERE npi = $value",
    "tin": "SELECT DISTINCT year_month, payer_slug, pg_uid FROM xref_group_tin WHERE tin_value = $value",
}
"""The groups of an NPI, or of a tax number whichever its type."""


@dataclass(frozen=True)
class Npi:
    """What is known about an NPI: only the number until NPPES is loaded."""

    npi: NpiNumber
    entity_type: Annotated[str | None, stored(DIM_NPI, "entity_type", "individual")]
    name: Annotated[str | None, stored(DIM_NPI, "name", "DOE, JANE")]
    credential: Annotated[str | None, stored(DIM_NPI, "credential", "MD")]
    taxonomy_code: Annotated[str | None, stored(DIM_NPI, "taxonomy_code", "207Q00000X")]
    taxonomy: Annotated[str | None, stored(DIM_NPI, "taxonomy", "Family Medicine")]
    address: Annotated[str | None, stored(DIM_NPI, "address", "1 EXAMPLE ST")]
    city: Annotated[str | None, stored(DIM_NPI, "city", "ATLANTA")]
    state: Annotated[str | None, stored(DIM_NPI, "state", "GA")]
    postal_code: Annotated[str | None, stored(DIM_NPI, "postal_code", "303031234")]
    deactivated_on: Annotated[date | None, stored(DIM_NPI, "deactivated_on", None)]


_NPI = ", ".join(field.name for field in fields(Npi))


@dataclass(frozen=True)
class TaxId:
    """A tax ID, and the number of NPIs that bill under it."""

    tin_type: TinType
    tin_value: TinValue
    business_name: BusinessName
    npis: NpiCount


@dataclass(frozen=True)
class ProviderGroupPage:
    """The provider groups of a provider at one payer in one month."""

    year_month: Month
    reporting_entity_name: PayerName
    payer_slug: PayerSlug
    groups: GroupCount
    networks: NetworkNames


@dataclass(frozen=True)
class LoadedPeriod:
    """A state and month in which a provider has groups."""

    state: State
    year_month: Month
    groups: GroupCount


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


def find_npi(db: Snapshot, value: str) -> Npi | None:
    """The NPI, or None where no fact's group names it."""
    rows = db.rows(f"SELECT {_NPI} FROM dim_npi WHERE npi = ?", [value])
    return Npi(*rows[0]) if rows else None


def is_register_loaded(db: Snapshot) -> bool:
    """Whether the register of providers has been loaded: any NPI has a name."""
    return bool(db.rows("SELECT 1 FROM dim_npi WHERE name IS NOT NULL LIMIT 1"))


def find_tins(db: Snapshot, value: str) -> list[TaxId]:
    """The tax numbers of that value (an EIN and an NPI can share one), none where no fact's group names it."""
    rows = db.rows(
        """SELECT tin_type, tin_value, business_name,
                  (SELECT count(DISTINCT npi) FROM xref_tin_npi x
                   WHERE x.tin_type = t.tin_type AND x.tin_value = t.tin_value)
           FROM dim_tin t WHERE tin_value = ? ORDER BY tin_type""",
        [value],
    )
    return [TaxId(*row) for row in rows]


def list_tins_of_npi(db: Snapshot, value: str) -> list[TaxId]:
    """The tax numbers under which an NPI bills."""
    rows = db.rows(
        """SELECT tin_type, tin_value, any_value(business_name), count(DISTINCT others.npi)
           FROM (SELECT DISTINCT tin_type, tin_value FROM xref_tin_npi WHERE npi = ?)
           JOIN xref_tin_npi others USING (tin_type, tin_value)
           LEFT JOIN dim_tin USING (tin_type, tin_value)
           GROUP BY ALL ORDER BY tin_type, tin_value""",
        [value],
    )
    return [TaxId(*row) for row in rows]


def list_npis_of_tin(db: Snapshot, value: str, limit: int, offset: int) -> tuple[int, list[Npi]]:
    """The NPIs that bill under a tax number, and how many there are."""
    rows = db.rows(
        f"""SELECT count(*) OVER (), {_NPI}
           FROM (SELECT DISTINCT npi FROM xref_tin_npi WHERE tin_value = ?) JOIN dim_npi USING (npi)
           ORDER BY name NULLS LAST, npi LIMIT ? OFFSET ?""",
        [value, limit, offset],
    )
    return (rows[0][0] if rows else 0), [Npi(*row[1:]) for row in rows]


def list_groups(db: Snapshot, by: By, value: str) -> list[ProviderGroupPage]:
    """The provider's groups, by month and payer."""
    rows = db.rows(
        f"""SELECT m.year_month, reporting_entity_name, m.payer_slug, count(*),
                   list_sort(list_distinct(flatten(list(coalesce(network_names, [])))))
            FROM ({_GROUPS[by]}) m
            LEFT JOIN dim_provider_group g USING (year_month, pg_uid)
            LEFT JOIN dim_reporting_entity e ON e.payer_slug = m.payer_slug
            GROUP BY ALL ORDER BY m.year_month DESC, reporting_entity_name""",
        {"value": value},
    )
    return [ProviderGroupPage(*row) for row in rows]


def list_provider_periods(db: Snapshot, by: By, value: str) -> list[LoadedPeriod]:
    """The states and months of a provider, newest first."""
    rows = db.rows(
        f"""SELECT b.state, m.year_month, count(DISTINCT m.pg_uid) AS groups
            FROM ({_GROUPS[by]}) m JOIN dim_provider_group g USING (year_month, pg_uid)
            JOIN dim_batch b USING (batch_id)
            GROUP BY b.state, m.year_month ORDER BY m.year_month DESC, groups DESC, b.state""",
        {"value": value},
    )
    return [LoadedPeriod(*row) for row in rows]


_ROW = "code_type, code, kind, reporting_entity_name, billing_class, modifier"
_MARKET_ROW = "code_type, code, kind, billing_class, modifier"


def list_code_rates(
    db: Snapshot, provider: Snapshot, market: Market, limit: int, offset: int
) -> tuple[int, list[CodeRates]]:
    """The rates of the market's provider by code and payer, and how many such rows there are.

    `provider` is the generation, or the same narrowed to the provider's facts.
    """
    rates, parameters = counted_rates(provider, market)
    rows = provider.rows(
        f"""WITH f AS (
                SELECT code_type, code, rate_kind(negotiated_type, negotiation_arrangement) AS kind,
                       reporting_entity_name, billing_class, billing_code_modifier AS modifier, negotiated_rate,
                       unnest(range(rate_count))
                FROM {rates}),
            page AS (
                SELECT count(*) OVER () AS total, {_ROW}, count(*) AS rates, min(negotiated_rate) AS lowest,
                       quantile_cont(negotiated_rate, 0.5) AS p50, max(negotiated_rate) AS highest
                FROM f GROUP BY {_ROW}
                ORDER BY code, code_type, kind, reporting_entity_name, billing_class, modifier
                LIMIT $limit OFFSET $offset)
            SELECT p.*, d.name, payer_slug(reporting_entity_name)
            FROM page p LEFT JOIN dim_code d USING (code_type, code)
            ORDER BY code, code_type, kind, reporting_entity_name, billing_class, modifier""",
        {**parameters, "limit": limit, "offset": offset},
    )
    if not rows and offset:
        return list_code_rates(db, provider, market, 1, 0)[0], []
    codes = sorted({row[2] for row in rows})
    percents = _percents(provider, market, codes)
    medians = _market_medians(db, market, codes)
    found = []
    for _, code_type, code, kind, payer, billing_class, modifier, n, lowest, p50, highest, name, slug in rows:
        percent, compared_rates = percents.get((code_type, code, kind, payer, billing_class, modifier), (None, 0))
        median, market_rates = medians[code_type, code, kind, billing_class, modifier]
        found.append(
            CodeRates(
                market.state, market.year_month, payer, slug, code_type, code, name, kind, billing_class, modifier,
                n, lowest, p50, highest, percent, compared_rates, median, market_rates,
                p50 / median - 1 if median else None,
            )
        )  # fmt: skip
    return (rows[0][0] if rows else 0), found


def _percents(provider: Snapshot, market: Market, codes: list[str]) -> dict[tuple[Any, ...], tuple[float | None, int]]:
    rates, parameters = counted_rates(provider, market)
    rows = provider.rows(
        f"""{compared_sql("list_contains($codes, f.code)", rates)}
            SELECT code_type, code, kind, reporting_entity_name, billing_class, billing_code_modifier,
                   quantile_cont(percent, 0.5), count(percent)
            FROM (SELECT *, unnest(range(rate_count)) FROM compared) GROUP BY 1, 2, 3, 4, 5, 6""",
        {**parameters, "codes": codes},
    )
    return {row[:6]: row[6:] for row in rows}


def _market_medians(db: Snapshot, market: Market, codes: list[str]) -> dict[tuple[Any, ...], tuple[float, int]]:
    if not codes:
        return {}
    rows = db.rows(
        f"""SELECT {_MARKET_ROW}, quantile_cont(negotiated_rate, 0.5), count(*)
            FROM (SELECT code_type, code, rate_kind(negotiated_type, negotiation_arrangement) AS kind, billing_class,
                         billing_code_modifier AS modifier, negotiated_rate
                  FROM fact_rate
                  WHERE state = $state AND year_month = $year_month AND code BETWEEN $first AND $last
                      AND list_contains($codes, code))
            GROUP BY {_MARKET_ROW}""",
        {
            "state": market.state,
            "year_month": market.year_month,
            "codes": codes,
            "first": codes[0],
            "last": codes[-1],
        },
    )
    return {row[:5]: row[5:] for row in rows}
