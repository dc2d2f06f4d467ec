"""The rates of two months, each with what became of it: the one copy of these rules.

Group ids and pg_uids change with every file. A rate is known again by its payer, its provider (the group's set of tax
numbers; where none is known, its set of NPIs), its code and its terms: the columns of KEY. Several rates may share a
key: they are compared as multisets. Equal rates pair first; of the others the lowest pairs with the lowest, and so on;
what is left over was added or is gone. Rates whose group has no known member cannot be known again: `unmatched`.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import duckdb

from core.queries.rules.market import Market
from core.store.connection import Snapshot

KEY = (
    "payer_slug", "code_type", "code", "who", "billing_class", "billing_code_modifier", "pos_set_id", "negotiated_type",
    "negotiation_arrangement", "setting", "severity_of_illness",
)  # fmt: skip
"""What a rate of one month has in common with the same rate of another; `who` stands for the provider."""

OUTCOMES = {
    "up": "The same provider and terms, a higher rate.",
    "down": "The same provider and terms, a lower rate.",
    "added": "Not in the earlier month.",
    "gone": "Not in the later month.",
    "same": "The same provider, terms and rate.",
    "unmatched": "The file does not say who the provider is, so that the rate cannot be known again.",
}
"""What can become of a rate."""


@contextmanager
def match(db: Snapshot, market: Market, before: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """A cursor with the rates of the market's month and of the month `before` in three tables of its own.

    matched has every rate of both months once: term (a row of `terms`: the columns of KEY but who), who (a number, NULL
    where the provider is not known; `members` has its pg_uids), old and new (NULL where there is none), rates (how
    many), and what (OUTCOMES).
    """
    known = {**market.parameters, "before": before}
    steps = {"terms": _terms(market)}
    if market.code:
        steps["f"] = _facts(market)
        steps["members"] = _members(market, "SELECT DISTINCT pg_uid FROM f")
        steps["matched"] = _matched("f")
    else:
        # Millions of rates are read once more rather than kept; the groups are all that the payer has.
        groups = f"SELECT pg_uid FROM dim_provider_group x WHERE {condition_on_members(market)}"
        steps["members"] = _members(market, groups)
        steps["matched"] = _matched(f"({_facts(market)})")
    with db.cursor() as cursor:
        for name, sql in steps.items():
            cursor.execute(f"CREATE TEMP TABLE {name} AS {sql}", bound_in(sql, known))
        yield cursor


def bound_in(sql: str, known: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that a statement names: DuckDB takes no others."""
    names = set(re.findall(r"\$(\w+)", sql))
    return {name: value for name, value in known.items() if name in names}


def condition_on_members(market: Market) -> str:
    """The condition on a table of groups' members (AS x): the two months, and the payer where it is given."""
    return "x.year_month IN ($before, $year_month)" + (" AND x.payer_slug = $payer" if market.payer else "")


_COLUMNS = ["payer_slug" if name == "payer_slug" else f"f.{name}" for name in KEY if name != "who"]

# A whole payer has millions of rates: they are counted by two numbers, a hash of their terms (64 bits over some
# thousands of terms) and the provider's, and the terms are looked up for what is shown.
_TERM = f"hash({', '.join(_COLUMNS)}) AS term"


def _months(market: Market, columns: str) -> tuple[str, str]:
    """Of the facts in the earlier month, and in the later."""
    facts = "fact_rate f JOIN dim_payer_bridge ON reporting_entity_name_raw = f.reporting_entity_name"
    before = market.where.replace("$year_month", "$before")
    return f"SELECT {columns} FROM {facts} WHERE {before}", f"SELECT {columns} FROM {facts} WHERE {market.where}"


def _facts(market: Market) -> str:
    old, new = _months(market, f"f.pg_uid, f.negotiated_rate AS rate, {_TERM}")
    return f"SELECT *, false AS later FROM ({old}) UNION ALL SELECT *, true FROM ({new})"


def _terms(market: Market) -> str:
    names = (f"any_value({column}) AS {column.removeprefix('f.')}" for column in _COLUMNS)
    old, new = _months(market, f"{_TERM}, {', '.join(names)}")
    return f"SELECT DISTINCT ON (term) * FROM ({old} GROUP BY term UNION ALL {new} GROUP BY term)"


def _members(market: Market, groups: str) -> str:
    of_months = condition_on_members(market)
    return f"""
        WITH groups AS ({groups}),
        by_tin AS (
            SELECT pg_uid, md5(string_agg(tin_type || tin_value, ',' ORDER BY tin_type, tin_value)) AS provider
            FROM xref_group_tin x SEMI JOIN groups USING (pg_uid) WHERE {of_months} GROUP BY pg_uid),
        without_tin AS (SELECT pg_uid FROM groups ANTI JOIN by_tin USING (pg_uid)),
        by_npi AS (
            SELECT pg_uid, md5(string_agg(npi, ',' ORDER BY npi)) AS provider
            FROM xref_group_npi x SEMI JOIN without_tin USING (pg_uid) WHERE {of_months} GROUP BY pg_uid)
        SELECT pg_uid, dense_rank() OVER (ORDER BY provider) AS who
        FROM (SELECT * FROM by_tin UNION ALL SELECT * FROM by_npi)"""


def _matched(facts: str) -> str:
    return f"""
        WITH counted AS (
            SELECT term, who, rate, count(*) FILTER (NOT later) AS olds, count(*) FILTER (later) AS news
            FROM {facts} LEFT JOIN members USING (pg_uid) GROUP BY ALL),
        unequal AS (
            SELECT term, who, rate, false AS later, unnest(range(olds - news)) FROM counted
            WHERE olds > news AND who IS NOT NULL
            UNION ALL
            SELECT term, who, rate, true, unnest(range(news - olds)) FROM counted
            WHERE news > olds AND who IS NOT NULL),
        placed AS (SELECT *, row_number() OVER (PARTITION BY term, who, later ORDER BY rate) AS place FROM unequal),
        paired AS (
            SELECT term, who, max(rate) FILTER (NOT later) AS old, max(rate) FILTER (later) AS new
            FROM placed GROUP BY term, who, place)
        SELECT term, who, old, new, 1 AS rates, CASE WHEN old IS NULL THEN 'added' WHEN new IS NULL THEN 'gone'
            WHEN new > old THEN 'up' ELSE 'down' END AS what FROM paired
        UNION ALL
        SELECT term, who, rate, rate, least(olds, news), 'same' FROM counted
        WHERE who IS NOT NULL AND least(olds, news) > 0
        UNION ALL
        SELECT term, who, rate, NULL, olds, 'unmatched' FROM counted WHERE who IS NULL AND olds > 0
        UNION ALL
        SELECT term, who, NULL, rate, news, 'unmatched' FROM counted WHERE who IS NULL AND news > 0"""
