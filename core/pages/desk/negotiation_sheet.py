"""The first sheet of a clinic's workbook: what to ask of whom, and what it is worth, in the page's words."""

from collections.abc import Sequence

from core.pages.formats import write_count
from core.queries.baskets.clinic_gaps import BY_SERVICES, BY_UNITS
from core.queries.baskets.clinic_rows import ClinicPosition
from core.queries.parties.middle_by_payer import LEAST_ORGANIZATIONS
from core.workbook import LeadSheet

COLUMNS = (
    ("Payer", ""),
    ("Code", ""),
    ("What it is", ""),
    ("Your rate", "dollars"),
    ("Area", ""),
    ("Prices", "count"),
    ("Compared price", "dollars"),
    ("Middle organization", "dollars"),
    ("Organizations", "count"),
    ("Paid less", "count"),
    ("Paid the same", "count"),
    ("Paid more", "count"),
    ("All payers", "dollars"),
    ("Gap", "dollars"),
    ("Gap in percent", "fraction"),
    ("Services", "plain"),
    ("Total gap", "dollars"),
)

_TOTALED = {
    BY_UNITS: "your services",
    BY_SERVICES: "the services billed to Medicare in a year, where they are known",
}


def make_negotiation_sheet(positions: Sequence[ClinicPosition], weighed_by: str) -> LeadSheet:
    """Return the lines that have a position, the largest shortfall first, with what they come to."""
    priced = [one for one in positions if one.gap_to_middle is not None]
    totals = [one.total_gap for one in priced if one.total_gap is not None]
    below = [total for total in totals if total < 0]
    thin = sum(one.is_thin and not one.is_odd for one in priced)
    odd = sum(one.is_odd for one in priced)
    said = ("Below the middle", "All lines in the sums" if thin or odd else "All lines")
    blank = [None] * (len(COLUMNS) - 4)
    sums = [[name, "", "", *blank, sum(some)] for name, some in zip(said, (below, totals), strict=True)]
    return LeadSheet(
        "Negotiation",
        COLUMNS,
        [_row(one, weighed_by) for one in priced],
        sums if totals else [],
        note=(
            "The middle organization is the tax ID in the middle of all with the payer's rates for the code, each with "
            "one price. Gap: the compared price minus that, and in percent of it. Total gap: times "
            f"{_TOTALED.get(weighed_by, 'one, as no services are known')}. Where a line has several prices, the one in "
            "the middle is compared, of two the lower, as for every organization; with an area, your rate is the price "
            f"of that area. {_say_uncounted(thin, odd)}{write_count(len(priced))} lines; the sheet Table has all "
            "columns."
        ),
    )


def _say_uncounted(thin: int, odd: int) -> str:
    """Return the sentences about the lines that count in no sum; empty text if there is none."""
    said = ""
    if odd:
        lines, count = ("1 line has", "counts") if odd == 1 else (f"{write_count(odd)} lines have", "count")
        said += f"{lines} a price that is not believable and {count} in no sum. "
    if thin:
        lines, count = ("1 line is", "counts") if thin == 1 else (f"{write_count(thin)} lines are", "count")
        said += f"{lines} compared with fewer than {LEAST_ORGANIZATIONS} other organizations and {count} in no sum. "
    return said


def _row(one: ClinicPosition, weighed_by: str) -> list[str | float | None]:
    code = " ".join(filter(None, (one.code, one.modifier, one.setting)))
    return [
        one.reporting_entity_name,
        code,
        one.name or "",
        one.rate,
        one.area or "",
        one.prices or None,
        one.compared_price,
        one.middle,
        one.organizations,
        one.paid_less,
        one.paid_same,
        one.paid_more,
        one.payers_middle,
        one.gap_to_middle,
        one.difference,
        one.services if weighed_by == BY_SERVICES else one.units,
        one.total_gap,
    ]
