"""What the gaps between a clinic's rates and its market come to, by payer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.queries.baskets.clinic_rows import AskedLine, ClinicPosition


@dataclass(frozen=True)
class PayerGap:
    """What the gaps at one payer come to, without the lines that count in no sum."""

    payer_slug: str
    reporting_entity_name: str
    priced: int
    below: int
    equal: int
    """The priced lines that are paid what the middle organization is, to the cent."""
    several: int
    """The priced lines for which the file has several of the clinic's prices, and does not say which applies."""
    below_at_lowest: int
    """The priced lines below the middle organization with the lowest of the clinic's prices."""
    below_at_highest: int
    thin: int
    """The lines that are left out for the few organizations that they are compared with."""
    thin_more: int
    """Those of them for which one of these organizations is paid more."""
    odd: int
    """The lines that are left out because the clinic's price is a likely error."""
    totaled: int
    """The lines with a total: all that are priced, unless they are weighed by services that are not known of all."""
    shortfall: float
    """The sum of the totals of lines below the middle organization, zero or less."""
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
    return one.gap_to_middle if one.total_gap is None else one.total_gap


def sum_gaps(positions: Sequence[ClinicPosition]) -> list[PayerGap]:
    """Return what the gaps come to by payer, the largest shortfall first."""
    by_payer: dict[tuple[str, str], list[ClinicPosition]] = {}
    for one in positions:
        by_payer.setdefault((one.payer_slug, one.reporting_entity_name), []).append(one)
    found = [
        PayerGap(
            slug,
            name,
            priced=sum(one.counts for one in some),
            below=sum(one.counts and _cents(one.gap_to_middle) < 0 for one in some),
            equal=sum(one.counts and one.equals_middle for one in some),
            several=sum(one.counts and one.gaps_of_spread is not None for one in some),
            below_at_lowest=sum(_is_below(one, 0) for one in some),
            below_at_highest=sum(_is_below(one, 1) for one in some),
            thin=sum(_is_only_thin(one) for one in some),
            thin_more=sum(_is_only_thin(one) and bool(one.paid_more) for one in some),
            odd=sum(one.is_odd for one in some),
            totaled=sum(one.total_gap is not None for one in some),
            shortfall=sum(min(one.total_gap or 0, 0) for one in some),
            total=sum(one.total_gap or 0 for one in some),
            unpriced=sum(one.reason is not None for one in some),
        )
        for (slug, name), some in by_payer.items()
    ]
    return sorted(found, key=lambda one: (one.shortfall, one.payer_slug))


def _is_only_thin(one: ClinicPosition) -> bool:
    return one.is_thin and not one.is_odd


def _cents(gap: float | None) -> int:
    return round(100 * (gap or 0))


def _is_below(one: ClinicPosition, at: int) -> bool:
    """Return whether the lowest (0) or the highest (1) of the clinic's prices is below the middle, to the cent."""
    return one.counts and _cents(one.gaps_of_spread[at] if one.gaps_of_spread else one.gap_to_middle) < 0
