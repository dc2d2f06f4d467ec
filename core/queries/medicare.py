"""Negotiated rates against the Medicare physician fee schedule: a percent, or the reason why there is none."""

from dataclasses import dataclass

from core.queries.market import Market
from core.store.connection import Snapshot

REASONS = {
    "percentage": "A percentage of the charge is no amount of dollars.",
    "per diem": "A per diem pays for a day, the fee schedule for a service.",
    "bundle": "A bundle pays for several services together.",
    "capitation": "Capitation pays for a member, not for a service.",
    "other": "The file does not say what the figure is.",
    "institutional": "A facility's own rate: Medicare pays it under OPPS, ASC or by DRG, not by this schedule.",
    "modifier not priced": "The schedule has no amount for this modifier.",
    "benchmark not loaded": "No physician fee schedule is loaded for this state and month.",
    "not in the schedule": "The schedule does not price this code.",
    "not paid in this setting": "The schedule prices the code, but not where the service is rendered.",
}
"""Why a rate has no percent of Medicare; each rate has a percent or one of these."""

ORDERS = {
    "percent": "percent NULLS LAST, negotiated_rate, fact_uid",
    "-percent": "percent DESC NULLS LAST, negotiated_rate, fact_uid",
    "rate": "negotiated_rate, fact_uid",
    "-rate": "negotiated_rate DESC, fact_uid",
}


@dataclass(frozen=True)
class Comparison:
    """One rate against the amount of its basis, or the reason why there is none. A percent of 1 is 100 %."""

    fact_uid: str
    reporting_entity_name: str
    payer_slug: str
    code_type: str
    code: str
    billing_class: str | None
    modifier: str
    places: str
    kind: str
    negotiated_rate: float
    provider_group_id_raw: str
    basis: str | None
    medicare: float | None
    release: str | None
    percent: float | None
    reason: str | None


@dataclass(frozen=True)
class Spread:
    """The percents of one payer."""

    reporting_entity_name: str
    payer_slug: str
    rates: int
    p10: float
    p25: float
    p50: float
    p75: float
    p90: float


def comparisons(db: Snapshot, market: Market, order: str, limit: int, offset: int) -> list[Comparison]:
    """The rates from `offset` on, at most `limit`, in one of ORDERS."""
    rows = db.rows(
        f"""{_compared(market)}
            SELECT fact_uid, reporting_entity_name, payer_slug(reporting_entity_name), code_type, code, billing_class,
                   billing_code_modifier, places, kind, negotiated_rate, provider_group_id_raw,
                   basis, medicare, release, percent, reason
            FROM compared ORDER BY {ORDERS[order]} LIMIT $limit OFFSET $offset""",
        {**market.parameters, "limit": limit, "offset": offset},
    )
    return [Comparison(*row) for row in rows]


def outcomes(db: Snapshot, market: Market) -> tuple[int, dict[str, int]]:
    """How many rates there are, and how many have no percent, by reason."""
    rows = db.rows(
        f"{_compared(market)} SELECT reason, count(*) FROM compared GROUP BY ALL ORDER BY 2 DESC, 1",
        market.parameters,
    )
    return sum(row[1] for row in rows), {row[0]: row[1] for row in rows if row[0] is not None}


def spreads(db: Snapshot, market: Market) -> list[Spread]:
    """The percents by payer, each rate counted once."""
    rows = db.rows(
        f"""{_compared(market)}
            SELECT reporting_entity_name, payer_slug(reporting_entity_name), count(*),
                   quantile_cont(percent, [0.1, 0.25, 0.5, 0.75, 0.9])
            FROM compared WHERE percent IS NOT NULL GROUP BY ALL ORDER BY 1""",
        market.parameters,
    )
    return [Spread(*row[:3], *row[3]) for row in rows]


def _compared(market: Market) -> str:
    # CPT is level I of HCPCS: payers label the same code either way, and the schedule's codes are unique in both.
    code = "AND code = $code" if market.code else ""
    return f"""
        WITH schedule AS (
            SELECT * FROM bench_medicare_prof WHERE state = $state AND year_month = $year_month {code}),
        priced AS (
            SELECT f.*, rate_kind(f.negotiated_type, f.negotiation_arrangement) AS kind,
                   coalesce(place_setting(p.service_codes), 'unstated') AS places,
                   coalesce(places = 'facility', false) AS facility,
                   b.code IS NOT NULL AS listed, b.release,
                   CASE f.billing_code_modifier
                       WHEN '' THEN if(facility, b.facility_rate, b.medicare_prof_rate)
                       WHEN '26' THEN if(facility, b.facility_rate_26, b.nonfacility_rate_26)
                       WHEN 'TC' THEN if(facility, b.facility_rate_tc, b.nonfacility_rate_tc)
                       WHEN '53' THEN if(facility, b.facility_rate_53, b.nonfacility_rate_53)
                   END AS amount
            FROM fact_rate f
            LEFT JOIN dim_pos_set p ON p.pos_set_id = f.pos_set_id
            LEFT JOIN schedule b ON b.code = f.code AND f.code_type IN ('CPT', 'HCPCS')
            WHERE {market.where}),
        reasoned AS (
            SELECT *, CASE
                WHEN kind <> 'dollars' THEN kind
                WHEN billing_class IS DISTINCT FROM 'professional' THEN 'institutional'
                WHEN NOT EXISTS (FROM bench_medicare_prof WHERE state = $state AND year_month = $year_month)
                    THEN 'benchmark not loaded'
                WHEN NOT listed THEN 'not in the schedule'
                WHEN billing_code_modifier NOT IN ('', '26', 'TC', '53') THEN 'modifier not priced'
                WHEN amount IS NULL AND billing_code_modifier <> '' THEN 'modifier not priced'
                WHEN amount IS NULL THEN 'not paid in this setting'
                END AS reason
            FROM priced),
        compared AS (
            SELECT *, CASE WHEN reason IS NULL THEN amount END AS medicare,
                   CASE WHEN reason IS NULL THEN negotiated_rate / amount END AS percent,
                   CASE WHEN reason IS NULL THEN
                       'MPFS ' || if(facility, 'facility', 'non-facility')
                       || if(billing_code_modifier = '', '', ', modifier ' || billing_code_modifier) END AS basis
            FROM reasoned)"""
