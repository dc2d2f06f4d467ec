"""The rates of one billing code."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

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
from core.queries.rules.keyset import RowKey, ascending, descending, order_by, rows_after
from core.queries.rules.market import Market, counted_rates, rates_of_market, uses_own_areas
from core.queries.rules.named_rows import read_row, read_rows, stream_rows
from core.queries.rules.percentiles import FIVE_PERCENTILES, mean, percentile_columns, percentile_list
from core.store.connection import Snapshot
from core.store.schema.tables import DIM_BATCH, DIM_GROUP_AREA, FACT_RATE

ORDERS = {
    "rate": ascending("f.negotiated_rate", "f.fact_uid"),
    "-rate": descending("f.negotiated_rate") + ascending("f.fact_uid"),
    "payer": ascending("f.reporting_entity_name", "f.negotiated_rate", "f.fact_uid"),
    "expires": ascending("f.expiration_date", "f.negotiated_rate", "f.fact_uid"),
}
"""How the rates may be sorted. fact_uid makes every order total, so that pages neither repeat nor skip a row."""


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
    group_area: Annotated[
        str | None,
        described(
            "Where the provider group practices, as far as it is known: Medicare's contractor, payment locality, wage "
            "area, and rural or urban, joined by slashes; null if nothing is known, or the state's mean is asked for.",
            "10212/01/12054/urban",
        ),
    ]
    additional_information: Annotated[str | None, stored(FACT_RATE, "additional_information", None)]
    source: Annotated[str | None, stored(DIM_BATCH, "source", "2025-08_example_in-network.json.gz")]


def count_rates(db: Snapshot, market: Market) -> int:
    """Return the number of rates."""
    facts, parameters = rates_of_market(db, market)
    ((found,),) = db.rows(f"SELECT count(*) FROM {facts}", parameters)
    return int(found)


def count_market(db: Snapshot, market: Market) -> RateCounts:
    """Return the numbers of rates, provider groups, distinct NPIs and payers."""
    without_pos = 0
    if market.pos:
        anywhere, parameters = counted_rates(db, market.without("pos"))
        ((without_pos,),) = db.rows(
            f"""SELECT coalesce(sum(rate_count), 0)::BIGINT FROM {anywhere}
                WHERE pos_set_id IN (SELECT pos_set_id FROM dim_pos_set WHERE len(service_codes) = 0)""",
            parameters,
        )
    facts, parameters = rates_of_market(db, market)
    # The list of groups is one row to the planner, which then looks for the market's few groups among the many
    # members. With a join of groups and members, it hashes the members: 50 ms rather than 25.
    return read_row(
        db,
        RateCounts,
        f"""WITH found AS MATERIALIZED (
                SELECT count(*) AS rates, list(DISTINCT f.pg_uid) AS group_list,
                       count(DISTINCT f.reporting_entity_name) AS payers
                FROM {facts} f),
            asked AS MATERIALIZED (SELECT unnest(group_list) AS pg_uid FROM found)
            SELECT rates, coalesce(len(group_list), 0) AS groups, payers,
                   (SELECT count(DISTINCT npi) FROM xref_group_npi
                    WHERE year_month = $year_month AND pg_uid IN (SELECT pg_uid FROM asked)) AS npis,
                   $without_pos::BIGINT AS without_pos
            FROM found""",
        {**parameters, "year_month": market.year_month, "without_pos": without_pos},
    )


def summarize_rates(db: Snapshot, market: Market) -> list[Summary]:
    """Return the distribution of the rates of each kind, payer, class and modifier."""
    market_rates, parameters = counted_rates(db, market)
    return read_rows(
        db,
        Summary,
        f"""SELECT * EXCLUDE (percentiles), {percentile_columns("percentiles", FIVE_PERCENTILES)},
                   payer_slug(reporting_entity_name) AS payer_slug
            FROM (SELECT rate_kind(f.negotiated_type, f.negotiation_arrangement) AS kind, f.reporting_entity_name,
                         f.billing_class, f.billing_code_modifier AS modifier,
                         count(*) AS rates, min(negotiated_rate) AS lowest,
                         {percentile_list("negotiated_rate")} AS percentiles,
                         max(negotiated_rate) AS highest, {mean("negotiated_rate")} AS mean
                  FROM (SELECT *, unnest(range(rate_count)) FROM {market_rates}) f GROUP BY ALL)
            ORDER BY kind, reporting_entity_name, billing_class, modifier""",
        parameters,
    )


def list_rates(
    db: Snapshot, market: Market, order: str, limit: int, offset: int, last: RowKey | None = None
) -> list[RateRow]:
    """Return at most `limit` rates in one of ORDERS: those from `offset` on, or those after the row with key `last`."""
    condition, key = rows_after(ORDERS[order], last)
    sql, parameters = _rates_sql(db, market, order, condition)
    return read_rows(db, RateRow, sql, {**parameters, **key, "limit": limit, "offset": offset})


def stream_rates(db: Snapshot, market: Market, order: str, limit: int, seconds: float) -> Iterator[RateRow]:
    """Yield at most `limit` rates, read as they are needed. Stop with QueryTimeout after `seconds`."""
    sql, parameters = _rates_sql(db, market, order)
    with db.cursor(seconds) as cursor:
        cursor.execute(sql, {**parameters, "limit": limit, "offset": 0})
        yield from stream_rows(cursor, RateRow)


def _rates_sql(db: Snapshot, market: Market, order: str, condition: str = "true") -> tuple[str, dict[str, Any]]:
    facts, parameters = rates_of_market(db, market)
    # The page's rows are chosen first. Names and members are looked up for those rows alone.
    sorting = order_by(ORDERS[order])
    group_area, group_areas = "NULL::VARCHAR", ""
    if uses_own_areas(db, market):
        group_area = "a.area"
        group_areas = f"LEFT JOIN {DIM_GROUP_AREA.name} a ON a.pg_uid = f.pg_uid AND a.year_month = $year_month"
    sql = f"""
        WITH picked AS (
            SELECT * FROM {facts} f WHERE {condition}
            ORDER BY {sorting} LIMIT $limit OFFSET $offset),
        npis AS (
            SELECT pg_uid, count(*) AS npis FROM xref_group_npi
            WHERE year_month = $year_month AND pg_uid IN (SELECT pg_uid FROM picked) GROUP BY pg_uid),
        tins AS (
            SELECT pg_uid, count(*) AS tins, min(tin_value) AS one_tin, min_by(shown_name, tin_value) AS one_name
            FROM xref_group_tin LEFT JOIN named_tin USING (tin_type, tin_value)
            WHERE year_month = $year_month AND pg_uid IN (SELECT pg_uid FROM picked) GROUP BY pg_uid)
        SELECT fact_uid, rate_kind(negotiated_type, negotiation_arrangement) AS kind, f.reporting_entity_name,
               payer_slug(f.reporting_entity_name) AS payer_slug, negotiated_rate, negotiated_type,
               negotiation_arrangement, billing_class, setting, billing_code_modifier AS modifier,
               severity_of_illness, billing_code_type_version, pos_set_id,
               coalesce(service_codes, []) AS service_codes, expiration_date, f.pg_uid, f.provider_group_id_raw,
               coalesce(npis, 0) AS npis, coalesce(tins, 0) AS tins, one_tin, one_name,
               coalesce(network_names, []) AS networks, {group_area} AS group_area, additional_information, b.source
        FROM picked f
        LEFT JOIN dim_pos_set USING (pos_set_id)
        LEFT JOIN npis USING (pg_uid)
        LEFT JOIN tins USING (pg_uid)
        LEFT JOIN dim_provider_group g ON g.pg_uid = f.pg_uid AND g.year_month = $year_month
        LEFT JOIN dim_batch b ON b.batch_id = g.batch_id AND b.state = f.state
        {group_areas}
        ORDER BY {sorting}"""
    return sql, {**parameters, "year_month": market.year_month}
