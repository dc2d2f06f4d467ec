"""Stores of rates that were made from a fee schedule, whatever class they state."""

import random
from collections.abc import Sequence
from math import exp
from pathlib import Path
from typing import Any

from core.store.connection import Snapshot
from tests.queries.comparison.fee_schedules import AN_OFFICE_VISIT, Row, Schedule, differing, store_of_schedules

CODES = tuple(f"{number}" for number in range(20000, 20120))


def amounts(seed: int, codes: Sequence[str] = CODES) -> dict[str, float]:
    """Return an amount for each code, from 20 to 2,000 dollars."""
    draw = random.Random(seed)
    return {code: round(20 * 100 ** draw.random(), 2) for code in codes}


PHYSICIANS, HOSPITALS, CENTERS = amounts(1), amounts(2), amounts(3)
"""What each schedule pays. None has to do with the others."""


def schedules(
    physicians: dict[str, float] = PHYSICIANS,
    hospitals: dict[str, float] = HOSPITALS,
    centers: dict[str, float] = CENTERS,
) -> list[Schedule]:
    """Return the three schedules with these amounts in Georgia."""
    ga: Row = {"state": "GA", "code_type": "CPT"}
    return [
        Schedule("medicare_prof", "2025-01", "US", ["GA"], [
            ga | {"code": code, "status": "A", "medicare_prof_rate": amount, "facility_rate": amount}
            for code, amount in physicians.items()
        ]),
        Schedule("opps", "2025-01", "US", ["GA"], [
            ga | {"code": code, "opps_si": "S", "opps_mar_stateavg": amount} for code, amount in hospitals.items()
        ]),
        Schedule("asc", "2025-01", "US", ["GA"], [
            ga | {"code": code, "asc_pi": "A2", "asc_mar_stateavg": amount} for code, amount in centers.items()
        ]),
    ]  # fmt: skip


def rates_of(paid: dict[str, float], times: float, spread: float, **change: Any) -> list[Row]:
    """Return a rate for each amount: about `times` as much, with a spread of its logarithm."""
    draw = random.Random(7)
    return [
        differing(
            AN_OFFICE_VISIT, {"code": code, "negotiated_rate": amount * times * exp(draw.gauss(0, spread))} | change
        )
        for code, amount in paid.items()
    ]


def store_with(
    root: Path, rates: list[Row], of: list[Schedule] | None = None, **tables: list[dict[str, Any]]
) -> Snapshot:
    """Write a store of rates and schedules, and of the rows of further tables."""
    return store_of_schedules(root, rates, schedules() if of is None else of, tables)
