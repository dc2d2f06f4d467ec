"""The first sheet of a clinic's workbook: what to ask of whom, and what it is worth, in the page's words."""

from collections.abc import Sequence

from core.pages.formats import write_count
from core.queries.baskets.clinic_gaps import BY_SERVICES, BY_UNITS
from core.queries.baskets.clinic_rows import ClinicPosition
from core.queries.rules.percentiles import FEW_RATES
from core.workbook import LeadSheet

COLUMNS = (
    ("Payer", ""),
    ("Code", ""),
    ("What it is", ""),
    ("Your rate", "dollars"),
    ("Prices", "count"),
    ("Payer's median", "dollars"),
    ("All payers' median", "dollars"),
    ("Payer's with yours", "dollars"),
    ("All payers' with yours", "dollars"),
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
    priced = [one for one in positions if one.gap is not None]
    totals = [one.total for one in priced if one.total is not None]
    below = [total for total in totals if total < 0]
    thin = sum(one.is_thin for one in priced)
    said = ("Below the median", "All lines in the sums" if thin else "All lines")
    sums = [[name, "", "", *([None] * 9), sum(some)] for name, some in zip(said, (below, totals), strict=True)]
    return LeadSheet(
        "Negotiation",
        COLUMNS,
        [_row(one, weighed_by) for one in priced],
        sums if totals else [],
        note=(
            "The medians are of what others are paid, without your own rates; with yours, they are those of the code's "
            "page. Gap: your rate minus the payer's median, and in percent of that median. Total gap: times "
            f"{_TOTALED.get(weighed_by, 'one, as no services are known')}. Where a line has several prices, your rate "
            f"is their median, and the file does not say which applies. {_say_thin(thin)}"
            f"{write_count(len(priced))} lines; the sheet Table has all columns."
        ),
    )


def _say_thin(thin: int) -> str:
    """Return the sentence about the lines that count in no sum; empty text if there is none."""
    if not thin:
        return ""
    lines, count = ("1 line is", "counts") if thin == 1 else (f"{write_count(thin)} lines are", "count")
    return f"{lines} compared with fewer than {FEW_RATES} other rates and {count} in no sum. "


def _row(one: ClinicPosition, weighed_by: str) -> list[str | float | None]:
    code = " ".join(filter(None, (one.code, one.modifier, one.setting)))
    return [
        one.reporting_entity_name,
        code,
        one.name or "",
        one.rate,
        one.prices or None,
        one.median,
        one.market,
        one.median_with_own,
        one.market_with_own,
        one.gap,
        one.gap / one.median if one.gap is not None and one.median else None,
        one.services if weighed_by == BY_SERVICES else one.units,
        one.total,
    ]
