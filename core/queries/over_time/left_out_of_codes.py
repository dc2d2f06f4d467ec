"""The rates of many codes that figures leave out as likely errors, each as its code's page leaves it out.

The rule is that of core/queries/comparison/left_out.py, for the class and modifier that a file states. The others of a
rate are those of all payers and places in the state's month, whatever else the question is about. Their medians are
made from stored counts of each amount, and only rates that are beyond them are compared with Medicare.
"""

from typing import Any

from core.queries.comparison.compared_rates import compared_terms_sql
from core.queries.comparison.left_out import COLUMNS, implausible_sql, marked_as_left_out
from core.queries.comparison.lookup_scope import bind_codes, find_scope
from core.queries.coverage import count_market_rates
from core.queries.market.market import Market
from core.queries.market.market_rates import market_facts
from core.queries.parties.line_medians import amounts_of_month
from core.queries.rules.far_from_others import beyond_sql
from core.store.connection import Snapshot
from core.store.market_snapshot import code_snapshot
from core.store.sql import used_parameters

_LINE = ("code_type", "code", "billing_class", "modifier")


def marked_of_codes_sql(db: Snapshot, market: Market, facts: str) -> str:
    """Return SQL of `facts`, SQL of the facts of a market without a code, with the column `left_out`.

    What is found in a month that is not too large is kept for its other questions.
    """
    judged = Market(market.state, market.year_month)
    if market.of_provider or count_market_rates(db, judged) > db.limits.whole_rates:
        return marked_as_left_out(db, facts, find_left_out(db, market))
    key = ("left out of codes", market.state, market.year_month)
    return marked_as_left_out(db, facts, db.markets.make(key, lambda: find_left_out(db, judged)))


def find_left_out(db: Snapshot, market: Market) -> Any:
    """Return the rates of a market of one month without a code that figures leave out: COLUMNS, an Arrow table."""
    beyond = _find_beyond(db, market)
    if not beyond.num_rows:
        return beyond.drop_columns(["rate_count"])
    codes = sorted(set(beyond["code"].to_pylist()))
    with code_snapshot(db, None) as memory:
        memory.shown.add(_BEYOND, beyond)
        compared = compared_terms_sql(_BEYOND, "sum(rate_count)::BIGINT", scope=find_scope(db, market.of_code, codes))
        sql = implausible_sql(_BEYOND, compared)
        values = {**market.of_code.parameters, "codes": bind_codes(codes)}
        return memory.arrow_rows(sql, used_parameters(sql, values))


_BEYOND = "rate_of_codes_beyond_others"


def _find_beyond(db: Snapshot, market: Market) -> Any:
    """Return the market's rates in dollars that are beyond the others of their code, each once, with `rate_count`."""
    facts, of_facts = market_facts(db, market)
    amounts, of_amounts = amounts_of_month(db, market, "SELECT code FROM own")
    line = ", ".join(_LINE)
    same = " AND ".join(f"o.{name} IS NOT DISTINCT FROM m.{name}" for name in _LINE)
    sql = f"""
        WITH own AS MATERIALIZED (
            SELECT {COLUMNS}, billing_code_modifier AS modifier, count(*) AS rate_count
            FROM ({facts}) f
            WHERE negotiated_rate > 0 AND rate_kind(f.negotiated_type, f.negotiation_arrangement) = 'dollars'
            GROUP BY ALL),
        counted AS (
            SELECT {line}, negotiated_rate, sum(equal) AS equal FROM ({amounts}) f WHERE kind = 'dollars' GROUP BY ALL),
        added_up AS (
            SELECT {line}, negotiated_rate, sum(equal) OVER (of_line ROWS UNBOUNDED PRECEDING) AS up_to,
                   sum(equal) OVER (of_line ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS total
            FROM counted WINDOW of_line AS (PARTITION BY {line} ORDER BY negotiated_rate)),
        middles AS (
            SELECT {line}, min(negotiated_rate) FILTER (2 * up_to >= total) AS lower,
                   lower + 0.5 * (min(negotiated_rate) FILTER (2 * up_to > total) - lower) AS middle
            FROM added_up GROUP BY {line})
        SELECT o.* EXCLUDE (modifier) FROM own o JOIN middles m ON {same}
        WHERE {beyond_sql("o.negotiated_rate", "m.middle")}"""
    return db.arrow_rows(sql, {**market.parameters, **of_facts, **of_amounts})
