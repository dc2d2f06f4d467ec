"""What the gaps between a clinic's rates and its market come to, by payer."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
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
    """The priced lines with a total: those with units or services."""
    shortfall: float
    """The sum of the totals of lines below the middle organization, zero or less."""
    total: float
    """The sum of all totals."""
    total_to_high: float
    """What a rise to the third quartile of organizations would add, of the lines with a total."""
    below_high: int
    """The priced lines below that."""
    difference: float | None
    """The gap in percent of the line in the middle, of the priced lines; None if there is none."""
    to_high: float | None
    """The rise in percent to the third quartile in the middle of the lines below it; None if there is none."""
    own_middle: int
    """The priced lines whose middle organization has the clinic's own contract, at another area's price."""
    with_others: int
    """The lines that cannot be compared at the payer and can be with other payers' middle organizations."""
    below_others: int
    """The lines of these that are below them."""
    from_others: float | None
    """The difference in percent to these in the middle; None if there are no such lines."""
    unpriced: int


BY_UNITS, BY_SERVICES, UNWEIGHED = "units", "services", ""
"""What gaps are multiplied by. Without either, no dollars are added up: those of a drug's unit and of an operation are
no sum."""


def weigh(lines: Sequence[AskedLine], services: Mapping[str, float]) -> str:
    """Return what the gaps of the lines are multiplied by: units, or else services billed to Medicare, if any."""
    if any(line.units is not None for line in lines):
        return BY_UNITS
    return BY_SERVICES if any(line.code.code in services for line in lines) else UNWEIGHED


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
            total_to_high=sum(one.total_to_high or 0 for one in some),
            below_high=sum(one.counts and one.to_high is not None for one in some),
            difference=_middle(one.difference for one in some if one.counts),
            to_high=_middle(one.to_high for one in some if one.counts),
            own_middle=sum(one.counts and one.is_middle_own for one in some),
            with_others=sum(_is_only_elsewhere(one) for one in some),
            below_others=sum(_is_only_elsewhere(one) and (one.from_others or 0) < 0 for one in some),
            from_others=_middle(one.from_others for one in some if _is_only_elsewhere(one)),
            unpriced=sum(one.reason is not None for one in some),
        )
        for (slug, name), some in by_payer.items()
    ]
    return sorted(found, key=lambda one: (one.shortfall, one.payer_slug))


def _is_only_thin(one: ClinicPosition) -> bool:
    return one.is_thin and not one.is_odd


def _is_only_elsewhere(one: ClinicPosition) -> bool:
    return not one.counts and not one.is_odd and one.from_others is not None


def _middle(shares: Iterable[float | None]) -> float | None:
    known = [share for share in shares if share is not None]
    return statistics.median(known) if known else None


def _cents(gap: float | None) -> int:
    return round(100 * (gap or 0))


def _is_below(one: ClinicPosition, at: int) -> bool:
    """Return whether the lowest (0) or the highest (1) of the clinic's prices is below the middle, to the cent."""
    return one.counts and _cents(one.gaps_of_spread[at] if one.gaps_of_spread else one.gap_to_middle) < 0
