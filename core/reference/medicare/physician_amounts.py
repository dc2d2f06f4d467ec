"""Compute the amounts of the Medicare physician fee schedule from its relative values and indices.

    amount = (work x GPCI_work + PE x GPCI_pe + MP x GPCI_mp) x conversion factor, rounded once to cents

PE is the practice expense of the setting: facility or non-facility. Anesthesia is its base units times the locality's
factor (and, when it is paid, units of time). Source: 42 CFR 414.20 and the RVU files' own documentation (RVU25D, "PFS
payment formula"); 42 CFR 414.46 for anesthesia.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from core.reference.medicare.physician_files import ANESTHESIA_STATUS, Locality, PhysicianFeeSchedule, RelativeValue

Cents = npt.NDArray[np.int64]
"""Amounts in cents of rows (first axis) in localities (second axis); 0 where there is none."""

_UNITS_PER_CENT = 10_000_000
"""Relative values have two decimals, GPCIs three and the factor four, so a product is a whole number of 10**-9 dollars,
and 10**7 of these are a cent. The largest real amounts stay far below 2**63."""


def compute_cents(
    values: Sequence[RelativeValue], localities: Sequence[Locality], conversion_factor: int, *, facility: bool
) -> Cents:
    """Return the amount of every row in every locality, without anesthesia.

    All values are whole numbers (see physician_files), so the only rounding is the one to cents, half a cent up, as in
    CMS's own payment files. Floating point could be off by a cent.
    """
    expenses = [value.facility_pe if facility else value.nonfacility_pe for value in values]
    parts = [(value.work, pe or 0, value.malpractice) for value, pe in zip(values, expenses, strict=True)]
    indices = [(place.work, place.pe, place.malpractice) for place in localities]
    units = np.array(parts, np.int64).reshape(-1, 3) @ np.array(indices, np.int64).reshape(-1, 3).T
    cents = (units * conversion_factor + _UNITS_PER_CENT // 2) // _UNITS_PER_CENT
    cents[[pe is None or not value.payable for pe, value in zip(expenses, values, strict=True)]] = 0
    return np.asarray(cents, np.int64)


def compute_amounts(schedule: PhysicianFeeSchedule, values: Sequence[RelativeValue], *, facility: bool) -> Cents:
    """Return the amount of every row in every locality of a schedule, including anesthesia."""
    cents = compute_cents(values, schedule.localities, schedule.values.conversion_factor, facility=facility)
    factors = [schedule.anesthesia.get((place.contractor, place.number), 0) for place in schedule.localities]
    for row, value in enumerate(values):
        # Base units are for the whole service: a row with a modifier has none of its own.
        if value.status == ANESTHESIA_STATUS and not value.modifier:
            cents[row] = [schedule.base_units.get(value.code, 0) * factor for factor in factors]
    return cents
