"""When figures are too close for one of them to be called the most: a rule of all first sentences."""

from collections.abc import Sequence

ALIKE = 1.05
"""Figures within this factor of each other differ by nothing worth naming."""


def are_alike(figures: Sequence[float]) -> bool:
    """Return whether there are several figures, the highest of which is within ALIKE of the lowest."""
    return len(figures) > 1 and max(figures) <= ALIKE * min(figures)
