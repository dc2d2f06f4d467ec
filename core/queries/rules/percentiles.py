"""The five percentiles of a distribution, which all pages show. They interpolate, as SQL's quantile_cont does."""

from collections.abc import Sequence

PERCENTILES = {"p10": 0.1, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p90": 0.9}
"""The columns, and which share of the values lies below each."""


def percentile_list(value: str, condition: str = "true") -> str:
    """Return SQL of the list of the percentiles of a value, of the rows that meet a condition.

    One aggregate sorts the values once for all of them.
    """
    chosen = "" if condition == "true" else f" FILTER ({condition})"
    return f"quantile_cont({value}, [{', '.join(map(str, PERCENTILES.values()))}]){chosen}"


def percentile_columns(of: str, names: Sequence[str] = tuple(PERCENTILES)) -> str:
    """Return SQL of a column for each percentile, from a column with their list."""
    places = {name: place for place, name in enumerate(PERCENTILES, start=1)}
    return ", ".join(f"{of}[{places[name]}] AS {name}" for name in names)


def median(value: str, condition: str = "true") -> str:
    """Return SQL of the median of a value, of the rows that meet a condition."""
    chosen = "" if condition == "true" else f" FILTER ({condition})"
    return f"quantile_cont({value}, {PERCENTILES['p50']}){chosen}"
