"""The rule that marks a rate in dollars as far from the others: those of its code, class, and modifier in a market.

A percent of Medicare says which rates cannot be meant (see PLAUSIBLE_SQL); these are rates that nobody else is paid.
They stay in medians and percentiles. This rule has no other copy.
"""

FAR_TIMES = 5
"""A rate is far from the others if it is over so many times their median, or under the same share of it."""

LEAST_OTHERS = 10
"""The median of fewer rates than these says nothing about one of them."""


def far_sql(rate: str, middle: str, rates: str) -> str:
    """Return SQL of whether a rate is far from `rates` rates, itself included, whose median is `middle`.

    It is false where their median is not known.
    """
    return f"""coalesce({rates} >= {LEAST_OTHERS}
        AND ({rate} > {FAR_TIMES} * {middle} OR {FAR_TIMES} * {rate} < {middle}), false)"""


def is_far(rate: float, middle: float, rates: int) -> bool:
    """Return the same for values in Python."""
    return rates >= LEAST_OTHERS and (rate > FAR_TIMES * middle or rate * FAR_TIMES < middle)
