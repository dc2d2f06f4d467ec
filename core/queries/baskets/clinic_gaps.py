"""What the gaps between a clinic's rates and its market come to, by payer."""

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from core.queries.baskets.clinic_rows import AskedLine, ClinicPosition
from core.queries.contract_rule.code_families import family_of


@dataclass(frozen=True)
class FamilyGap:
    """What the gaps at one payer come to in one family of codes, of the lines that count."""

    family: str
    priced: int
    below: int
    difference: float | None
    """The gap in percent of the line in the middle."""
    shortfall: float
    """The sum of the totals below the middle organization, zero or less."""


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
    shortfalls: tuple[float, float]
    """The same with the lowest of the clinic's prices in each line, and with the highest."""
    total: float
    """The sum of all totals."""
    totals: tuple[float, float]
    """The same with the lowest of the clinic's prices in each line, and with the highest."""
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
    families: tuple[FamilyGap, ...]
    """The priced lines by the family of their code, the one that is furthest below the middle first."""
    percents: tuple[str, ...]
    """The percents of Medicare in its own area that most of its lines' prices are; none if they are not known."""
    of_percents: int
    """How many priced lines have these."""


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
            shortfalls=_sum_below(some),
            total=sum(one.total_gap or 0 for one in some),
            totals=_sum_of_spread(one.totals_of_spread for one in some),
            total_to_high=sum(one.total_to_high or 0 for one in some),
            below_high=sum(one.counts and one.to_high is not None for one in some),
            difference=_middle(one.difference for one in some if one.counts),
            to_high=_middle(one.to_high for one in some if one.counts),
            own_middle=sum(one.counts and one.middle_is_own for one in some),
            with_others=sum(_is_only_elsewhere(one) for one in some),
            below_others=sum(_is_only_elsewhere(one) and (one.from_others or 0) < 0 for one in some),
            from_others=_middle(one.from_others for one in some if _is_only_elsewhere(one)),
            unpriced=sum(one.reason is not None for one in some),
            families=_sum_families(some),
            percents=percents,
            of_percents=lines,
        )
        for (slug, name), some in by_payer.items()
        for percents, lines in [_commonest_percents(some)]
    ]
    return sorted(found, key=lambda one: (one.shortfall, one.payer_slug))


def _sum_families(positions: Sequence[ClinicPosition]) -> tuple[FamilyGap, ...]:
    """Return what the gaps of lines come to by the family of their code, the one furthest below the middle first."""
    by_family: dict[str, list[ClinicPosition]] = {}
    for one in positions:
        if one.counts:
            by_family.setdefault(family_of(one.code), []).append(one)
    found = [
        FamilyGap(
            family,
            len(some),
            sum(_cents(one.gap_to_middle) < 0 for one in some),
            _middle(one.difference for one in some),
            sum(min(one.total_gap or 0, 0) for one in some),
        )
        for family, some in by_family.items()
    ]
    return tuple(sorted(found, key=lambda one: (one.difference or 0, one.family)))


def _sum_below(positions: Iterable[ClinicPosition]) -> tuple[float, float]:
    """Return the sum of the totals below the middle organization with the lowest and with the highest prices."""
    totals = [one.totals_of_spread for one in positions if one.totals_of_spread]
    return _sum_of_spread((min(lowest, 0), min(highest, 0)) for lowest, highest in totals)


def _sum_of_spread(totals: Iterable[tuple[float, float] | None]) -> tuple[float, float]:
    known = [one for one in totals if one]
    return sum(lowest for lowest, _ in known), sum(highest for _, highest in known)


def _commonest_percents(positions: Iterable[ClinicPosition]) -> tuple[tuple[str, ...], int]:
    """Return the percents of Medicare of its own area that most lines' prices are, and how many lines have them."""
    counts = Counter(one.own_percents for one in positions if one.counts and one.own_percents)
    return max(counts.items(), key=lambda one: (one[1], one[0]), default=((), 0))


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
