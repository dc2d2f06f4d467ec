"""Keep decimals of agencies' files as whole numbers, so that amounts can be computed exactly."""

from decimal import Decimal, InvalidOperation


def scale_decimal(text: str, decimals: int) -> int:
    """Return a decimal as a whole number of 10**-decimals. Raise ValueError if it is none or has more decimals."""
    try:
        scaled = Decimal(text).scaleb(decimals)
    except InvalidOperation:
        raise ValueError(f"{text!r} is not a number") from None
    if not scaled.is_finite() or scaled != scaled.to_integral_value():
        raise ValueError(f"{text!r} has more than {decimals} decimals")
    return int(scaled)


def parse_money(text: str, decimals: int = 2) -> int:
    """Return an amount such as `$4,456.72` as a whole number of 10**-decimals dollars. Raise ValueError if it is none.

    Excel stores an amount as a binary fraction, so that trailing digits of a calculation may follow: they are rounded.
    """
    plain = text.replace("$", "").replace(",", "").strip()
    try:
        value = round(Decimal(plain).scaleb(decimals))
    except (InvalidOperation, ValueError, OverflowError):
        raise ValueError(f"{text!r} is not an amount in dollars") from None
    if value < 0:
        raise ValueError(f"{text!r} is not an amount; expected zero or more")
    return value
