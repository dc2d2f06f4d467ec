"""Compute the amounts of the Medicare physician fee schedule from its relative values and indices.

    amount = (work x GPCI_work + PE x GPCI_pe + MP x GPCI_mp) x conversion factor, rounded once to cents

PE is the practice expense of the setting: facility or non-facility. Imaging is paid at most the hospital outpatient
price of its technical part: (work x GPCI_work + cap PE x GPCI_pe + cap MP x GPCI_mp) x conversion factor, which is what
the OPPSCAP file has; for codes that the contractor prices, that is the only amount published. Anesthesia is its base
units times the locality's factor (and, when it is paid, units of time). Source: 42 CFR 414.20 and the RVU files' own
documentation (RVU25D, "PFS payment formula"); 42 U.S.C. 1395w-4(b)(4) for the limit; 42 CFR 414.46 for anesthesia.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from core.reference.medicare.professional.physician_files import (
    ANESTHESIA_STATUS,
    CONTRACTOR_STATUS,
    Locality,
    PhysicianFeeSchedule,
    RelativeValue,
)

Cents = npt.NDArray[np.int64]
"""Amounts in cents of rows (first axis) in localities (second axis); 0 where there is none."""

_UNITS_PER_CENT = 10_000_000
"""Relative values have two decimals, GPCIs three and the factor four, so a product is a whole number of 10**-9 dollars,
and 10**7 of these are a cent. The largest real amounts stay far below 2**63."""


def compute_cents(
    values: Sequence[RelativeValue], localities: Sequence[Locality], conversion_factor: int, *, facility: bool
) -> Cents:
    """Return the amount of every row in every locality by the formula, without limits and anesthesia.

    All values are whole numbers (see physician_files), so the only rounding is the one to cents, half a cent up, as in
    CMS's own payment files. Floating point could be off by a cent.
    """
    cents = _multiply(
        [(value.work, value.facility_pe if facility else value.nonfacility_pe, value.malpractice) for value in values],
        localities,
        conversion_factor,
    )
    cents[[not value.payable for value in values]] = 0
    return cents


def compute_caps(schedule: PhysicianFeeSchedule, values: Sequence[RelativeValue], *, facility: bool) -> Cents:
    """Return the most that every row may be paid in every locality; 0 where it has no limit.

    The OPPSCAP file's amounts are used where they are given, otherwise they are computed: the two are equal.
    """
    # A code that the contractor prices has no work value without modifier: that of its reading (modifier 26) counts.
    readings = {value.code: value.work for value in schedule.values.rows if value.modifier == "26"}
    limited = [value.cap_pe > 0 and (value.payable or value.status == CONTRACTOR_STATUS) for value in values]
    caps = _multiply(
        [
            (
                readings.get(value.code, 0) if value.status == CONTRACTOR_STATUS and not value.modifier else value.work,
                value.cap_pe,
                value.cap_malpractice,
            )
            for value in values
        ],
        schedule.localities,
        schedule.values.conversion_factor,
    )
    caps[[not one for one in limited]] = 0
    numbers = {(place.contractor, place.number): n for n, place in enumerate(schedule.localities)}
    rows = {(value.code, value.modifier): row for row, value in enumerate(values)}
    for (code, modifier, contractor, number), amounts in schedule.caps.items():
        row, place = rows.get((code, modifier)), numbers.get((contractor, number))
        if row is not None and place is not None:
            caps[row, place] = amounts[facility]
    return caps


def _multiply(parts: list[tuple[int, int, int]], localities: Sequence[Locality], conversion_factor: int) -> Cents:
    """Return (work x GPCI_work + PE x GPCI_pe + MP x GPCI_mp) x factor of each row in each locality."""
    indices = [(place.work, place.pe, place.malpractice) for place in localities]
    units = np.array(parts, np.int64).reshape(-1, 3) @ np.array(indices, np.int64).reshape(-1, 3).T
    return np.asarray((units * conversion_factor + _UNITS_PER_CENT // 2) // _UNITS_PER_CENT, np.int64)


def compute_amounts(schedule: PhysicianFeeSchedule, values: Sequence[RelativeValue], *, facility: bool) -> Cents:
    """Return the amount of every row in every locality of a schedule, with limits and anesthesia."""
    cents = compute_cents(values, schedule.localities, schedule.values.conversion_factor, facility=facility)
    caps = compute_caps(schedule, values, facility=facility)
    contractor_priced = np.array([value.status == CONTRACTOR_STATUS for value in values], np.bool_).reshape(-1, 1)
    cents = np.where(contractor_priced, caps, np.where(caps > 0, np.minimum(cents, caps), cents))
    factors = [schedule.anesthesia.get((place.contractor, place.number), 0) for place in schedule.localities]
    for row, value in enumerate(values):
        # Base units are for the whole service: a row with a modifier has none of its own.
        if value.status == ANESTHESIA_STATUS and not value.modifier:
            cents[row] = [schedule.base_units.get(value.code, 0) * factor for factor in factors]
    return cents
