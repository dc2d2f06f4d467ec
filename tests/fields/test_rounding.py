"""Rounding, as money is rounded."""

import pytest

from core.fields.rounding import round_half_up


@pytest.mark.parametrize(
    ("value", "digits", "rounded"),
    [(2.675, 2, 2.68), (2.665, 2, 2.67), (-2.675, 2, -2.68), (0.125, 2, 0.13), (1e-9, 2, 0.0), (1e300, 2, 1e300)],
)
def test_a_half_goes_away_from_zero(value: float, digits: int, rounded: float) -> None:
    assert round_half_up(value, digits) == rounded
