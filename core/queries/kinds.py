"""What kind of figure a rate is, and where it is rendered: rules that several questions share, as DuckDB macros."""

from dataclasses import dataclass

FACILITY_PLACES = (
    "02", "19", "21", "22", "23", "24", "26", "31", "34", "41", "42", "51", "52", "53", "56", "61",
)  # fmt: skip
"""Places of service where Medicare pays the facility amount. Source: CMS, Medicare Claims Processing Manual, ch. 26."""


@dataclass(frozen=True)
class Kind:
    """A kind of figure: only figures of one kind may stand in one mean or percentile."""

    name: str
    title: str
    unit: str
    meaning: str


KINDS = {
    kind.name: kind
    for kind in (
        Kind("dollars", "Dollars", "$", "One service, paid in dollars: negotiated, derived or by fee schedule."),
        Kind("percentage", "Percentages", "%", "A share of the billed charge. 40.5 means 40.5 %."),
        Kind("per diem", "Per diems", "$ a day", "Dollars for each day of a stay."),
        Kind("bundle", "Bundles", "$ a bundle", "Dollars for several services together."),
        Kind("capitation", "Capitation", "$ a member", "Dollars for looking after a member, whatever is done."),
        Kind("other", "Not stated", "?", "The file does not say what the figure is."),
    )
}

MACROS = (
    # What is not known to be dollars for one service is never counted as such.
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
)
"""rate_kind: one of KINDS. place_setting: facility, non-facility, mixed, or unstated for an empty set of places."""
