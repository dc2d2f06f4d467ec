"""Whether a payer's rates fit the fee schedules of the class that its file states, or clearly those of the other class.

A file may label all its rates with the wrong class, and a surgical center's fees are billed on the form of
professionals. The rates themselves show it: those that were negotiated as a percent of a schedule are close to one
multiple of its amounts, and far from any multiple of another's. `spread` is the standard deviation of
ln(rate / amount). Two schedules are compared over the codes that both price, because codes of one kind spread less than
those of many kinds.

A label is overruled only if the evidence is overwhelming. docs/decisions/0058 has the measurements behind the numbers.
"""

from math import exp, sqrt

LEAST_CODES = 3
"""Two codes have a spread, but one wrong rate decides it."""

LEAST_RATIO = 1.5
"""The spreads' ratio for any number of codes. Rates that fit neither schedule (a payer's own charges) have ratios of
0.8 to 1.2. Mislabeled files of real payers have 1.6 and 2.3."""

STANDARD_ERRORS = 3.3
"""How many standard errors above 1 the ratio must be: chance does that once in 1,000 times. The standard error of the
logarithm of a ratio of two spreads over n codes is 1 / sqrt(n - 1). Three codes need a ratio of 10, ten codes one of 3,
and from 68 codes on LEAST_RATIO decides."""

PLAUSIBLE_MEDIANS = (0.5, 4.0)
"""The median of rate / amount must be plausible for the other schedule. Commercial payers pay about 0.8 to 3 times
Medicare; a median outside of this range means that the rates are for another unit or service, however tightly they
fit: hospitals' prices at five times a physician's fee are hospitals' prices."""


def needed_ratio(codes: int) -> float:
    """Return how many times as large as the other schedule's spread the label's spread must be, over so many codes."""
    return max(LEAST_RATIO, exp(STANDARD_ERRORS / sqrt(codes - 1)))


def is_overwhelming(codes: int, label_spread: float, spread: float, median: float) -> bool:
    """Return whether the rates of so many codes fit the other schedule so much better that the label must be wrong."""
    least, most = PLAUSIBLE_MEDIANS
    return (
        codes >= LEAST_CODES and least <= median <= most and label_spread > 0
        and label_spread >= needed_ratio(codes) * spread
    )  # fmt: skip
