"""What kind of figure a rate is, and where the service is rendered: DuckDB macros that several queries share."""

from dataclasses import dataclass

FACILITY_PLACES = (
    "02", "19", "21", "22", "23", "24", "26", "31", "34", "41", "42", "51", "52", "53", "56", "61",
)  # fmt: skip
"""Places of service where Medicare pays the facility amount. Source: CMS, Medicare Claims Processing Manual, ch. 26."""


INPATIENT_PLACES = ("21", "51", "61")
OUTPATIENT_PLACES = ("19", "22", "23", "CSTM-00")
SURGICAL_CENTER = "24"
CASES = ("MS-DRG", "R-DRG", "S-DRG", "APS-DRG", "AP-DRG", "APR-DRG", "DRG")
"""Code systems of inpatient cases."""


@dataclass(frozen=True)
class Kind:
    """A kind of figure. A mean or percentile has figures of one kind only."""

    name: str
    title: str
    unit: str
    meaning: str


KINDS = {
    kind.name: kind
    for kind in (
        Kind("dollars", "Dollars", "$", "One service, paid in dollars: negotiated, derived, or by fee schedule."),
        Kind("percentage", "Percentages", "%", "A share of the billed charge. 40.5 means 40.5%."),
        Kind("per diem", "Per diems", "$ per day", "Dollars for each day of a stay."),
        Kind("bundle", "Bundles", "$ per bundle", "Dollars for several services together."),
        Kind("capitation", "Capitation", "$ per member", "Dollars per member, whatever services are used."),
        Kind("other", "Not stated", "?", "The file does not say what the figure is."),
    )
}

MACROS = (
    # A figure counts as dollars for one service only if the file says so.
    """CREATE MACRO rate_kind(negotiated_type, negotiation_arrangement) AS CASE
           WHEN negotiated_type = 'percentage' THEN 'percentage'
           WHEN negotiated_type = 'per diem' THEN 'per diem'
           WHEN negotiation_arrangement IN ('bundle', 'capitation') THEN negotiation_arrangement
           WHEN negotiation_arrangement = 'ffs' AND negotiated_type IN ('negotiated', 'derived', 'fee schedule')
               THEN 'dollars'
           ELSE 'other' END""",
    f"""CREATE MACRO place_setting(service_codes) AS CASE
            WHEN len(service_codes) = 0 THEN 'unstated'
            WHEN len(list_filter(service_codes, lambda c: c IN {FACILITY_PLACES})) = len(service_codes) THEN 'facility'
            WHEN len(list_filter(service_codes, lambda c: c IN {FACILITY_PLACES} OR c = 'CSTM-00')) = 0
                THEN 'non-facility'
            ELSE 'mixed' END""",
    f"""CREATE MACRO institutional_schedule(service_codes, setting, code_type) AS CASE
            WHEN setting = 'inpatient' OR code_type IN {CASES} THEN 'inpatient'
            WHEN len(service_codes) = 0 THEN 'opps'
            WHEN setting IS DISTINCT FROM 'outpatient'
                AND len(list_filter(service_codes, lambda c: c NOT IN {INPATIENT_PLACES})) = 0 THEN 'inpatient'
            WHEN list_has_any(service_codes, {list(OUTPATIENT_PLACES)}) THEN 'opps'
            WHEN list_contains(service_codes, '{SURGICAL_CENTER}') THEN 'asc'
            WHEN setting = 'outpatient' AND list_has_any(service_codes, {list(INPATIENT_PLACES)}) THEN 'opps'
            ELSE 'other place' END""",
)
"""rate_kind: one of KINDS. place_setting: facility, non-facility, mixed, or unstated for an empty set of places.
institutional_schedule: which schedule prices an institutional rate, opps or asc, or the reason there is none. Hospitals
need not list places, so a rate without any is outpatient unless stated otherwise.
"""
