"""The rates of one billing code."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from core.queries.rules.columns import (
    Arrangement,
    BillingClass,
    FactUid,
    FirstTin,
    FirstTinName,
    GroupCount,
    Highest,
    Lowest,
    Mean,
    Modifier,
    NegotiatedRate,
    NegotiatedType,
    NetworkNames,
    NpiCount,
    PayerCount,
    PayerName,
    PayerSlug,
    RateCount,
    RateKind,
    RateP10,
    RateP25,
    RateP50,
    RateP75,
    RateP90,
    RawGroupId,
    ServiceCodes,
    Setting,
    SeverityOfIllness,
    TinCount,
    described,
    stored,
)
from core.queries.rules.keyset import RowKey, rows_after
from core.queries.rules.market import Market, counted_rates
from core.store.connection import Snapshot
from core.store.schema.tables import DIM_BATCH, FACT_RATE

ORDERS = {
    "rate": "f.negotiated_rate, f.fact_uid",
    "-rate": "f.negotiated_rate DESC, f.fact_uid",
    "payer": "f.reporting_entity_name, f.negotiated_rate, f.fact_uid",
    "expires": "f.expiration_date NULLS LAST, f.negotiated_rate, f.fact_uid",
}
"""How the rates may be sorted; fact_uid makes every order total, so that pages neither repeat nor skip a row."""


@dataclass(frozen=True)
class RateCounts:
    """Four numbers that are easily confused, and the rates that a place-of-service filter leaves out."""

    rates: RateCount
    groups: GroupCount
    npis: NpiCount
    payers: PayerCount
    without_pos: Annotated[
        int,
        described(
            "Rates that the place-of-service filter leaves out because they list no place; 0 without that filter.", 0
        ),
    ]


@dataclass(frozen=True)
class Summary:
    """The spread of one payer's rates of one kind, class and modifier, each rate counted once."""

    kind: RateKind
    reporting_entity_name: PayerName
    payer_slug: PayerSlug
    billing_class: BillingClass
    modifier: Modifier
    rates: RateCount
    lowest: Lowest
    p10: RateP10
    p25: RateP25
    p50: RateP50
    p75: RateP75
    p90: RateP90
    highest: Highest
    mean: Mean


@dataclass(frozen=True)
class RateRow:
    """One negotiated rate, and what is known about its provider group."""

    fact_uid: FactUid
    kind: RateKind
    reporting_entity_name: PayerName
    payer_slug: PayerSlug
    negotiated_rate: NegotiatedRate
    negotiated_type: NegotiatedType
    negotiation_arrangement: Arrangement
    billing_class: BillingClass
    setting: Setting
    modifier: Modifier
    severity_of_illness: SeverityOfIllness
    billing_code_type_version: Annotated[str | None, stored(FACT_RATE, "billing_code_type_version", "2025")]
    pos_set_id: Annotated[str, stored(FACT_RATE, "pos_set_id", "3b2f0c9d1e4a4c5f8b7a6d5e4f3c2b1a")]
    service_codes: ServiceCodes
    expiration_date: Annotated[str | None, stored(FACT_RATE, "expiration_date", "2026-12-31")]
    pg_uid: Annotated[str, stored(FACT_RATE, "pg_uid", "0d9b1c7e2f3a4b5c6d7e8f9a0b1c2d3e")]
    provider_group_id_raw: RawGroupId
    npis: NpiCount
    tins: TinCount
    one_tin: FirstTin
    one_name: FirstTinName
    networks: NetworkNames
    additional_information: Annotated[str | None, stored(FACT_RATE, "additional_information", None)]
    source: Annotated[str | None, stored(DIM_BATCH, "source", "2025-08_example_in-network.json.gz")]


def count_rates(db: Snapshot, market: Market) -> int:
    """The number of rates."""
    found: int = db.rows(f"SELECT count(*) FROM fact_rate f WHERE {market.where}", market.parameters)[0][0]
    return found


def count_market(db: Snapshot, market: Market) -> RateCounts:
    """The numbers of rates, provider groups, distinct NPIs and payers."""
    # The list is one row to the planner, which then looks for its few groups among the many members, not the reverse.
    every, groups, npis, payers = db.rows(
        f"""WITH found AS MATERIALIZED (
                SELECT count(*) AS rates, list(DISTINCT f.pg_uid) AS groups,
                       count(DISTINCT f.reporting_entity_name) AS payers
                FROM fact_rate f WHERE {market.where}),
            asked AS MATERIALIZED (SELECT unnest(groups) AS pg_uid FROM found)
            SELECT rates, coalesce(len(groups), 0),
                   (SELECT count(DISTINCT npi) FROM xref_group_npi
                    WHERE year_month = $year_month AND pg_uid IN (SELECT pg_uid FROM asked)), payers
            FROM found""",
        market.parameters,
    )[0]
    without_pos = 0
    if market.pos:
        anywhere, parameters = counted_rates(db, market.without("pos"))
        without_pos = db.rows(
            f"""SELECT coalesce(sum(rate_count), 0)::BIGINT FROM {anywhere}
                WHERE pos_set_id IN (SELECT pos_set_id FROM dim_pos_set WHERE len(service_codes) = 0)""",
            parameters,
        )[0][0]
    return RateCounts(every, groups, npis, payers, without_pos)


def summarize_rates(db: Snapshot, market: Market) -> list[Summary]:
    """The spread of rates by kind, payer, class and modifier. Percentiles interpolate (as SQL's quantile_cont)."""
    market_rates, parameters = counted_rates(db, market)
    rows = db.rows(
        f"""SELECT kind, reporting_entity_name, payer_slug(reporting_entity_name), billing_class, modifier,
                   rates, lowest, spread, highest, mean
            FROM (SELECT rate_kind(f.negotiated_type, f.negotiation_arrangement) AS kind, f.reporting_entity_name,
                         f.billing_class, f.billing_code_modifier AS modifier,
                         count(*) AS rates, min(negotiated_rate) AS lowest,
                         quantile_cont(negotiated_rate, [0.1, 0.25, 0.5, 0.75, 0.9]) AS spread,
                         max(negotiated_rate) AS highest, avg(negotiated_rate) AS mean
                  FROM (SELECT *, unnest(range(rate_count)) FROM {market_rates}) f GROUP BY ALL)
            ORDER BY kind, reporting_entity_name, billing_class, modifier""",
        parameters,
    )
    return [Summary(*row[:7], *row[7], *row[8:]) for row in rows]


def list_rates(
    db: Snapshot, market: Market, order: str, limit: int, offset: int, last: RowKey | None = None
) -> list[RateRow]:
    """The rates from `offset` on, at most `limit`, in one of ORDERS; of those after the row with the key `last`."""
    condition, key = rows_after(ORDERS[order], last)
    rows = db.rows(_rates_sql(market, order, condition), {**market.parameters, **key, "limit": limit, "offset": offset})
    return [RateRow(*row) for row in rows]


def stream_rates(db: Snapshot, market: Market, order: str, limit: int, seconds: float) -> Iterator[RateRow]:
    """The rates, at most `limit`, read as they are needed; stopped after `seconds`."""
    with db.cursor(seconds) as cursor:
        cursor.execute(_rates_sql(market, order), {**market.parameters, "limit": limit, "offset": 0})
        while rows := cursor.fetchmany(5_000):
            yield from (RateRow(*row) for row in rows)


def _rates_sql(market: Market, order: str, condition: str = "true") -> str:
    # The page's rows are picked first; names and members are looked up for them alone.
    return f"""
        WITH picked AS (
            SELECT f.*, row_number() OVER (ORDER BY {ORDERS[order]}) AS place FROM (
                SELECT * FROM fact_rate f WHERE {market.where} AND {condition}
                ORDER BY {ORDERS[order]} LIMIT $limit OFFSET $offset) f),
        npis AS (
            SELECT pg_uid, count(*) AS npis FROM xref_group_npi
            WHERE year_month = $year_month AND pg_uid IN (SELECT pg_uid FROM picked) GROUP BY pg_uid),
        tins AS (
            SELECT pg_uid, count(*) AS tins, min(tin_value) AS one_tin, min_by(business_name, tin_value) AS one_name
            FROM xref_group_tin LEFT JOIN dim_tin USING (tin_type, tin_value)
            WHERE year_month = $year_month AND pg_uid IN (SELECT pg_uid FROM picked) GROUP BY pg_uid)
        SELECT fact_uid, rate_kind(negotiated_type, negotiation_arrangement), p.reporting_entity_name,
               payer_slug(p.reporting_entity_name), negotiated_rate, negotiated_type, negotiation_arrangement,
               billing_class, setting, billing_code_modifier, severity_of_illness, billing_code_type_version,
               pos_set_id, coalesce(service_codes, []), expiration_date, p.pg_uid, p.provider_group_id_raw,
               coalesce(npis, 0), coalesce(tins, 0), one_tin, one_name,
               coalesce(network_names, []), additional_information, b.source
        FROM picked p
        LEFT JOIN dim_pos_set USING (pos_set_id)
        LEFT JOIN npis USING (pg_uid)
        LEFT JOIN tins USING (pg_uid)
        LEFT JOIN dim_provider_group g ON g.pg_uid = p.pg_uid AND g.year_month = $year_month
        LEFT JOIN dim_batch b ON b.batch_id = g.batch_id AND b.state = p.state
        ORDER BY place"""
