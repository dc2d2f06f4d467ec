"""The rules that say which rates in dollars are likely errors, and which are far from the others and may be meant.

The others are those of a rate's code, class, and modifier in a market, of all payers. A percent of Medicare says which
rates are implausible (see PLAUSIBLE_SQL). What is implausible and beyond the others as well is left out of figures, see
core/queries/comparison/left_out.py. What is one of the two is marked, and counts. These rules have no other copy.
"""

FAR_TIMES = 5
"""A rate is beyond the others if it is over so many times their median, or under the same share of it."""

LEAST_OTHERS = 10
"""Of a rate that is not implausible, the median of fewer rates than these says nothing."""


def beyond_sql(rate: str, middle: str) -> str:
    """Return SQL of whether a rate is beyond others whose median, itself included, is `middle`; false if it is null."""
    return f"coalesce({rate} > {FAR_TIMES} * {middle} OR {FAR_TIMES} * {rate} < {middle}, false)"


def far_sql(rate: str, middle: str, rates: str) -> str:
    """Return SQL of whether a rate is far from `rates` rates, itself included, whose median is `middle`.

    It is false where their median is not known.
    """
    return f"(coalesce({rates} >= {LEAST_OTHERS}, false) AND {beyond_sql(rate, middle)})"


def is_far(rate: float, middle: float, rates: int) -> bool:
    """Return the same for values in Python."""
    return rates >= LEAST_OTHERS and (rate > FAR_TIMES * middle or rate * FAR_TIMES < middle)
