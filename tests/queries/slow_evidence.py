"""The evidence of rates and medians weighted by services, slowly and obviously: one rate and one member at a time."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from core.fields.codes.unscored import UNSCORED_SPECIALTIES, is_unscored_code


@dataclass(frozen=True)
class Known:
    """What is known: the members of groups, and of them and of codes what Medicare's files say."""

    members: Mapping[str, set[str]]
    billed: Mapping[tuple[str, str], int]
    """Services by NPI and code."""
    specialties: Mapping[str, set[str]]
    """Specialties of each group; empty text for a member of whom none is known."""
    clinicians: Mapping[str, int]
    """Clinicians who bill each code."""
    sizes: Mapping[str, int]
    """Clinicians of each specialty."""
    shares: Mapping[tuple[str, str], float]
    """Share of a specialty's clinicians who bill a code."""


def evidence_of(known: Known, group: str, code_type: str, code: str) -> str:
    """Return the level of evidence of a rate."""
    if code_type not in {"CPT", "HCPCS"}:
        return "unscored"
    if any((npi, code) in known.billed for npi in known.members.get(group, ())):
        return "billed"
    if known.clinicians.get(code, 0) < 50 or is_unscored_code(code):
        return "unscored"
    specialties = known.specialties.get(group, set())
    telling = {one for one in specialties if known.sizes.get(one, 0) >= 30 and one not in UNSCORED_SPECIALTIES}
    if any(known.shares.get((one, code), 0) >= 0.01 for one in telling):
        return "specialty"
    return "none" if specialties and specialties == telling else "unscored"


def weighted_median(known: Known, code: str, rates: Iterable[tuple[str, float]]) -> tuple[float, int] | None:
    """Return the weighted median of rates (each with its group), and how many of them have a weight."""
    rates = list(rates)
    weights = [Fraction(0)] * len(rates)
    for (npi, billed), services in known.billed.items():
        mine = [n for n, (group, _) in enumerate(rates) if npi in known.members.get(group, ())]
        for n in mine if billed == code else ():
            weights[n] += Fraction(services, len(mine))
    found = sorted((rate, weight) for (_, rate), weight in zip(rates, weights, strict=True) if weight)
    up_to = Fraction(0)
    for rate, weight in found:
        up_to += weight
        if 2 * up_to >= sum(weights):
            return rate, len(found)
    return None
