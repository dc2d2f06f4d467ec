"""Lines of a market: all rates of one code, kind, class and modifier, by their median and each amount's position.

A position is the share of the rates that are lower, those that are equal counting half.

Lines are stored (docs/decisions/0066). Where they are not, and the market is large, nobody waits for them: they are
then not known.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from core.fields.providers.payer_slug import make_payer_slug
from core.queries.coverage import count_market_rates, list_payers
from core.queries.latest import find_latest
from core.queries.market.market import Market
from core.queries.rules.listed_codes import in_codes
from core.store.connection import Snapshot
from core.store.generations.layout import layout_named, parts
from core.store.lookup_sql import lookup_rows
from core.store.schema import lookups
from core.store.schema.tables import FACT_RATE

LINE = ("code_type", "code", "kind", "billing_class", "modifier")
"""What the rates that may be compared have in common."""


LEAST_FOR_PERCENTILES = 20
"""With fewer rates in a line, a place says more than a percentile: the 93rd percentile of seven is the highest."""


def lines_of(facts: str) -> str:
    """Return SQL of facts (`facts` is SQL of them) with the columns of their line."""
    return f"""(SELECT *, rate_kind(negotiated_type, negotiation_arrangement) AS kind,
                     billing_code_modifier AS modifier
              FROM {facts})"""


def count_amounts(facts: str, *scope: str) -> str:
    """Return SQL of the distinct rates of each line of the facts, in each value of the columns `scope`.

    `equal` is how many facts have the rate.
    """
    line = ", ".join((*scope, *LINE))
    return f"SELECT {line}, negotiated_rate, count(*) AS equal FROM {lines_of(facts)} GROUP BY ALL"


def distributions(counted: str, *scope: str) -> str:
    """Return SQL of the distribution of each line, in each value of the columns `scope`.

    `counted` is SQL with the columns of count_amounts, in which a rate may have several rows. In the answer, `rates` is
    the number of rates of the line, `amounts` the distinct ones in their order, and `positions` the position of each.
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
              FROM (SELECT {line}, negotiated_rate, sum(equal) AS equal FROM ({counted}) GROUP BY ALL))
        GROUP BY {line}"""


_COLUMNS = ", ".join((*LINE, "rates", "median", "amounts", "positions"))

_MONTH = ("state", "year_month")

LINE_MEDIAN = replace(lookups.LINE_MEDIAN, query=distributions(count_amounts("{fact_rate}", *_MONTH), *_MONTH))

LINE_AMOUNT = replace(lookups.LINE_AMOUNT, query=count_amounts("{fact_rate}", *_MONTH, "reporting_entity_name"))

_WITH_QUERIES = {lookup.name: lookup for lookup in (LINE_MEDIAN, LINE_AMOUNT)}

STORED_LOOKUPS = tuple(_WITH_QUERIES.get(one.name, one) for one in lookups.LOOKUPS)
"""All lookups with their queries."""


def rows_of(lookup: lookups.Lookup, db: Snapshot) -> str:
    """Return SQL of all rows of a lookup of lines. Those of some codes are found by them, where they are stored."""
    return f"({lookup_rows(lookup, db.root, db.manifest)})"


def knows_lines(db: Snapshot, market: Market) -> bool:
    """Return whether the lines of a market are known: they are stored, or few enough to be made when asked for."""
    return _source_of_lines(db, _whole(db, market)) != _NOT_KNOWN


def market_lines(db: Snapshot, market: Market, codes: str) -> tuple[str, dict[str, Any]]:
    """Return SQL of the lines of a market's state and months without its filters, and its parameters.

    `codes` is SQL of a column with the codes that are needed, at least. There are no lines where they are not known.
    """
    whole = _whole(db, market)
    where, parameters = f"{whole.where} AND f.code IN ({codes})", whole.parameters
    source = _source_of_lines(db, whole)
    if source == _NOT_KNOWN:
        return (
            f"""SELECT {", ".join(f"NULL::VARCHAR AS {name}" for name in LINE)}, NULL::BIGINT AS rates,
                          NULL::DOUBLE AS median, NULL::DOUBLE[] AS amounts, NULL::DOUBLE[] AS positions LIMIT 0""",
            {},
        )
    if source == LINE_MEDIAN.name:
        return f"SELECT {_COLUMNS} FROM {rows_of(LINE_MEDIAN, db)} f WHERE {where}", parameters
    # Medians of months and payers cannot be put together, but their rates can.
    if source == LINE_AMOUNT.name:
        counted = f"SELECT {', '.join(LINE)}, negotiated_rate, equal FROM {rows_of(LINE_AMOUNT, db)} f WHERE {where}"
    else:
        counted = count_amounts(f"(SELECT f.* FROM {FACT_RATE.name} f WHERE {where})")
    return f"SELECT {_COLUMNS} FROM ({distributions(counted)})", parameters


def list_payers_of_lines(db: Snapshot, market: Market, codes: Sequence[str]) -> dict[tuple[Any, ...], list[str]]:
    """Return the names of the payers whose rates a line's median is of, by the values of LINE, for the lines of codes.

    A label that does not fit leaves a payer alone in its line: its median is then its own, and no market's.
    """
    whole = _whole(db, market)
    if not codes or _source_of_lines(db, whole) == _NOT_KNOWN:
        return {}
    listed, bound = in_codes(codes)
    where = f"{whole.where} AND {listed}"
    if _is_stored(db, LINE_AMOUNT, whole):
        rates = f"(SELECT f.* FROM {rows_of(LINE_AMOUNT, db)} f WHERE {where})"
    else:
        rates = lines_of(f"(SELECT f.* FROM {FACT_RATE.name} f WHERE {where})")
    rows = db.rows(
        f"SELECT DISTINCT {', '.join(LINE)}, reporting_entity_name FROM {rates}", {**whole.parameters, **bound}
    )
    names = dict(list_payers(db))
    found: dict[tuple[Any, ...], set[str]] = {}
    for *line, name in rows:
        found.setdefault(tuple(line), set()).add(names.get(make_payer_slug(name), name))
    return {line: sorted(payers) for line, payers in found.items()}


_NOT_KNOWN = ""


def _source_of_lines(db: Snapshot, market: Market) -> str:
    """Return the lookup or table that the lines of a market without filters are read from; _NOT_KNOWN for none."""
    if market.one_month and _is_stored(db, LINE_MEDIAN, market):
        return LINE_MEDIAN.name
    if _is_stored(db, LINE_AMOUNT, market):
        return LINE_AMOUNT.name
    return FACT_RATE.name if count_market_rates(db, market) <= db.limits.whole_rates else _NOT_KNOWN


def _is_stored(db: Snapshot, lookup: lookups.Lookup, market: Market) -> bool:
    """Return whether all of a market's rows of a lookup are stored."""
    by = layout_named(db.manifest.layout).by
    asked = {"state": {market.state}, "year_month": set(market.month_names)}
    missing = [part.files for part in db.manifest.lookup_parts(lookup) if part.answer is None]
    shards = [parts(file.shard) for files in missing for file in files if file.rows]
    return not any(all(shard[name] in asked[name] for name in by) for shard in shards)


def _whole(db: Snapshot, market: Market) -> Market:
    """Return the market of the same state and months without filters."""
    if market.one_month:
        return Market(market.state, market.one_month)
    return Market(market.state, "", latest=market.latest or find_latest(db, market.state))
