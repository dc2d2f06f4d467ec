"""The rates in dollars of a market, one by one, and which of them are odd: implausible, or far from the others."""

from collections.abc import Sequence
from typing import Any

from core.queries.comparison.asked_place import asked_place
from core.queries.comparison.compared_rates import IS_ODD_SQL, compared_sql
from core.queries.comparison.lookup_scope import find_scope
from core.queries.comparison.lookups import keep_lookups
from core.queries.market.market import Market
from core.queries.market.market_rates import class_of_all_sql, market_facts, rates_of_market
from core.queries.rules.far_from_others import far_sql
from core.queries.rules.percentiles import median
from core.store.market_snapshot import MarketSnapshot
from core.store.sql import used_parameters


def show_dollar_rates(memory: MarketSnapshot, market: Market) -> str:
    """Show the market's rates in dollars with `is_odd`, and return the name of their table.

    Without a code, none is: all rates of a month would have to be compared. Medicare's amounts are the state's means,
    as a rate that cannot be meant is off by more than areas differ.
    """
    sql, parameters = _compared(memory, market) if market.code else _not_compared(memory, market)
    values = {**market.parameters, **parameters}
    memory.make_for(_DOLLARS, market, lambda: memory.show_table(_DOLLARS, sql, used_parameters(sql, values)))
    return _DOLLARS


_DOLLARS = "dollar_rate"
_COLUMNS = "pg_uid, negotiated_rate, year_month, reporting_entity_name"


def _not_compared(memory: MarketSnapshot, market: Market) -> tuple[str, dict[str, Any]]:
    facts, parameters = rates_of_market(memory, market)
    in_dollars = "rate_kind(f.negotiated_type, f.negotiation_arrangement) = 'dollars'"
    return f"SELECT {_COLUMNS}, false AS is_odd FROM {facts} f WHERE {in_dollars}", parameters


def _compared(memory: MarketSnapshot, market: Market) -> tuple[str, dict[str, Any]]:
    facts, parameters = market_facts(memory, market)
    compared = compared_sql(
        "true",
        f"({facts})",
        place=asked_place(market),
        basis=market.basis,
        yardstick=market.yardstick,
        scope=keep_lookups(memory, market, find_scope(memory, market)),
    )
    sql = f"""
        {compared},
        each AS MATERIALIZED (
            SELECT {_COLUMNS}, percent, {class_of_all_sql(market, "billing_class")} AS class_of_all,
                   billing_code_modifier AS modifier
            FROM compared WHERE kind = 'dollars')
        {mark_odd_sql("each", _COLUMNS)}"""
    return sql, parameters


def mark_odd_sql(rates: str, columns: str, apart: Sequence[str] = ()) -> str:
    """Return SQL of some columns of rates in dollars, with `is_odd`: implausible, or far from the others of its class.

    `rates` is a table with `negotiated_rate`, `percent`, `class_of_all`, and `modifier`. The others are those that have
    the same values in the columns `apart` as well.
    """
    of_line = ("class_of_all", "modifier", *apart)
    same = " AND ".join(f"e.{name} IS NOT DISTINCT FROM o.{name}" for name in of_line)
    return f"""SELECT {columns}, {IS_ODD_SQL} AS is_odd
        FROM (SELECT e.*, {far_sql("negotiated_rate", "o.middle", "o.others")} AS is_far
              FROM {rates} e
              JOIN (SELECT {", ".join(of_line)}, count(*) AS others, {median("negotiated_rate")} AS middle
                    FROM {rates} GROUP BY {", ".join(of_line)}) o ON {same})"""
