"""The months of a market: in each of them, all rates of the state, or those of some payers."""

from collections.abc import Iterable
from typing import Any, NamedTuple


class MarketMonth(NamedTuple):
    """A month of a market. `names` are the payers whose rates of the month are in it, as files name them; None for all.

    A provider group belongs to one month and payer, so tables of groups need no more than the months.
    """

    year_month: str
    names: tuple[str, ...] | None = None


MarketMonths = tuple[MarketMonth, ...]
"""The months of a market, newest first. None of them: every month."""


def month_parameters(months: MarketMonths) -> dict[str, Any]:
    """Return the parameters by which the SQL below binds the months and payers."""
    if _is_one(months):
        return {"year_month": months[0].year_month}
    named = {f"payers_{number}": one.names for number, one in enumerate(months) if one.names is not None}
    return {f"month_{number}": one.year_month for number, one in enumerate(months)} | named


def months_sql(months: MarketMonths) -> str:
    """Return the parameter with the month, or the list of those with the months; empty text for every month."""
    if not months or _is_one(months):
        return "$year_month" if months else ""
    return f"({', '.join(each_month_sql(months))})"


def each_month_sql(months: MarketMonths) -> list[str]:
    """Return the parameter of each month, in their order."""
    return ["$year_month"] if _is_one(months) else [f"$month_{number}" for number in range(len(months))]


def in_months(column: str, months: str) -> str:
    """Return the condition that a column is one of the months, which months_sql has written."""
    if not months:
        return "true"
    # Each month is a value of its own: DuckDB rules out files and row groups by them, but not by a list or a join.
    return f"{column} IN {months}" if months.startswith("(") else f"{column} = {months}"


def facts_in_months(months: MarketMonths, table: str = "f") -> str:
    """Return the condition on a table with payers that selects rows of the months, and in each those of its payers."""
    condition = in_months(f"{table}.year_month", months_sql(months))
    cases = "".join(
        f" WHEN $month_{number} THEN list_contains($payers_{number}, {table}.reporting_entity_name)"
        for number, one in enumerate(months)
        if one.names is not None
    )
    return f"{condition} AND CASE {table}.year_month{cases} ELSE true END" if cases else condition


def is_in_months(months: MarketMonths, year_month: str, name: str) -> bool:
    """Return whether the rates that a payer, as files name it, has of a month are among those of the months."""
    return not months or any(
        one.year_month == year_month and (one.names is None or name in one.names) for one in months
    )


def names_of_months(months: Iterable[MarketMonth]) -> list[str]:
    """Return the months by their names."""
    return [one.year_month for one in months]


def _is_one(months: MarketMonths) -> bool:
    return len(months) == 1 and months[0].names is None
