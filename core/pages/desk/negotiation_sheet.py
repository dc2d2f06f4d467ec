"""The first sheet of a clinic's workbook: what to ask of whom, and what it is worth, in the page's words."""

from collections.abc import Sequence

from core.pages.formats import write_count, write_dollars
from core.queries.baskets.clinic_gaps import BY_SERVICES, BY_UNITS
from core.queries.baskets.clinic_rows import ClinicPosition
from core.queries.parties.middle_by_payer import LEAST_ORGANIZATIONS
from core.workbook import Formula, LeadSheet

COLUMNS = (
    ("Payer", ""),
    ("Code", ""),
    ("What it is", ""),
    ("Your rate", "dollars"),
    ("Percent of Medicare", "fraction"),
    ("Area", ""),
    ("Your prices there", ""),
    ("Middle organization", "dollars"),
    ("Organizations", "count"),
    ("Paid less", "count"),
    ("Paid the same", "count"),
    ("Paid more", "count"),
    ("Other payers", "dollars"),
    ("Gap", "dollars"),
    ("Gap in percent", "fraction"),
    ("Services", "plain"),
    ("Total gap", "dollars"),
    ("75th percentile", "dollars"),
    ("75th would add", "dollars"),
    ("Medicare", "dollars"),
)

_LETTERS = {heading: chr(ord("A") + at) for at, (heading, _) in enumerate(COLUMNS)}
_RATE, _MIDDLE, _GAP, _SERVICES, _TOTAL, _HIGH, _RAISE, _MEDICARE = (
    _LETTERS[name]
    for name in (
        "Your rate", "Middle organization", "Gap", "Services", "Total gap", "75th percentile", "75th would add",
        "Medicare",
    )
)  # fmt: skip
"""The letters of the columns that formulas are about."""

_TOTALED = {
    BY_UNITS: "your services",
    BY_SERVICES: "the services billed to Medicare in a year, where they are known",
}


def make_negotiation_sheet(positions: Sequence[ClinicPosition], weighed_by: str, elsewhere: str = "") -> LeadSheet:
    """Return the lines that have a position, the largest shortfall first, with what they come to.

    Gaps and sums are formulas of the rates and services, which a clinic can type itself. `elsewhere` is a sentence
    about whose rates these are; empty text if there is nothing to say.
    """
    priced = [one for one in positions if one.gap_to_middle is not None]
    totals = [one.total_gap for one in priced if one.total_gap is not None]
    raises = [one.total_to_high for one in priced if one.total_to_high is not None]
    thin = sum(one.is_thin and not one.is_odd for one in priced)
    odd = sum(one.is_odd for one in priced)
    first = 3 if elsewhere else 2  # below the headings, which a sentence may be above
    last = first + len(priced) - 1
    gaps, at_high = f"{_TOTAL}{first}:{_TOTAL}{last}", f"{_RAISE}{first}:{_RAISE}{last}"
    said = "All lines in the sums" if thin or odd else "All lines"
    below = sum(total for total in totals if total < 0)
    sums = [
        ("Below the middle", _unless_none(gaps, f'SUMIF({gaps},"<0")', below if totals else None), None),
        (
            said,
            _unless_none(gaps, f"SUM({gaps})", sum(totals) if totals else None),
            _unless_none(at_high, f"SUM({at_high})", sum(raises) if raises else None),
        ),
    ]
    before = [None] * (COLUMNS.index(("Total gap", "dollars")) - len(("name", "", "")))
    return LeadSheet(
        "Negotiation",
        COLUMNS,
        [_row(one, weighed_by, number) for number, one in enumerate(priced, first)],
        [[name, "", "", *before, total, None, raised, None] for name, total, raised in sums] if priced else [],
        notes=[_say_what_to_type(weighed_by), _say_what_it_is(weighed_by, _say_uncounted(thin, odd), len(priced))],
        above=elsewhere,
    )


def _unless_none(cells: str, text: str, value: float | None) -> Formula:
    """Return a formula that is empty as long as none of some cells has a number."""
    return Formula(f'IF(COUNT({cells})=0,"",{text})', value)


def _say_what_to_type(weighed_by: str) -> str:
    start = "" if weighed_by else "No services are known, so nothing is added up yet. "
    return (
        f"{start}Type your own services, or another rate of yours: percents, gaps, totals, and sums follow. How many "
        "organizations are paid less or more does not. A line without services counts in no sum."
    )


def _say_what_it_is(weighed_by: str, uncounted: str, lines: int) -> str:
    return (
        "The middle organization is the tax ID in the middle of all with the payer's rates for the code, each with "
        "one price; the 75th percentile is one of these prices. Gap: your rate minus the middle organization's, and "
        "in percent of it. Percent of Medicare: your rate against the amount in the column Medicare. Total gap: times "
        f"{_TOTALED.get(weighed_by, 'services')}. Where a line has several prices, "
        "your rate is the one in the middle, of two the lower; where they are percents of Medicare in several areas, "
        "of those of your own area, if the column Area names it. Other payers: what they pay their middle "
        f"organizations, in the middle of them. {uncounted}{write_count(lines)} lines; the sheet Table has all columns."
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


def _row(one: ClinicPosition, weighed_by: str, number: int) -> list[str | float | Formula | None]:
    """Return the cells of a line that is row `number` of the sheet."""
    code = " ".join(filter(None, (one.code, one.modifier, one.setting)))
    return [
        one.reporting_entity_name,
        code,
        one.name or "",
        one.rate,
        _percent_of_medicare(one, number),
        _say_area(one),
        _say_prices(one),
        one.middle,
        one.organizations,
        one.paid_less,
        one.paid_same,
        one.paid_more,
        one.other_middle,
        Formula(f"{_RATE}{number}-{_MIDDLE}{number}", one.gap_to_middle),
        Formula(f'IF({_MIDDLE}{number}=0,"",{_GAP}{number}/{_MIDDLE}{number})', one.difference),
        one.services if weighed_by == BY_SERVICES else one.units,
        _total(one, f"{_GAP}{number}", f"{_SERVICES}{number}"),
        one.high if one.counts else None,
        _raise(one, f"{_HIGH}{number}-{_RATE}{number}", f"{_SERVICES}{number}"),
        one.medicare,
    ]


def _percent_of_medicare(one: ClinicPosition, number: int) -> Formula | None:
    """Return the rate against Medicare's amount; None where that is not known."""
    return Formula(f"{_RATE}{number}/{_MEDICARE}{number}", one.percent) if one.medicare else None


def _say_area(one: ClinicPosition) -> str:
    """Return the area whose price the rate is, and that it is not the clinic's own if it is not; or empty text."""
    if not one.area or one.is_own_area:
        return one.area or ""
    return f"{one.area} (none of {one.own_area})" if one.own_area else one.area


def _say_prices(one: ClinicPosition) -> str:
    """Return the several prices among which the rate is, or empty text."""
    if not one.has_spread or one.lowest is None or one.highest is None:
        return ""
    return one.tiers or f"{write_count(one.prices)}: {write_dollars(one.lowest)} to {write_dollars(one.highest)}"


def _total(one: ClinicPosition, gap: str, services: str) -> Formula | None:
    """Return what the gap comes to; None for a line that counts in no sum."""
    return Formula(f'IF({services}="","",{gap}*{services})', one.total_gap) if one.counts else None


def _raise(one: ClinicPosition, rise: str, services: str) -> Formula | None:
    """Return what a rise to the 75th percentile comes to; None for a line that counts in no sum."""
    if not one.counts or one.high is None:
        return None
    return Formula(f'IF({services}="","",MAX(0,{rise})*{services})', one.total_to_high)
