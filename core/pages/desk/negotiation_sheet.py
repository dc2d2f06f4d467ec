"""The first sheet of a clinic's workbook: what to ask of whom, and what it is worth, in the page's words."""

from collections.abc import Sequence

from core.pages.formats import write_count
from core.queries.baskets.clinic_gaps import BY_SERVICES, BY_UNITS
from core.queries.baskets.clinic_rows import ClinicPosition
from core.queries.parties.middle_by_payer import LEAST_ORGANIZATIONS
from core.workbook import Formula, LeadSheet

COLUMNS = (
    ("Payer", ""),
    ("Code", ""),
    ("What it is", ""),
    ("Your rate", "dollars"),
    ("Area", ""),
    ("Your prices", "count"),
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

_LETTERS = {heading: chr(ord("A") + at) for at, (heading, _) in enumerate(COLUMNS)}
_RATE, _COMPARED, _MIDDLE, _GAP, _SERVICES, _TOTAL = (
    _LETTERS[name] for name in ("Your rate", "Compared price", "Middle organization", "Gap", "Services", "Total gap")
)
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
    thin = sum(one.is_thin and not one.is_odd for one in priced)
    odd = sum(one.is_odd for one in priced)
    first = 3 if elsewhere else 2  # below the headings, which a sentence may be above
    every = f"{_TOTAL}{first}:{_TOTAL}{first + len(priced) - 1}"
    said = "All lines in the sums" if thin or odd else "All lines"
    sums = [
        ("Below the middle", Formula(f'SUMIF({every},"<0")', sum(total for total in totals if total < 0))),
        (said, Formula(f"SUM({every})", sum(totals))),
    ]
    blank = [None] * (len(COLUMNS) - 4)
    return LeadSheet(
        "Negotiation",
        COLUMNS,
        [_row(one, weighed_by, number) for number, one in enumerate(priced, first)],
        [[name, "", "", *blank, total] for name, total in sums] if priced else [],
        notes=[_say_what_to_type(weighed_by), _say_what_it_is(weighed_by, _say_uncounted(thin, odd), len(priced))],
        above=elsewhere,
    )


def _say_what_to_type(weighed_by: str) -> str:
    without = "in no sum" if weighed_by == BY_SERVICES else "once"
    return (
        "Type your own services, or another rate of yours: gaps, totals, and sums follow. How many organizations are "
        f"paid less or more does not. A line without services counts {without}."
    )


def _say_what_it_is(weighed_by: str, uncounted: str, lines: int) -> str:
    return (
        "The middle organization is the tax ID in the middle of all with the payer's rates for the code, each with "
        "one price. Gap: the compared price minus that, and in percent of it. Total gap: times "
        f"{_TOTALED.get(weighed_by, 'one, as no services are known')}. Where a line has several prices, the one in "
        "the middle is compared, of two the lower, as for every organization; with an area, your rate is the price "
        f"of that area. {uncounted}{write_count(lines)} lines; the sheet Table has all columns."
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
        one.area or "",
        one.prices or None,
        _compared(one, f"{_RATE}{number}"),
        one.middle,
        one.organizations,
        one.paid_less,
        one.paid_same,
        one.paid_more,
        one.payers_middle,
        Formula(f"{_COMPARED}{number}-{_MIDDLE}{number}", one.gap_to_middle),
        Formula(f'IF({_MIDDLE}{number}=0,"",{_GAP}{number}/{_MIDDLE}{number})', one.difference),
        one.services if weighed_by == BY_SERVICES else one.units,
        _total(one, weighed_by, f"{_GAP}{number}", f"{_SERVICES}{number}"),
    ]


def _compared(one: ClinicPosition, rate: str) -> Formula:
    """Return what is compared: the rate, or, until another rate is typed, the middle of the prices of several areas."""
    if one.rate == one.compared_price:
        return Formula(rate, one.compared_price)
    return Formula(f"IF({rate}={one.rate!r},{one.compared_price!r},{rate})", one.compared_price)


def _total(one: ClinicPosition, weighed_by: str, gap: str, services: str) -> Formula | None:
    """Return what the gap comes to; None for a line that counts in no sum."""
    if not one.counts:
        return None
    without = '""' if weighed_by == BY_SERVICES else gap
    return Formula(f'IF({services}="",{without},{gap}*{services})', one.total_gap)
