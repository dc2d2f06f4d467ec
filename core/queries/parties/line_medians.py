"""Lines of a market: all rates of one code, kind, class and modifier, by their median and each amount's position.

A position is the share of the rates that are lower, those that are equal counting half.
"""

from dataclasses import replace
from typing import Any

from core.queries.latest import find_latest
from core.queries.rules.market import Market
from core.store.connection import Snapshot
from core.store.lookup_sql import lookup_rows
from core.store.schema import lookups

LINE = ("code_type", "code", "kind", "billing_class", "modifier")
"""What the rates that may be compared have in common."""


def lines_of(facts: str) -> str:
    """Return SQL of facts (`facts` is SQL of them) with the columns of their line."""
    return f"""(SELECT *, rate_kind(negotiated_type, negotiation_arrangement) AS kind,
                     billing_code_modifier AS modifier
              FROM {facts})"""


def distributions(facts: str, *scope: str) -> str:
    """Return SQL of the distribution of each line of the facts, in each value of the columns `scope`.

    `rates` is their number, `amounts` the distinct rates in their order, and `positions` the position of each.
    """
    line = ", ".join((*scope, *LINE))
    return f"""
        SELECT {line}, any_value(total) AS rates,
               -- The median lies between the two rates in the middle, as quantile_cont has it.
               min(negotiated_rate) FILTER (2 * up_to >= total) AS lower,
               lower + 0.5 * (min(negotiated_rate) FILTER (2 * up_to > total) - lower) AS median,
               list(negotiated_rate ORDER BY negotiated_rate) AS amounts,
               list((up_to - equal / 2) / total ORDER BY negotiated_rate) AS positions
        FROM (SELECT {line}, negotiated_rate, equal, sum(equal) OVER (PARTITION BY {line})::BIGINT AS total,
                     sum(equal) OVER (
                         PARTITION BY {line} ORDER BY negotiated_rate ROWS UNBOUNDED PRECEDING)::BIGINT AS up_to
              FROM (SELECT {line}, negotiated_rate, count(*) AS equal FROM {lines_of(facts)} GROUP BY ALL))
        GROUP BY {line}"""


_COLUMNS = ", ".join((*LINE, "rates", "median", "amounts", "positions"))

LINE_MEDIAN = replace(lookups.LINE_MEDIAN, query=distributions("{fact_rate}", "state", "year_month"))

STORED_LOOKUPS = tuple(LINE_MEDIAN if one.name == LINE_MEDIAN.name else one for one in lookups.LOOKUPS)
"""All lookups with their queries."""


def line_medians(db: Snapshot) -> str:
    """Return SQL of all lines. The rows of some codes are found by them, stored or not."""
    return f"({lookup_rows(LINE_MEDIAN, db.root, db.manifest)})"


def market_lines(db: Snapshot, market: Market, codes: str) -> tuple[str, dict[str, Any]]:
    """Return SQL of the lines of a market's state and months without its filters, and its parameters.

    `codes` is SQL of a column with the codes that are needed, at least.
    """
    of_codes = f"code IN ({codes})"
    if market.one_month:
        sql = f"""SELECT {_COLUMNS} FROM {line_medians(db)}
                  WHERE state = $state AND year_month = $year_month AND {of_codes}"""
        return sql, {"state": market.state, "year_month": market.one_month}
    # The stored distributions are of one month each, and medians cannot be put together.
    whole = Market(market.state, market.year_month, latest=market.latest or find_latest(db, market.state))
    facts = f"(SELECT f.* FROM fact_rate f WHERE {whole.where} AND f.{of_codes})"
    return f"SELECT {_COLUMNS} FROM ({distributions(facts)})", whole.parameters
