"""The one price that an organization is said to be paid, where a payer's file gives it several. It has no other copy.

It is a price of a contract: of the prices in order, the one in the middle, and of two in the middle the lower one. A
median that lies between two is in no contract. Likely errors are left out, see odd_sql: of $12.88 and
$464.83 for a scan, the second one is what is paid.
"""

from core.queries.rules.percentiles import PERCENTILES


def lower_median(value: str, condition: str = "true") -> str:
    """Return SQL of the value in the middle, of the rows that meet a condition: of two, the lower one."""
    chosen = "" if condition == "true" else f" FILTER ({condition})"
    return f"quantile_disc({value}, 0.5){chosen}"


def lower_quartiles(value: str) -> str:
    """Return SQL of the list of the quartiles of a value, each of which is one of the values."""
    return f"quantile_disc({value}, [0.25, 0.5, 0.75])"


def lower_percentiles(value: str) -> str:
    """Return SQL of the list of the percentiles of a value, each of which is one of the values."""
    return f"quantile_disc({value}, [{', '.join(map(str, PERCENTILES.values()))}])"


def price_sql(value: str = "negotiated_rate", is_odd: str = "is_odd", condition: str = "true") -> str:
    """Return SQL of the price of an organization, of its rates that meet a condition.

    Where all of them are odd, nothing better is known than the one in the middle of these.
    """
    return f"coalesce({lower_median(value, f'{condition} AND NOT {is_odd}')}, {lower_median(value, condition)})"


def price_percentiles(value: str = "negotiated_rate", is_odd: str = "is_odd") -> str:
    """Return SQL of the list of the percentiles of an organization's rates, of which the middle one is its price.

    They are of the same rates as the price, and each is one of them. Between two rates, the lower one would be outside
    of interpolated percentiles.
    """
    of_all = lower_percentiles(value)
    return f"coalesce({of_all} FILTER (NOT {is_odd}), {of_all})"


def counted_prices(value: str = "negotiated_rate", is_odd: str = "is_odd") -> str:
    """Return SQL of the list of an organization's different prices that its price is one of, lowest first."""
    different = f"list(DISTINCT {value})"
    return f"list_sort(coalesce({different} FILTER (NOT {is_odd}), {different}))"
