"""The rules that compare a rate with a state's workers' compensation schedule: one amount, or one reason for none.

The place rule, the modifiers that count, and the kind of the rate are those of the comparison with Medicare
(compared_rates.py), whose queries these follow. The schedule's columns are chosen by who is paid: a professional, a
hospital's outpatient department, or a surgical center.
"""

from core.queries.rules.modifiers import RENTAL_OR_PURCHASE

COMPENSATION_REASONS = {
    "percentage": "A percentage of the billed charge is not an amount in dollars.",
    "per diem": "A per diem pays for a day, the schedule for a service.",
    "bundle": "A bundle pays for several services together.",
    "capitation": "Capitation pays for a member, not for a service.",
    "other": "The file does not say what the figure is.",
    "zero rate": "The rate is zero: payers write zero when they have no rate.",
    "class not stated": "The file does not say whether the rate is professional or institutional, or says both.",
    "inpatient": "An inpatient rate for a service: the schedule pays hospitals by the case (MS-DRG), if at all.",
    "other place": "An institutional rate for places where the schedule pays neither hospitals nor surgical centers.",
    "benchmark not loaded": "No schedule of the state in effect in this month is available.",
    "other code system": "The schedule prices CPT and HCPCS codes and MS-DRGs; this code belongs to another system.",
    "code not found": "The schedule does not list the code.",
    "modifier not priced": "The schedule has no amount for this modifier, or for the code without one.",
    "unit not stated": "Equipment has separate amounts for rent, a new item, and a used one. The rate does not say "
    "which.",
    "by report": "The schedule pays for this by report, case by case.",
    "anesthesia": "The schedule counts base units, to which time is added, and the file does not say what its rate is "
    "for.",
    "not paid in this setting": "The schedule prices the code, but not where the service is rendered.",
    "not priced": "The schedule lists the code without an amount.",
}
"""Why a rate has no percent of the schedule. Every rate has a percent or one of these reasons."""

COMPENSATION_OUTCOME = ("wcfs", "wcfs_basis", "wcfs_release", "wcfs_reason")
"""Columns of `compensated`: the amount in dollars, which of the schedule's amounts it is, from which release, and one
of COMPENSATION_REASONS where there is no amount."""

_CASE_SYSTEM = "MS-DRG"
_COLUMNS = ("wcfs_amount", "facility_amount", "outpatient_amount", "asc_amount", "base_units", "wcfs_status")
_OWN_TITLES = {
    "opps": "hospital outpatient",
    "asc": "surgical center",
    "inpatient": "hospital inpatient",
}


_BEFORE_THE_SCHEDULE = f"""
                       WHEN kind <> 'dollars' THEN kind
                       WHEN size = 'zero' THEN 'zero rate'
                       WHEN own NOT IN ('medicare_prof', 'opps', 'asc', 'inpatient') THEN own
                       WHEN own = 'inpatient' AND code_system <> '{_CASE_SYSTEM}' THEN own"""
"""Reasons that do not depend on the schedule, as WHEN clauses."""


COMPENSATION_TABLES = ("bench_wcfs", "bench_wcfs_modifier")
"""The tables of the schedule: a row for each code, and one for each code and modifier."""


def kept_name(table: str) -> str:
    """Return the name of the table in memory with those rows of a schedule's table that a market needs."""
    return f"kept_{table}"


def compensated_sql(*, may_be_loaded: bool = True, is_kept: bool = False) -> str:
    """Return the queries of a WITH clause that end in `compensated`: COMPENSATION_OUTCOME by `term`.

    They follow `picked`, `periods` and `codes` of compared_rates.py. `compensation` has what the release in force
    says of each code, a list with a line for each modifier. `weighed` chooses the line and the amount for each
    rate. Where no schedule can be loaded, nothing is looked up. With `is_kept`, the rows of the codes are in memory,
    see kept_name.
    """
    if not may_be_loaded:
        return f"""compensated AS (
            SELECT term, CASE {_BEFORE_THE_SCHEDULE} ELSE 'benchmark not loaded' END AS wcfs_reason,
                   NULL::DOUBLE AS wcfs, NULL::VARCHAR AS wcfs_release, NULL::VARCHAR AS wcfs_basis
            FROM picked)"""
    line = ", ".join(f"'{name}': b.{name}" for name in _COLUMNS)
    codes, modifiers = (kept_name(name) if is_kept else name for name in COMPENSATION_TABLES)
    return f"""
        compensation_lines AS (
            SELECT t.state, t.year_month, b.code_type, b.code, {{'modifier': '', {line}}} AS line
            FROM {codes} b
            JOIN periods t ON t.schedule = 'wcfs' AND b.state = t.state AND b.year_month = t.in_force
            WHERE b.code IN (SELECT code FROM codes) AND b.wcfs_status IS DISTINCT FROM 'modifiers only'
            UNION ALL
            SELECT t.state, t.year_month, b.code_type, b.code, {{'modifier': b.modifier, {line}}}
            FROM {modifiers} b
            JOIN periods t ON t.schedule = 'wcfs' AND b.state = t.state AND b.release = t.release
            WHERE b.code IN (SELECT code FROM codes)),
        compensation AS (
            -- A code may be listed as CPT and as HCPCS: the line of the CPT row is first.
            SELECT state, year_month, if(code_type = 'CPT', 'HCPCS', code_type) AS code_system, code,
                   list(line ORDER BY code_type) AS lines
            FROM compensation_lines GROUP BY ALL),
        weighed AS (
            SELECT p.term, p.kind, p.size, p.own, p.places, p.code_system, p.modifier, t.release,
                   coalesce(t.loaded, false) AS loaded, w.lines, {_line("p.modifier")} AS line,
                   p.mostly_facility AND p.modifier <> 'TC' AND (line).facility_amount IS NOT NULL
                       OR (line).wcfs_amount IS NULL AND (line).facility_amount IS NOT NULL AS facility,
                   -- A state may list what hospitals and surgical centers are paid for a scan beside its technical
                   -- part. It is theirs whether or not the rate has the modifier.
                   if(p.modifier IN ('', 'TC'), [{_line("''")}, {_line("'TC'")}], [line]) AS facility_lines,
                   CASE p.own
                       WHEN 'medicare_prof' THEN if(facility, (line).facility_amount, (line).wcfs_amount)
                       WHEN 'opps' THEN {_first("outpatient_amount")}
                       WHEN 'asc' THEN {_first("asc_amount")}
                       WHEN 'inpatient' THEN if(p.code_system = '{_CASE_SYSTEM}', (line).wcfs_amount, NULL)
                       END AS amount
            FROM picked p
            LEFT JOIN periods t ON t.schedule = 'wcfs' AND t.state = p.state AND t.year_month = p.year_month
            LEFT JOIN compensation w ON w.state = p.state AND w.year_month = p.year_month AND w.code = p.listed_as
                AND w.code_system = p.code_system),
        compensated AS (
            SELECT term, CASE {_BEFORE_THE_SCHEDULE}
                       WHEN NOT loaded THEN 'benchmark not loaded'
                       WHEN code_system NOT IN ('HCPCS', '{_CASE_SYSTEM}') THEN 'other code system'
                       WHEN lines IS NULL THEN 'code not found'
                       -- As for Medicare: in a facility, the technical part is paid to the facility.
                       WHEN line IS NOT NULL AND modifier = 'TC' AND places = 'facility' AND own = 'medicare_prof'
                           THEN 'not paid in this setting'
                       WHEN amount IS NOT NULL THEN NULL
                       WHEN line IS NULL AND modifier = '' AND {_HAS_RENTAL} THEN 'unit not stated'
                       WHEN line IS NULL THEN 'modifier not priced'
                       WHEN line.wcfs_status = 'by report' AND own IN ('medicare_prof', 'inpatient') THEN 'by report'
                       WHEN line.base_units IS NOT NULL THEN 'anesthesia'
                       WHEN coalesce(line.wcfs_amount, line.facility_amount, line.outpatient_amount, line.asc_amount)
                           IS NOT NULL THEN 'not paid in this setting'
                       WHEN line.wcfs_status = 'by report' THEN 'by report'
                       ELSE 'not priced' END AS wcfs_reason,
                   if(wcfs_reason IS NULL, amount, NULL) AS wcfs,
                   if(wcfs_reason IS NULL, release, NULL) AS wcfs_release,
                   if(wcfs_reason IS NULL, {_basis()}, NULL) AS wcfs_basis
            FROM weighed)"""


_HAS_RENTAL = f"len(list_filter(lines, lambda one: one.modifier IN {RENTAL_OR_PURCHASE})) > 0"


def _line(modifier: str) -> str:
    """Return SQL of a code's line for a modifier."""
    return f"list_filter(w.lines, lambda one: one.modifier = {modifier})[1]"


def _first(column: str) -> str:
    """Return SQL of the first amount in that column of the lines of a hospital or a surgical center."""
    return f"list_filter(list_transform(facility_lines, lambda one: one.{column}), lambda one: one IS NOT NULL)[1]"


def _basis() -> str:
    titles = " ".join(f"WHEN '{own}' THEN '{title}'" for own, title in _OWN_TITLES.items())
    return f"""CASE own {titles} ELSE if(facility, 'professional, in a facility', 'professional') END
        || if(modifier = '', '', ', modifier ' || modifier)"""
