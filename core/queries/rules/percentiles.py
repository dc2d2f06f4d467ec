"""Percentiles of a distribution. They interpolate, as SQL's quantile_cont does."""

from collections.abc import Sequence

PERCENTILES = {"p10": 0.1, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p90": 0.9}
"""The columns that exist, and which share of the values lies below each."""

FEW_RATES = 5
"""A median of fewer rates than these says little, and is shown with their number."""

FIVE_PERCENTILES = ("p10", "p25", "p50", "p75", "p90")
"""The columns of a row with a spread."""


def percentile_list(value: str, condition: str = "true") -> str:
    """Return SQL of the list of the percentiles of a value, of the rows that meet a condition.

    One aggregate sorts the values once for all of them.
    """
    chosen = "" if condition == "true" else f" FILTER ({condition})"
    return f"quantile_cont({value}, [{', '.join(map(str, PERCENTILES.values()))}]){chosen}"


def percentile_columns(of: str, names: Sequence[str]) -> str:
    """Return SQL of the columns `names`, from a column with the list of the percentiles.

    To show another percentile on one page, add it to PERCENTILES, to the names that the page's question passes here,
    and to its row class. The other pages stay as they are.
    """
    positions = {name: position for position, name in enumerate(PERCENTILES, start=1)}
    return ", ".join(f"{of}[{positions[name]}] AS {name}" for name in names)


def median(value: str, condition: str = "true") -> str:
    """Return SQL of the median of a value, of the rows that meet a condition."""
    chosen = "" if condition == "true" else f" FILTER ({condition})"
    return f"quantile_cont({value}, {PERCENTILES['p50']}){chosen}"


_LARGEST_SUMMED = "1e15"
"""No real rate comes near. Beyond it, a sum might not fit into 38 digits."""


def mean(column: str) -> str:
    """Return SQL of the mean of a column, which is the same number each time.

    A sum of floating-point numbers depends on their order, and DuckDB's threads do not keep one: a mean of $442.545 was
    shown as $442.54 or $442.55. Decimals are summed exactly, in any order.
    """
    exact = f"sum(CASE WHEN {column} < {_LARGEST_SUMMED} THEN {column}::DECIMAL(38, 10) END)::DOUBLE / count({column})"
    return f"CASE WHEN max({column}) < {_LARGEST_SUMMED} THEN {exact} ELSE avg({column}) END"
