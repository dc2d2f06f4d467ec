"""The lines of a provider's codes without the rates that figures leave out, as on the page of each code.

Which rates these are is decided in the line, as core/queries/comparison/left_out.py decides it in the class of a code's
page. Lines are stored before anything is compared. Only rates that are beyond the others of their line may be left out,
so only these are read again, and compared. The amounts that are left get new positions.
"""

from collections.abc import Sequence

from core.fields.places.care_setting import FACILITY_OR_UNSTATED
from core.queries.comparison.compared_rates import compared_sql, odd_sql
from core.queries.comparison.left_out import counts_everything
from core.queries.comparison.lookup_scope import bind_codes, find_scope
from core.queries.market.market import Market
from core.queries.market.market_rates import market_facts
from core.queries.parties.line_medians import EITHER, INSIDE, LEAST_FOR_PERCENTILES, LINE, OUTSIDE, TERMS, market_lines
from core.queries.rules.far_from_others import beyond_sql
from core.queries.rules.listed_codes import in_codes
from core.store.market_snapshot import MarketSnapshot

LINES_OF_CODES = "provider_line"
"""The table in memory of the lines of a provider's codes: LINE, `rates`, `median`, `amounts`, and `positions`.

A rate that is left out has a position as well, since figures are of such rates where a provider has no others.
`few_amounts` are the others' amounts, of a line with few. `middle_of_all` and `all_rates` are of all rates.
"""

_ALL_LINES, _BEYOND, _LEFT_OUT = "provider_line_of_all", "beyond_line", "left_out_of_line"
"""Tables in memory: the lines of all rates, their amounts that are beyond the others, and how many of each amount are
left out."""

_NAMES = ", ".join(LINE)


def keep_lines_in_figures(
    provider: MarketSnapshot, market: Market, own: str, paid_less: str, sides: str, side: str
) -> None:
    """Show LINES_OF_CODES. `own` is a table of the provider's rates, and `paid_less` what market_lines takes.

    Of lines that have none of the provider's rates, nothing is left out: nobody looks at them. `sides` is a table with
    `is_inside` of each `pos_set_id`, joined AS p, and `side` SQL of what a rate AS f says.
    """
    made_from = market.parameters
    provider.keep_table(
        _ALL_LINES, *market_lines(provider, market, f"SELECT code FROM {own}", paid_less), made_from=made_from
    )
    if counts_everything(market) or not _keep_left_out(provider, market, own, sides, side):
        provider.keep_table(LINES_OF_CODES, f"SELECT *, {_OF_ALL} FROM {_ALL_LINES}", {}, made_from=made_from)
        return
    provider.keep_table(LINES_OF_CODES, _LINES_LEFT, {}, made_from=made_from)


def _keep_left_out(provider: MarketSnapshot, market: Market, own: str, sides: str, side: str) -> bool:
    """Show how many rates of each line and amount are left out, and return whether there may be any."""
    provider.keep_table(
        _BEYOND,
        f"""SELECT * FROM (SELECT {_NAMES}, median AS middle, unnest(amounts) AS negotiated_rate
                           FROM {_ALL_LINES} l SEMI JOIN {own} f ON {_same("l", "f", TERMS)}
                           WHERE kind = 'dollars')
            WHERE negotiated_rate > 0 AND {beyond_sql("negotiated_rate", "middle")}""",
        {},
        made_from=market.parameters,
    )
    codes = [code for (code,) in provider.rows(f"SELECT DISTINCT code FROM {_BEYOND} ORDER BY code")]
    if not codes:
        return False
    whole = market.of_code.without("code_type", "code")
    facts, of_facts = market_facts(provider, whole)
    listed, numbers = in_codes(codes)
    same_rate = _same("r", "f", ("code_type", "code", "negotiated_rate"))
    compared = compared_sql(
        listed,
        f"(SELECT f.* FROM ({facts}) f SEMI JOIN {_BEYOND} r ON {same_rate})",
        scope=find_scope(provider, whole, codes),
    )
    provider.keep_table(
        _LEFT_OUT,
        f"""{compared},
            placed AS (
                SELECT f.code_type, f.code, f.kind, f.billing_class, f.billing_code_modifier AS modifier,
                       f.negotiated_rate, percent, f.negotiated_rate / other_amount AS other_percent, {side} AS side,
                       coalesce(p.is_inside, false) AS is_inside
                FROM compared f LEFT JOIN {sides} p ON p.pos_set_id = f.pos_set_id),
            beside AS (
                SELECT r.*, {percent_of_side_sql("r", "f")} AS percent
                FROM {_BEYOND} r JOIN placed f ON {_same("r", "f", (*TERMS, "negotiated_rate"))}
                    AND (r.care_setting IS NULL OR f.side = '{EITHER}'
                         OR f.side = if(r.care_setting = '{FACILITY_OR_UNSTATED}', '{INSIDE}', '{OUTSIDE}')))
            SELECT {_NAMES}, negotiated_rate, count(*) AS left_out FROM beside
            WHERE {odd_sql("negotiated_rate", "middle")} GROUP BY ALL""",
        {**whole.parameters, **of_facts, **numbers, "codes": bind_codes(codes)},
        made_from=market.parameters,
    )
    return True


def percent_of_side_sql(line: str, rate: str) -> str:
    """Return SQL of a rate's percent of Medicare on the side of its line: a rate for either side has one on each."""
    return f"""if({line}.care_setting IS NOT NULL AND {rate}.side = '{EITHER}'
                  AND {rate}.is_inside <> ({line}.care_setting = '{FACILITY_OR_UNSTATED}'),
               coalesce({rate}.other_percent, {rate}.percent), {rate}.percent)"""


def _same(one: str, other: str, names: Sequence[str]) -> str:
    return " AND ".join(f"{one}.{name} IS NOT DISTINCT FROM {other}.{name}" for name in names)


_OF_ALL = f"""
    if(rates < {LEAST_FOR_PERCENTILES}, amounts, NULL) AS few_amounts, rates AS all_rates, median AS middle_of_all"""

_SIGN = "if(step % 2 = 0, 1, -1)"

_LINES_LEFT = f"""
    WITH listed AS (
        SELECT {_NAMES}, rates AS all_rates, median AS middle_of_all, unnest(amounts) AS amount,
               unnest(positions) AS position, generate_subscripts(amounts, 1) AS step
        FROM {_ALL_LINES} l SEMI JOIN {_LEFT_OUT} o ON {_same("l", "o", LINE)}),
    -- A position is halfway between the rates up to the amount before and those up to the amount, of all: twice its
    -- number of rates is the sum of both.
    added_up AS (
        SELECT *, ({_SIGN} * sum({_SIGN} * round(2 * all_rates * position)) OVER of_line)::BIGINT AS up_to
        FROM listed WINDOW of_line AS (PARTITION BY {_NAMES} ORDER BY step ROWS UNBOUNDED PRECEDING)),
    counted AS (
        SELECT *, up_to - lag(up_to, 1, 0) OVER (PARTITION BY {_NAMES} ORDER BY step) AS equal FROM added_up),
    left_over AS (
        SELECT l.* EXCLUDE (up_to) REPLACE (equal - coalesce(o.left_out, 0) AS equal)
        FROM counted l LEFT JOIN {_LEFT_OUT} o ON {_same("l", "o", LINE)} AND o.negotiated_rate = l.amount),
    totals AS (
        SELECT *, sum(equal) OVER (of_line ROWS UNBOUNDED PRECEDING)::BIGINT AS up_to,
               sum(equal) OVER (PARTITION BY {_NAMES})::BIGINT AS total
        FROM left_over WINDOW of_line AS (PARTITION BY {_NAMES} ORDER BY step))
    SELECT {_NAMES}, any_value(total) AS rates,
           min(amount) FILTER (equal > 0 AND 2 * up_to >= total)
               + 0.5 * (min(amount) FILTER (equal > 0 AND 2 * up_to > total)
                        - min(amount) FILTER (equal > 0 AND 2 * up_to >= total)) AS median,
           list(amount ORDER BY step) AS amounts, list((up_to - equal / 2) / total ORDER BY step) AS positions,
           if(any_value(total) < {LEAST_FOR_PERCENTILES}, list(amount ORDER BY step) FILTER (equal > 0), NULL)
               AS few_amounts,
           any_value(all_rates) AS all_rates, any_value(middle_of_all) AS middle_of_all
    FROM totals GROUP BY {_NAMES}
    UNION ALL
    SELECT *, {_OF_ALL} FROM {_ALL_LINES} l ANTI JOIN {_LEFT_OUT} o ON {_same("l", "o", LINE)}"""
