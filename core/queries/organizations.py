"""A market by tax number: each rate counts once for each tax number of its group, never once per NPI."""

from dataclasses import dataclass
from typing import Annotated

from core.queries.rules.columns import (
    BillingClass,
    BusinessName,
    GroupCount,
    Mean,
    Modifier,
    NpiCount,
    RateCount,
    RateP10,
    RateP25,
    RateP50,
    RateP75,
    RateP90,
    TinType,
    TinValue,
    described,
)
from core.queries.rules.keyset import RowKey, rows_after
from core.queries.rules.market import Market
from core.store.connection import Snapshot

ORDERS = {
    "rates": "rates DESC, tin_value, tin_type",
    "rank": "rank, rates DESC, tin_value, tin_type",
    "p50": "p50, tin_value, tin_type",
    "-p50": "p50 DESC, tin_value, tin_type",
    "mean": "mean, tin_value, tin_type",
    "-mean": "mean DESC, tin_value, tin_type",
}


@dataclass(frozen=True)
class Organization:
    """The rates in dollars of one tax ID (TIN) for a code, each rate counted once."""

    tin_type: TinType
    tin_value: TinValue
    business_name: BusinessName
    npis: NpiCount
    rates: RateCount
    groups: GroupCount
    share: Annotated[float, described("Share of the market's provider groups: 0.125 is 12.5%.", 0.125)]
    rank: Annotated[int, described("Rank by number of provider groups: 1 has the most, and ties share a rank.", 1)]
    mean: Mean
    p10: RateP10
    p25: RateP25
    p50: RateP50
    p75: RateP75
    p90: RateP90
    difference: Annotated[
        float | None,
        described("Median against the market's median: 0.1 is 10% above; null if the market's is zero.", 0.1),
    ]


@dataclass(frozen=True)
class Totals:
    """What the table of organizations covers, and what it leaves out."""

    organizations: Annotated[int, described("Number of tax IDs (TINs) in the table.", 12)]
    dollars: Annotated[int, described("Number of rates in dollars for one service.", 12)]
    without_tin: Annotated[
        int, described("Rates in dollars whose provider group has no known tax ID; not in the table.", 12)
    ]
    other_kinds: Annotated[int, described("Rates not expressed in dollars for one service; not in the table.", 12)]
    median: Annotated[
        float | None,
        described("Median of all rates in dollars, each counted once, with or without a known tax ID.", 95.0),
    ]


@dataclass(frozen=True)
class RateTerms:
    """The number of rates in dollars with one class and modifier."""

    billing_class: BillingClass
    modifier: Modifier
    rates: RateCount


def count_terms(db: Snapshot, market: Market) -> list[RateTerms]:
    """The classes and modifiers of the market's rates in dollars, most rates first: medians of a mixture say little."""
    rows = db.rows(
        f"""SELECT f.billing_class, f.billing_code_modifier, count(*) AS rates FROM fact_rate f
            WHERE {market.where} AND rate_kind(f.negotiated_type, f.negotiation_arrangement) = 'dollars'
            GROUP BY ALL ORDER BY rates DESC, f.billing_class, f.billing_code_modifier""",
        market.parameters,
    )
    return [RateTerms(*row) for row in rows]


def count_totals(db: Snapshot, market: Market) -> Totals:
    """How many organizations, rates in dollars (and of them rates whose group has no tax number) and other rates."""
    row = db.rows(
        f"""WITH f AS (
                SELECT pg_uid, negotiated_rate, rate_kind(f.negotiated_type, f.negotiation_arrangement) AS kind
                FROM fact_rate f WHERE {market.where}),
            t AS (SELECT pg_uid, tin_type, tin_value FROM xref_group_tin
                  WHERE year_month = $year_month AND pg_uid IN (SELECT pg_uid FROM f WHERE kind = 'dollars'))
            SELECT (SELECT count(*) FROM (SELECT DISTINCT tin_type, tin_value FROM t)),
                   count(*) FILTER (kind = 'dollars'),
                   count(*) FILTER (kind = 'dollars' AND pg_uid NOT IN (SELECT pg_uid FROM t)),
                   count(*) FILTER (kind <> 'dollars'),
                   quantile_cont(negotiated_rate, 0.5) FILTER (kind = 'dollars')
            FROM f""",
        market.parameters,
    )[0]
    return Totals(*row)


def list_organizations(
    db: Snapshot, market: Market, order: str, limit: int, offset: int, last: RowKey | None = None
) -> list[Organization]:
    """The organizations from `offset` on, at most `limit`, in one of ORDERS; of those after the row of the key `last`.

    Rates in dollars only. A mean is added up in order, so that it is the same number each time it is asked for.
    """
    condition, key = rows_after(ORDERS[order], last)
    rows = db.rows(
        f"""WITH f AS (
                SELECT pg_uid, negotiated_rate FROM fact_rate f
                WHERE {market.where} AND rate_kind(f.negotiated_type, f.negotiation_arrangement) = 'dollars'),
            every AS (
                SELECT tin_type, tin_value, count(*) AS rates, count(DISTINCT pg_uid) AS groups,
                       count(DISTINCT pg_uid) / (SELECT count(DISTINCT pg_uid) FROM f) AS share,
                       rank() OVER (ORDER BY count(DISTINCT pg_uid) DESC) AS rank,
                       avg(negotiated_rate ORDER BY negotiated_rate) AS mean,
                       quantile_cont(negotiated_rate, [0.1, 0.25, 0.5, 0.75, 0.9]) AS spread, spread[3] AS p50
                FROM f JOIN xref_group_tin USING (pg_uid) WHERE year_month = $year_month
                GROUP BY tin_type, tin_value),
            page AS (SELECT * FROM every WHERE {condition} ORDER BY {ORDERS[order]} LIMIT $limit OFFSET $offset),
            people AS (
                SELECT tin_type, tin_value, count(DISTINCT npi) AS npis FROM xref_tin_npi
                WHERE year_month = $year_month AND tin_value IN (SELECT tin_value FROM page) GROUP BY ALL)
            SELECT tin_type, tin_value, business_name, coalesce(npis, 0), rates, groups, share, rank, mean,
                   spread[1], spread[2], p50, spread[4], spread[5],
                   p50 / nullif((SELECT quantile_cont(negotiated_rate, 0.5) FROM f), 0) - 1
            FROM page LEFT JOIN dim_tin USING (tin_type, tin_value) LEFT JOIN people USING (tin_type, tin_value)
            ORDER BY {ORDERS[order]}""",
        {**market.parameters, **key, "limit": limit, "offset": offset},
    )
    return [Organization(*row) for row in rows]
