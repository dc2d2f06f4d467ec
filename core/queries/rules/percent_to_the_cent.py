"""When a price is a percent of a fee schedule's amount to the cent, and how likely any other price is one by chance.

The tax ID's page, the rates of a code, and the rule behind a contract all ask this here, so that they agree.
"""

import numpy as np
import numpy.typing as npt

MAX_CHANCE = 0.01
"""Prices are percents if the chance that others would be is at most this: of small amounts, any price is some."""

_HALF_CENT = 0.005
_FLOAT_ERROR = 1e-7


def allowed_difference(percent: float) -> float:
    """Return how far a price may be off: the amount was rounded to cents before it was multiplied, the price after."""
    return _HALF_CENT * (1 + max(percent, 1)) + _FLOAT_ERROR


def allowed_differences(percents: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return what allowed_difference does of each percent."""
    return _HALF_CENT * (1 + np.maximum(percents, 1)) + _FLOAT_ERROR


def allowed_difference_sql(percent: str) -> str:
    """Return SQL of what allowed_difference returns."""
    return f"{_HALF_CENT} * (1 + greatest({percent}, 1)) + {_FLOAT_ERROR}"


def is_percent_of(price: float, percent: float, amount: float) -> bool:
    """Return whether a price is a percent of an amount."""
    return abs(price - percent * amount) <= allowed_difference(percent)


def chance_of_areas(percent: float, areas: int, lowest: float, highest: float) -> float:
    """Return about how likely a price between a percent of the lowest and of the highest amount is that of an area."""
    return min(1, areas * 2 * allowed_difference(percent) / max(percent * (highest - lowest), 1e-9))
