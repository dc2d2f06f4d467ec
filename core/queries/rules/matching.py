"""The rules that match the rates of one month with those of another. These rules have no other copy.

Group ids and pg_uids change with every file. A rate is matched by its payer, its provider (the group's set of tax IDs,
or its set of NPIs if no tax ID is known), its code and its terms: the columns of KEY. Several rates may share a key;
they are compared as multisets. Equal rates pair first. Of the others the lowest pairs with the lowest, and so on, and
what is left over was added or is gone. Rates whose group has no known member cannot be matched: `unmatched`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from core.queries.rules.market import Market
from core.store.connection import Snapshot
from core.store.watched_cursor import WatchedCursor

KEY = (
    "payer_slug", "code_type", "code", "who", "billing_class", "billing_code_modifier", "pos_set_id", "negotiated_type",
    "negotiation_arrangement", "setting", "severity_of_illness",
)  # fmt: skip
"""What a rate has in common with the same rate of another month; `who` stands for the provider."""

OUTCOMES = {
    "up": "The same provider and terms, a higher rate.",
    "down": "The same provider and terms, a lower rate.",
    "added": "Not in the earlier month.",
    "gone": "Not in the later month.",
    "same": "The same provider, terms and rate.",
    "unmatched": "The file does not say who the provider is, so the rate cannot be matched.",
}
"""What can become of a rate."""


class Statement(NamedTuple):
    """SQL, and the parameters that it names: DuckDB accepts no others."""

    sql: str
    parameters: dict[str, Any]


@contextmanager
def match(db: Snapshot, market: Market, before: str) -> Iterator[WatchedCursor]:
    """Yield a cursor with the rates of the market's month and of the month `before` in three temporary tables.

    `matched` has every rate of both months once: term (a row of `terms`: the columns of KEY except who), who (a number,
    null if the provider is not known; `members` has its pg_uids), old and new (null if there is none), rates (how
    many), and what (one of OUTCOMES).
    """
    both_months = {**market.parameters, "before": before}
    members = members_condition(market, before)
    steps = {"terms": Statement(_terms(market), both_months)}
    if market.code:
        steps["f"] = Statement(_facts(market), both_months)
        groups = "SELECT DISTINCT pg_uid FROM f"
        steps["members"] = Statement(_members(groups, members.sql), members.parameters)
        steps["matched"] = Statement(_matched("f"), {})
    else:
        # A payer has millions of rates. They are read twice rather than kept, and the groups are all that it has.
        groups = f"SELECT pg_uid FROM dim_provider_group x WHERE {members.sql}"
        steps["members"] = Statement(_members(groups, members.sql), members.parameters)
        steps["matched"] = Statement(_matched(f"({_facts(market)})"), both_months)
    with db.cursor() as cursor:
        for name, step in steps.items():
            cursor.execute(f"CREATE TEMP TABLE {name} AS {step.sql}", step.parameters)
        yield cursor


def members_condition(market: Market, before: str) -> Statement:
    """Return the condition on a table of groups' members (AS x): the two months, and the payer if it is given."""
    months = Statement("x.year_month IN ($before, $year_month)", {"before": before, "year_month": market.year_month})
    if not market.payer:
        return months
    return Statement(f"{months.sql} AND x.payer_slug = $payer", {**months.parameters, "payer": market.payer})


_COLUMNS = ["payer_slug" if name == "payer_slug" else f"f.{name}" for name in KEY if name != "who"]

# A payer has millions of rates. They are counted by two numbers, a hash of their terms (64 bits, of some thousands of
# terms) and the provider's number, and the terms are looked up for the rows that are shown.
_TERM = f"hash({', '.join(_COLUMNS)}) AS term"


def _months(market: Market, columns: str) -> tuple[str, str]:
    """Return SQL of the facts in the earlier month, and of those in the later."""
    facts = f"""SELECT {columns} FROM fact_rate f
                JOIN dim_payer_bridge ON reporting_entity_name_raw = f.reporting_entity_name"""
    return f"{facts} WHERE {market.where_in('$before')}", f"{facts} WHERE {market.where}"


def _facts(market: Market) -> str:
    old, new = _months(market, f"f.pg_uid, f.negotiated_rate AS rate, {_TERM}")
    return f"SELECT *, false AS later FROM ({old}) UNION ALL SELECT *, true FROM ({new})"


def _terms(market: Market) -> str:
    names = (f"any_value({column}) AS {column.removeprefix('f.')}" for column in _COLUMNS)
    old, new = _months(market, f"{_TERM}, {', '.join(names)}")
    return f"SELECT DISTINCT ON (term) * FROM ({old} GROUP BY term UNION ALL {new} GROUP BY term)"


def _members(groups: str, of_months: str) -> str:
    """Return SQL of the groups with a number for each provider: equal sets of tax IDs, or of NPIs, are one provider."""
    # Lists that are sorted afterward take a fraction of the memory of `string_agg(… ORDER BY …)`, which does not fit
    # into a visitor's share for a payer of 10,000 groups.
    return f"""
        WITH groups AS ({groups}),
        by_tin AS (
            SELECT pg_uid, md5(array_to_string(list_sort(list(tin_type || tin_value)), ',')) AS provider
            FROM xref_group_tin x SEMI JOIN groups USING (pg_uid) WHERE {of_months} GROUP BY pg_uid),
        without_tin AS (SELECT pg_uid FROM groups ANTI JOIN by_tin USING (pg_uid)),
        by_npi AS (
            SELECT pg_uid, md5(array_to_string(list_sort(list(npi)), ',')) AS provider
            FROM xref_group_npi x SEMI JOIN without_tin USING (pg_uid) WHERE {of_months} GROUP BY pg_uid)
        SELECT pg_uid, dense_rank() OVER (ORDER BY provider) AS who
        FROM (SELECT * FROM by_tin UNION ALL SELECT * FROM by_npi)"""


def _matched(facts: str) -> str:
    """Return SQL that pairs the rates of each key.

    `counted` counts equal rates in both months, and the smaller number of them is the same. What one month has more of
    is `unequal`, one row a rate; `numbered` numbers these from the lowest, and rates of one position are a pair.
    """
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
        numbered AS (
            SELECT *, row_number() OVER (PARTITION BY term, who, later ORDER BY rate) AS position FROM unequal),
        paired AS (
            SELECT term, who, max(rate) FILTER (NOT later) AS old, max(rate) FILTER (later) AS new
            FROM numbered GROUP BY term, who, position)
        SELECT term, who, old, new, 1 AS rates, CASE WHEN old IS NULL THEN 'added' WHEN new IS NULL THEN 'gone'
            WHEN new > old THEN 'up' ELSE 'down' END AS what FROM paired
        UNION ALL
        SELECT term, who, rate, rate, least(olds, news), 'same' FROM counted
        WHERE who IS NOT NULL AND least(olds, news) > 0
        UNION ALL
        SELECT term, who, rate, NULL, olds, 'unmatched' FROM counted WHERE who IS NULL AND olds > 0
        UNION ALL
        SELECT term, who, NULL, rate, news, 'unmatched' FROM counted WHERE who IS NULL AND news > 0"""
