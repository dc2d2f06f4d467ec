"""What the gaps between a clinic's rates and its market come to, by payer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.queries.baskets.clinic_rows import AskedLine, ClinicPosition


@dataclass(frozen=True)
class PayerGap:
    """What the gaps at one payer come to, without the lines that are compared with fewer than FEW_RATES rates."""

    payer_slug: str
    reporting_entity_name: str
    priced: int
    below: int
    several: int
    """The priced lines for which the file has several of the clinic's prices, and does not say which applies."""
    below_at_lowest: int
    """The priced lines below the median with the lowest of the clinic's prices."""
    below_at_highest: int
    thin: int
    """The lines that are left out for the few rates that they are compared with."""
    totaled: int
    """The lines with a total: all that are priced, unless they are weighed by services that are not known of all."""
    shortfall: float
    """The sum of the totals of lines below the median, zero or less."""
    total: float
    """The sum of all totals."""
    unpriced: int


BY_UNITS, BY_SERVICES, ONCE = "units", "services", "once"


def weigh(lines: Sequence[AskedLine], services: Mapping[str, float]) -> str:
    """Return what the gaps of the lines are multiplied by: units, or else services billed to Medicare, or else one."""
    if any(line.units is not None for line in lines):
        return BY_UNITS
    return BY_SERVICES if any(line.code.code in services for line in lines) else ONCE


def dollars_of(one: ClinicPosition) -> float | None:
    """Return what a line comes to: its total, or the gap where nobody knows how often it is rendered."""
    return one.gap if one.total is None else one.total


def sum_gaps(positions: Sequence[ClinicPosition]) -> list[PayerGap]:
    """Return what the gaps come to by payer, the largest shortfall first."""
    by_payer: dict[tuple[str, str], list[ClinicPosition]] = {}
    for one in positions:
        by_payer.setdefault((one.payer_slug, one.reporting_entity_name), []).append(one)
    found = [
        PayerGap(
            slug,
            name,
            priced=sum(one.gap is not None and not one.is_thin for one in some),
            below=sum((dollars_of(one) or 0) < 0 and not one.is_thin for one in some),
            several=sum(not one.is_thin and one.gaps_of_spread is not None for one in some),
            below_at_lowest=sum(_is_below(one, 0) for one in some),
            below_at_highest=sum(_is_below(one, 1) for one in some),
            thin=sum(one.is_thin for one in some),
            totaled=sum(one.total is not None for one in some),
            shortfall=sum(min(one.total or 0, 0) for one in some),
            total=sum(one.total or 0 for one in some),
            unpriced=sum(one.reason is not None for one in some),
        )
        for (slug, name), some in by_payer.items()
    ]
    return sorted(found, key=lambda one: (one.shortfall, one.payer_slug))


def _is_below(one: ClinicPosition, at: int) -> bool:
    """Return whether the lowest (0) or the highest (1) of the clinic's prices is below the median, to the cent."""
    if one.is_thin or one.gap is None:
        return False
    gap = one.gaps_of_spread[at] if one.gaps_of_spread else one.gap
    return round(gap, 2) < 0
