"""The rates in dollars of a market, one by one, and which of them are odd: those that figures leave out."""

from collections.abc import Sequence

from core.queries.comparison.compared_rates import odd_sql
from core.queries.comparison.left_out import counts_everything, has_left_out, marked_sql
from core.queries.market.market import Market
from core.queries.market.market_rates import rates_of_market
from core.queries.rules.percentiles import median
from core.store.market_snapshot import MarketSnapshot


def show_dollar_rates(memory: MarketSnapshot, market: Market) -> str:
    """Show the market's rates in dollars with `is_odd`, and return the name of their table.

    None is odd without a code, as all rates of a month would have to be compared, nor where all are asked in.
    """
    facts, parameters = rates_of_market(memory, market)
    marked = f"({marked_sql(memory, market, facts)})"
    is_odd = "false" if counts_everything(market) else "left_out"
    sql = f"""SELECT pg_uid, negotiated_rate, year_month, reporting_entity_name, {is_odd} AS is_odd FROM {marked} f
              WHERE rate_kind(f.negotiated_type, f.negotiation_arrangement) = 'dollars'"""
    memory.make_for(_DOLLARS, market, lambda: memory.show_table(_DOLLARS, sql, parameters))
    return _DOLLARS


_DOLLARS = "dollar_rate"


def meant_sql(memory: MarketSnapshot, market: Market, rates: str, whose: str) -> str:
    """Return SQL of `rates`, SQL of rates with `is_odd`, as figures of what each party is paid count them.

    Odd ones are left out, unless a party has no others: `whose` are the columns that say whose rates they are.
    """
    if not has_left_out(memory, market):
        return rates
    return f"(FROM {rates} {unless_all_odd(whose)})"


def unless_all_odd(whose: str) -> str:
    """Return the clause of a query that leaves out rates with `is_odd`, unless all that are equal in `whose` are."""
    return f"QUALIFY NOT is_odd OR bool_and(is_odd) OVER (PARTITION BY {whose})"


def mark_odd_sql(
    market: Market, rates: str, columns: Sequence[str], apart: Sequence[str] = (), others: str | None = None
) -> str:
    """Return SQL of some columns of rates in dollars, with `is_error`: implausible and far from others of the class.

    `is_odd` is the same, and false where the market asks all of them in. `rates` is a table with `negotiated_rate`,
    `percent`, `class_of_all`, and `modifier`. The others are those of `rates` that have the same values in the columns
    `apart` as well, or `others`: SQL of the median, `middle`, by these columns.
    """
    of_line = ("class_of_all", "modifier", *apart)
    same = " AND ".join(f"e.{name} IS NOT DISTINCT FROM o.{name}" for name in of_line)
    middles = (
        others
        or f"""SELECT {", ".join(of_line)}, {median("negotiated_rate")} AS middle
                            FROM {rates} GROUP BY {", ".join(of_line)}"""
    )
    return f"""SELECT {", ".join(columns)}, {odd_sql("negotiated_rate", "middle")} AS is_error,
               {"false" if counts_everything(market) else "is_error"} AS is_odd
        FROM (SELECT e.*, o.middle FROM {rates} e LEFT JOIN ({middles}) o ON {same})"""
