"""The rates of one billing code."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any

from core.queries.comparison.left_out import counted_in_figures, marked_sql
from core.queries.likely_rates import (
    Beneficiaries,
    BillingSpecialty,
    Evidence,
    GroupUse,
    Services,
    SpecialtyShare,
    WeightedMedian,
    find_group_uses,
    weigh_rates,
)
from core.queries.market.market import Market
from core.queries.market.market_rates import (
    OF_PROVIDER_GROUP,
    facts_in_memory,
    groups_sql,
    rates_of_market,
    wants_own_areas,
)
from core.queries.rules.columns import (
    Arrangement,
    BillingClass,
    FactUid,
    FirstTin,
    FirstTinName,
    GroupCount,
    Highest,
    IsLeftOut,
    Lowest,
    Mean,
    Modifier,
    Month,
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
from core.queries.rules.group_name import first_named
from core.queries.rules.keyset import RowKey, ascending, descending, order_by, rows_after
from core.queries.rules.named_rows import read_row, read_rows, stream_rows
from core.queries.rules.percentiles import FIVE_PERCENTILES, mean, percentile_columns, percentile_list
from core.store.connection import Snapshot
from core.store.market.market_months import in_months, month_parameters
from core.store.market_snapshot import MarketSnapshot
from core.store.schema.tables import (
    DIM_BATCH,
    DIM_GROUP_AREA,
    DIM_PROVIDER_GROUP,
    FACT_RATE,
    XREF_GROUP_NPI,
    XREF_GROUP_TIN,
)
from core.store.views import MARKET_FACT, NAMED_TIN

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
    year_month: Month
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
    weighted_p50: WeightedMedian
    services: Services


@dataclass(frozen=True)
class RateRow:
    """One negotiated rate, and what is known about its provider group."""

    fact_uid: FactUid
    kind: RateKind
    reporting_entity_name: PayerName
    payer_slug: PayerSlug
    year_month: Month
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
    evidence: Evidence
    medicare_services: Services
    medicare_beneficiaries: Beneficiaries
    specialty: BillingSpecialty
    specialty_share: SpecialtyShare
    additional_information: Annotated[str | None, stored(FACT_RATE, "additional_information", None)]
    source: Annotated[str | None, stored(DIM_BATCH, "source", "2025-08_example_in-network.json.gz")]
    batch_id: Annotated[str | None, stored(DIM_BATCH, "batch_id", "8f1d2c0a5b6e47d39c1f0e2a7b4d6c88")]
    plans: Annotated[int, described("Number of health plans that use the rate: its file is listed for them.", 12)]
    left_out: IsLeftOut


def count_rates(db: Snapshot, market: Market) -> int:
    """Return the number of rates."""
    facts, parameters = rates_of_market(db, market)
    ((found,),) = db.rows(f"SELECT count(*) FROM {facts}", parameters)
    return int(found)


def count_market(db: Snapshot, market: Market) -> RateCounts:
    """Return the numbers of rates, provider groups, distinct NPIs and payers."""
    with facts_in_memory(db, market) as memory:
        without_pos = 0
        if market.pos:
            anywhere, parameters = rates_of_market(memory, market.without("pos"))
            ((without_pos,),) = memory.rows(
                f"""SELECT count(*) FROM {anywhere}
                    WHERE pos_set_id IN (SELECT pos_set_id FROM dim_pos_set WHERE len(service_codes) = 0)""",
                parameters,
            )
        facts, parameters = rates_of_market(memory, market)
        memory.keep_table("market_group", groups_sql(facts), parameters)
        memory.show_rows_of(
            "group_npi", XREF_GROUP_NPI.name, "pg_uid", ["npi"], of="market_group", months=market.month_names
        )
        return read_row(
            memory,
            RateCounts,
            f"""SELECT (SELECT coalesce(sum(rates), 0)::BIGINT FROM market_group) AS rates,
                       (SELECT count(*) FROM market_group) AS groups,
                       (SELECT count(DISTINCT npi) FROM group_npi) AS npis,
                       (SELECT count(DISTINCT reporting_entity_name) FROM {facts}) AS payers,
                       {without_pos:d}::BIGINT AS without_pos""",
            parameters,
        )


def summarize_rates(db: Snapshot, market: Market) -> list[Summary]:
    """Return the distribution of the rates of each kind, payer, class and modifier, without those that figures leave
    out."""
    market_rates, parameters = counted_in_figures(db, market)
    found = read_rows(
        db,
        Summary,
        f"""SELECT * EXCLUDE (percentiles), {percentile_columns("percentiles", FIVE_PERCENTILES)},
                   payer_slug(reporting_entity_name) AS payer_slug,
                   NULL::DOUBLE AS weighted_p50, NULL::DOUBLE AS services
            FROM (SELECT rate_kind(f.negotiated_type, f.negotiation_arrangement) AS kind, f.reporting_entity_name,
                         f.billing_class, f.billing_code_modifier AS modifier,
                         max(f.year_month) AS year_month, count(*) AS rates, min(negotiated_rate) AS lowest,
                         {percentile_list("negotiated_rate")} AS percentiles,
                         max(negotiated_rate) AS highest, {mean("negotiated_rate")} AS mean
                  FROM (SELECT *, unnest(range(rate_count)) FROM {market_rates}) f GROUP BY ALL)
            ORDER BY kind, reporting_entity_name, billing_class, modifier""",
        parameters,
    )
    weighted = weigh_rates(db, market)
    return [
        replace(row, weighted_p50=spread.weighted_p50, services=spread.services)
        if (spread := weighted.get((row.kind, row.reporting_entity_name, row.billing_class, row.modifier)))
        else row
        for row in found
    ]


def list_rates(
    db: Snapshot, market: Market, order: str, limit: int, offset: int, last: RowKey | None = None
) -> list[RateRow]:
    """Return at most `limit` rates in one of ORDERS: those from `offset` on, or those after the row with key `last`."""
    with facts_in_memory(db, market) as memory:
        sql, parameters = _rates_sql(memory, market, order, limit, offset, last)
        rows = read_rows(memory, RateRow, sql, parameters)
        return list(_add_evidence(rows, find_group_uses(memory, market, {row.pg_uid for row in rows})))


def stream_rates(db: Snapshot, market: Market, order: str, limit: int, seconds: float) -> Iterator[RateRow]:
    """Yield at most `limit` rates, read as they are needed. Stop with QueryTimeout after `seconds`."""
    with facts_in_memory(db, market) as memory:
        # Before the rows are read: one connection answers one question at a time.
        uses = find_group_uses(memory, market)
        sql, parameters = _rates_sql(memory, market, order, limit, 0)
        with memory.cursor(seconds) as cursor:
            cursor.execute(sql, parameters)
            rows = stream_rows(cursor, RateRow)
            yield from (_add_evidence(rows, uses) if uses else rows)


def _add_evidence(rows: Iterable[RateRow], uses: Mapping[str, GroupUse]) -> Iterator[RateRow]:
    """Yield the rows with what their provider groups bill to Medicare."""
    return (
        replace(
            row,
            evidence=use.evidence,
            medicare_services=use.services,
            medicare_beneficiaries=use.beneficiaries,
            specialty=use.specialty,
            specialty_share=use.share,
        )
        if (use := uses.get(row.pg_uid))
        else row
        for row in rows
    )


_OF_GROUP = {
    XREF_GROUP_NPI.name: ["npi"],
    XREF_GROUP_TIN.name: ["tin_type", "tin_value"],
    DIM_PROVIDER_GROUP.name: OF_PROVIDER_GROUP,
    DIM_GROUP_AREA.name: ["area"],
}
"""What is looked up about the provider groups of rates: the tables, and their columns."""

_PAGE_ROWS = 1_000
"""How many rows are at most chosen first, so that what is known of their groups is looked up for them alone."""


_PLAN_COUNTS = "plan_count"
"""The table in memory of how many health plans each file is listed for."""


def _count_plans(db: Snapshot) -> Any:
    sql = """SELECT batch_id, count(DISTINCT (plan_id_type, plan_id, plan_market_type, plan_name)) AS plans
             FROM xref_batch_plan GROUP BY batch_id"""
    return db.arrow_rows(sql, {})


def _rates_sql(
    memory: MarketSnapshot, market: Market, order: str, limit: int, offset: int, last: RowKey | None = None
) -> tuple[str, dict[str, Any]]:
    sorting, (condition, key) = order_by(ORDERS[order]), rows_after(ORDERS[order], last)
    facts, parameters = rates_of_market(memory, market)
    parameters |= key
    chosen = f"ORDER BY {sorting} LIMIT {limit:d} OFFSET {offset:d}"
    if memory.code_values is not None and not offset and limit >= memory.count_shown(MARKET_FACT):
        chosen = ""  # all of them, which are sorted in the end
    picked = f"SELECT * FROM {facts} f WHERE {condition} {chosen}"
    marked = marked_sql(memory, market, "picked")
    known, tins = {name: f"of_{name}" for name in _OF_GROUP}, "of_named_tin"
    if memory.code_values is not None or limit <= _PAGE_ROWS:
        of = MARKET_FACT
        if limit <= _PAGE_ROWS:
            of = "picked_rate"
            memory.show_table(of, picked, parameters)
            picked, parameters = f"SELECT * FROM {of}", {}
        for name, columns in _OF_GROUP.items():
            memory.show_rows_of(known[name], name, "pg_uid", columns, of=of, months=market.month_names)
        found, of_tin = known[XREF_GROUP_TIN.name], ["tin_type", "shown_name"]
        memory.show_rows_of(tins, NAMED_TIN, "tin_value", of_tin, of=found)
    else:
        in_groups = f"{in_months('year_month', market.months_sql)} AND pg_uid IN (SELECT pg_uid FROM picked)"
        known = {name: f"(SELECT * FROM {name} WHERE {in_groups})" for name in _OF_GROUP}
        tins, parameters = NAMED_TIN, {**parameters, **month_parameters(market.months)}
    memory.shown.add(_PLAN_COUNTS, memory.ask_once(_count_plans))
    group_area, group_areas = "NULL::VARCHAR", ""
    if wants_own_areas(memory, market):
        group_area, group_areas = "a.area", f"LEFT JOIN {known[DIM_GROUP_AREA.name]} a USING (pg_uid)"
    sql = f"""
        WITH picked AS ({picked}),
        npis AS (SELECT pg_uid, count(*) AS npis FROM {known[XREF_GROUP_NPI.name]} GROUP BY pg_uid),
        tins AS (
            SELECT pg_uid, count(*) AS tins, {first_named("tin_value")} AS one_tin,
                   {first_named("shown_name")} AS one_name
            FROM {known[XREF_GROUP_TIN.name]} LEFT JOIN {tins} USING (tin_type, tin_value) GROUP BY pg_uid)
        SELECT fact_uid, rate_kind(negotiated_type, negotiation_arrangement) AS kind, f.reporting_entity_name,
               payer_slug(f.reporting_entity_name) AS payer_slug, f.year_month, negotiated_rate, negotiated_type,
               negotiation_arrangement, billing_class, setting, billing_code_modifier AS modifier,
               severity_of_illness, billing_code_type_version, pos_set_id,
               coalesce(service_codes, []) AS service_codes, expiration_date, f.pg_uid, f.provider_group_id_raw,
               coalesce(npis, 0) AS npis, coalesce(tins, 0) AS tins, one_tin, one_name,
               coalesce(network_names, []) AS networks, {group_area} AS group_area, additional_information, b.source,
               NULL::VARCHAR AS evidence, NULL::DOUBLE AS medicare_services, NULL::BIGINT AS medicare_beneficiaries,
               NULL::VARCHAR AS specialty, NULL::DOUBLE AS specialty_share,
               g.batch_id, coalesce(plans, 0) AS plans, left_out
        FROM ({marked}) f
        LEFT JOIN dim_pos_set USING (pos_set_id)
        LEFT JOIN npis USING (pg_uid)
        LEFT JOIN tins USING (pg_uid)
        LEFT JOIN {known[DIM_PROVIDER_GROUP.name]} g USING (pg_uid)
        LEFT JOIN dim_batch b ON b.batch_id = g.batch_id AND b.state = f.state
        LEFT JOIN {_PLAN_COUNTS} listed ON listed.batch_id = g.batch_id
        {group_areas}
        ORDER BY {sorting}"""
    return sql, parameters
