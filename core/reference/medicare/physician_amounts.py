"""The amounts of the Medicare physician fee schedule, from its relative values and indices.

    amount = (work x GPCI_work + PE x GPCI_pe + MP x GPCI_mp) x conversion factor, rounded once to cents

PE is the practice expense of the setting: facility or non-facility. Anesthesia is its base units times the locality's
factor (and, when it is paid, units of time). Relative values have two decimals, GPCIs three and the factor four, so
the amounts are computed in whole numbers of 10**-9 dollars: no amount is off by a rounding of the computer's. Source:
42 CFR 414.20 and the RVU files' own documentation (RVU25D, "PFS payment formula"); 42 CFR 414.46 for anesthesia.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from core.reference.medicare.physician_files import ANESTHESIA_STATUS, Locality, PhysicianFeeSchedule, RelativeValue

Cents = npt.NDArray[np.int64]
"""Amounts of rows (first) in localities (second); 0 where there is none."""


def cents(value: RelativeValue, locality: Locality, conversion_factor: int, *, facility: bool) -> int | None:
    """The amount of one row in one locality, in cents; None where the schedule has none for the setting."""
    pe = value.facility_pe if facility else value.nonfacility_pe
    if pe is None or not value.payable:
        return None
    units = value.work * locality.work + pe * locality.pe + value.malpractice * locality.malpractice
    return (units * conversion_factor + 5_000_000) // 10_000_000 or None


def compute_cents(
    values: Sequence[RelativeValue], localities: Sequence[Locality], conversion_factor: int, *, facility: bool
) -> Cents:
    """`cents` of every row in every locality."""
    pes = [value.facility_pe if facility else value.nonfacility_pe for value in values]
    parts = [(v.work, pe or 0, v.malpractice) for v, pe in zip(values, pes, strict=True)]
    indices = [(place.work, place.pe, place.malpractice) for place in localities]
    units = np.array(parts, np.int64).reshape(-1, 3) @ np.array(indices, np.int64).reshape(-1, 3).T
    amounts = (units * conversion_factor + 5_000_000) // 10_000_000
    amounts[[pe is None or not value.payable for pe, value in zip(pes, values, strict=True)]] = 0
    return np.asarray(amounts, np.int64)


def compute_amounts(schedule: PhysicianFeeSchedule, values: Sequence[RelativeValue], *, facility: bool) -> Cents:
    """The amounts of rows of a schedule, anesthesia among them."""
    factor = schedule.values.conversion_factor
    table = compute_cents(values, schedule.localities, factor, facility=facility)
    factors = [schedule.anesthesia.get((place.contractor, place.number), 0) for place in schedule.localities]
    for row, value in enumerate(values):
        if value.status == ANESTHESIA_STATUS and not value.modifier:
            table[row] = [schedule.base_units.get(value.code, 0) * factor for factor in factors]
    return table
