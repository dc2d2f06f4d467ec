"""The rules that compare a rate with Medicare: one basis and a percent, or one reason why there is none.

Professional rates are compared with the physician fee schedule (MPFS), and institutional rates with the outpatient
(OPPS) or surgical center (ASC) prices, depending on where the service is rendered. These rules have no other copy.
"""

LEAST_PLAUSIBLE, MOST_PLAUSIBLE = 0.5, 30.0
"""A rate in dollars is plausible from 0.5 to 30 times Medicare, both included: the range that the trade uses."""

PLAUSIBLE_SQL = f"percent BETWEEN {LEAST_PLAUSIBLE} AND {MOST_PLAUSIBLE}"
"""Whether the column `percent` is plausible; null where it is null."""


def is_plausible(percent: float) -> bool:
    """Return whether a percent of Medicare (1 is 100%) is plausible: PLAUSIBLE_SQL for a value in Python."""
    return LEAST_PLAUSIBLE <= percent <= MOST_PLAUSIBLE


REASONS = {
    "percentage": "A percentage of the billed charge is not an amount in dollars.",
    "per diem": "A per diem pays for a day, Medicare's schedules for a service.",
    "bundle": "A bundle pays for several services together.",
    "capitation": "Capitation pays for a member, not for a service.",
    "other": "The file does not say what the figure is.",
    "zero rate": "A rate of zero: a payer's way to say that it has no rate.",
    "class not stated": "The file does not say whether the rate is professional or institutional, or says both.",
    "inpatient": "An inpatient rate: Medicare pays by the case, not by the service.",
    "other place": "An institutional rate for places where Medicare has neither outpatient nor surgery center prices.",
    "other code system": "Medicare's schedules price CPT and HCPCS codes; this code belongs to another system.",
    "benchmark not loaded": "No schedule in effect in this month is loaded for this state.",
    "code not found": "The schedule does not list this code.",
    "packaged": "Medicare pays for this within another service.",
    "anesthesia": "Medicare pays anesthesia by base units and time, and the file does not say what its rate is for.",
    "not priced": "The schedule lists the code without a price: not covered, or paid in another way.",
    "modifier not priced": "The schedule has no amount for this modifier.",
    "not paid in this setting": "The schedule prices the code, but not where the service is rendered.",
}
"""Why a rate has no percent of Medicare. Every rate has a percent or one of these reasons."""


def compared_sql(where: str, facts: str = "fact_rate") -> str:
    """Return a WITH clause that ends in `compared`: the `facts` (AS f) that meet `where`, each with its outcome.

    Columns besides the fact's: kind, places, pays (the schedule), basis, detail, medicare (dollars), percent (1 is
    100%), plausible, release and in_force (the month of the schedule's row), wcfs (workers' compensation, dollars),
    and reason, one of REASONS, where there is no percent.

    The steps: `picked` finds each rate's kind, places and schedule. `periods` finds the release that is in force in
    each state and month, and `schedule` reads its amounts of the codes picked. `priced` joins them and
    chooses the facility or the non-facility amount (`AS facility`). `reasoned` takes the first reason that applies, and
    `compared` keeps the amount of the rates that have no reason.
    """
    return f"""
        WITH sets AS (SELECT pos_set_id, service_codes, place_setting(service_codes) AS places FROM dim_pos_set),
        picked AS (
            SELECT f.*, rate_kind(f.negotiated_type, f.negotiation_arrangement) AS kind,
                   coalesce(p.places, 'unstated') AS places,
                   CASE f.billing_class
                       WHEN 'professional' THEN 'medicare_prof'
                       WHEN 'institutional'
                           THEN institutional_schedule(coalesce(p.service_codes, []), f.setting, f.code_type)
                       ELSE 'class not stated' END AS pays,
                   CASE WHEN f.code_type IN ('CPT', 'HCPCS') THEN f.code END AS hcpcs
            FROM {facts} f LEFT JOIN sets p ON p.pos_set_id = f.pos_set_id
            WHERE {where}),
        periods AS (
            SELECT p.state, p.year_month, b.kind AS pays, max(b.release) AS release,
                   least(p.year_month, left(max(b.release), 4) || '-12') AS in_force,
                   arg_max(list_contains(b.states, p.state), b.release) AS has_state
            FROM (SELECT DISTINCT state, year_month FROM picked) p
            JOIN dim_benchmark b ON b.state IN ('US', p.state) AND b.release <= p.year_month
            GROUP BY p.state, p.year_month, b.kind),
        codes AS (SELECT DISTINCT hcpcs AS code FROM picked),
        schedule AS (
            {" UNION ALL BY NAME ".join(_prices(table, columns) for table, columns in _TABLES.items())}),
        priced AS (
            SELECT f.*, t.release, t.in_force, coalesce(t.has_state, false) AS loaded, s.code IS NOT NULL AS listed,
                   s.reason AS why_none, s.detail,
                   CASE f.pays WHEN 'opps' THEN w.outpatient WHEN 'asc' THEN w.surgical
                       ELSE if(f.places = 'facility', coalesce(w.in_facility, w.amount), w.amount) END AS wcfs,
                   CASE f.billing_code_modifier WHEN '' THEN s.amount WHEN '26' THEN s.nonfacility_26
                       WHEN 'TC' THEN s.nonfacility_tc WHEN '53' THEN s.nonfacility_53 END AS outside,
                   CASE f.billing_code_modifier WHEN '' THEN s.in_facility WHEN '26' THEN s.facility_26
                       WHEN 'TC' THEN s.facility_tc WHEN '53' THEN s.facility_53 END AS inside,
                   -- A set that is not all facilities takes the non-facility amount, where there is one.
                   f.pays = 'medicare_prof' AND (places = 'facility' OR (
                       places IN ('mixed', 'unstated') AND outside IS NULL AND inside IS NOT NULL)) AS facility,
                   if(facility, inside, outside) AS amount,
                   if(facility, s.facility_na, s.nonfacility_na) AS is_na
            FROM picked f
            LEFT JOIN periods t ON t.state = f.state AND t.year_month = f.year_month AND t.pays = f.pays
            LEFT JOIN schedule s ON s.state = f.state AND s.year_month = f.year_month AND s.pays = f.pays
                AND s.code = f.hcpcs
            LEFT JOIN schedule w ON w.state = f.state AND w.year_month = f.year_month AND w.pays = 'wcfs'
                AND w.code = CASE WHEN f.pays IN ('medicare_prof', 'opps', 'asc') AND f.billing_code_modifier = ''
                    THEN f.hcpcs END),
        reasoned AS (
            SELECT *, CASE
                WHEN kind <> 'dollars' THEN kind
                WHEN negotiated_rate = 0 THEN 'zero rate'
                WHEN pays IN ('class not stated', 'inpatient', 'other place') THEN pays
                WHEN hcpcs IS NULL THEN 'other code system'
                WHEN NOT loaded THEN 'benchmark not loaded'
                WHEN NOT listed THEN 'code not found'
                WHEN why_none IS NOT NULL THEN why_none
                WHEN amount IS NOT NULL THEN NULL
                WHEN billing_code_modifier <> '' THEN 'modifier not priced'
                WHEN is_na THEN 'not paid in this setting'
                ELSE 'not priced' END AS reason
            FROM priced),
        compared AS (
            SELECT * EXCLUDE (release, in_force, detail),
                   CASE WHEN reason IS NULL THEN release END AS release,
                   CASE WHEN reason IS NULL THEN in_force END AS in_force,
                   CASE WHEN reason IS NULL THEN detail END AS detail,
                   CASE WHEN reason IS NULL THEN amount END AS medicare,
                   negotiated_rate / medicare AS percent,
                   {PLAUSIBLE_SQL} AS plausible,
                   CASE WHEN reason IS NOT NULL THEN NULL WHEN pays <> 'medicare_prof' THEN upper(pays)
                       ELSE 'MPFS ' || if(facility, 'facility', 'non-facility')
                       || if(billing_code_modifier = '', '', ', modifier ' || billing_code_modifier) END AS basis
            FROM reasoned)"""


_TERM_COLUMNS = (
    "state", "year_month", "code_type", "code", "billing_class", "setting", "billing_code_modifier", "pos_set_id",
    "negotiated_type", "negotiation_arrangement",
)  # fmt: skip
"""The fact's columns that decide which amount it is compared with."""

TERMS = ", ".join(_TERM_COLUMNS)

SAME_TERMS = " AND ".join(
    ["(f.negotiated_rate = 0) = c.zero", *(f"f.{name} IS NOT DISTINCT FROM c.{name}" for name in _TERM_COLUMNS)]
)
"""Whether a fact AS f has the terms of a row of `compared` AS c, see compared_terms_sql."""


def compared_terms_sql(facts: str, count: str = "count(*)") -> str:
    """Return a WITH clause whose `compared` has one row for all of the `facts` with the same terms.

    `rate_count` says how many rates a row stands for; `count` counts them. Which amount a rate is compared with depends
    on its terms, not on how much it is, except for zero: 60 rows are compared rather than 83,000
    (docs/decisions/0031). The row's own percent is that of any one of its rates.
    """
    terms = f"""(SELECT {TERMS}, negotiated_rate = 0 AS zero, max(negotiated_rate) AS negotiated_rate,
                        {count} AS rate_count
                 FROM {facts} GROUP BY ALL)"""
    return compared_sql("true", terms)


_TABLES = {
    "medicare_prof": """medicare_prof_rate AS amount, facility_rate AS in_facility,
        nonfacility_rate_26 AS nonfacility_26, facility_rate_26 AS facility_26,
        nonfacility_rate_tc AS nonfacility_tc, facility_rate_tc AS facility_tc,
        nonfacility_rate_53 AS nonfacility_53, facility_rate_53 AS facility_53,
        nonfacility_na, facility_na, reason, 'status ' || status AS detail""",
    "opps": "opps_mar_stateavg AS amount, reason, 'status ' || opps_si || coalesce(', APC ' || opps_apc, '') AS detail",
    "asc": "asc_mar_stateavg AS amount, reason, 'indicator ' || asc_pi AS detail",
    "wcfs": """wcfs_amount AS amount, facility_amount AS in_facility, outpatient_amount AS outpatient,
        asc_amount AS surgical""",
}


def _prices(kind: str, columns: str) -> str:
    """Return SQL of a schedule's rows of the codes picked, from the release in force in each of the facts' months."""
    return f"""(SELECT t.pays, b.state, t.year_month, b.code, {columns}
                FROM bench_{kind} b JOIN periods t
                    ON t.pays = '{kind}' AND b.state = t.state AND b.year_month = t.in_force
                WHERE b.code_type IN ('CPT', 'HCPCS') AND b.code IN (SELECT code FROM codes)
                -- A code may be listed as CPT and as HCPCS. One row keeps each rate one rate.
                QUALIFY row_number() OVER (PARTITION BY b.state, t.year_month, b.code ORDER BY b.code_type) = 1)"""
