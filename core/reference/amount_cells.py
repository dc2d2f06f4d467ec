"""Read the amounts in agencies' tables."""

from decimal import Decimal, InvalidOperation


def parse_amount(text: str) -> Decimal | None:
    """Return a weight or rate such as `$3,307.24`, or None for `.` and blank. Raise ValueError if it is neither."""
    plain = text.replace("$", "").replace(",", "").strip()
    if plain in {"", "."}:
        return None
    try:
        value = Decimal(plain)
    except InvalidOperation:
        raise ValueError(f"{text!r} is not a number") from None
    if not value.is_finite() or value < 0:
        raise ValueError(f"{text!r} is not an amount; expected zero or more")
    return value
