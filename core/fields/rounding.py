"""One way to round amounts, wherever a person reads them."""

from decimal import ROUND_HALF_UP, Decimal

_NO_FRACTION = 1e15
"""Beyond this, a float has no digits after the point to round."""


def round_half_up(value: float, digits: int) -> float:
    """Return a number rounded to this number of digits after the point; a half goes away from zero, as with money.

    The number is taken as it is written: 2.675 is a half, although the binary fraction behind it is a little less.
    """
    if abs(value) >= _NO_FRACTION:
        return value
    return float(Decimal(repr(float(value))).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP))
