"""The rates of two months, each with what became of it: the one copy of these rules.

Group ids and pg_uids change with every file. A rate is known again by its payer, its provider (the group's set of tax
numbers; where none is known, its set of NPIs), its code and its terms: the columns of KEY. Several rates may share a
key: they are compared as multisets. Equal rates pair first; of the others the lowest pairs with the lowest, and so on;
what is left over was added or is gone. Rates whose group has no known member cannot be known again: `unmatched`.
"""

from core.queries.market import Market

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


def members_of(market: Market) -> str:
    """The condition on a table of members (AS x): the two months, and the payer where it is given."""
    return "x.year_month IN ($before, $year_month)" + (" AND x.payer_slug = $payer" if market.payer else "")


def matched(market: Market) -> str:
    """A WITH clause that ends in `members` (pg_uid, who) and `matched`: every rate of both months once.

    matched has the columns of KEY, old and new (NULL where there is none), `rates` (how many), and what (OUTCOMES).
    """
    terms = [name for name in KEY if name not in {"payer_slug", "who"}]
    key, facts = ", ".join(KEY), ", ".join(f"f.{name}" for name in terms)
    months = members_of(market)
    return f"""
        WITH f AS (
            SELECT false AS later, f.reporting_entity_name, f.pg_uid, f.negotiated_rate AS rate, {facts}
            FROM fact_rate f WHERE {market.where.replace("$year_month", "$before")}
            UNION ALL
            SELECT true, f.reporting_entity_name, f.pg_uid, f.negotiated_rate, {facts}
            FROM fact_rate f WHERE {market.where}),
        groups AS (SELECT DISTINCT pg_uid FROM f),
        by_tin AS (
            SELECT pg_uid, md5(string_agg(tin_type || tin_value, ',' ORDER BY tin_type, tin_value)) AS who
            FROM xref_group_tin x SEMI JOIN groups USING (pg_uid) WHERE {months} GROUP BY pg_uid),
        without_tin AS (SELECT pg_uid FROM groups ANTI JOIN by_tin USING (pg_uid)),
        by_npi AS (
            SELECT pg_uid, md5(string_agg(npi, ',' ORDER BY npi)) AS who
            FROM xref_group_npi x SEMI JOIN without_tin USING (pg_uid) WHERE {months} GROUP BY pg_uid),
        members AS (SELECT * FROM by_tin UNION ALL SELECT * FROM by_npi),
        counted AS (
            SELECT {key}, rate, count(*) FILTER (NOT later) AS olds, count(*) FILTER (later) AS news
            FROM f LEFT JOIN members USING (pg_uid)
            LEFT JOIN dim_payer_bridge ON reporting_entity_name_raw = reporting_entity_name
            GROUP BY ALL),
        unequal AS (
            SELECT {key}, rate, false AS later, unnest(range(olds - news)) FROM counted
            WHERE olds > news AND who IS NOT NULL
            UNION ALL
            SELECT {key}, rate, true, unnest(range(news - olds)) FROM counted
            WHERE news > olds AND who IS NOT NULL),
        placed AS (SELECT *, row_number() OVER (PARTITION BY {key}, later ORDER BY rate) AS place FROM unequal),
        paired AS (
            SELECT {key}, max(rate) FILTER (NOT later) AS old, max(rate) FILTER (later) AS new
            FROM placed GROUP BY {key}, place),
        matched AS (
            SELECT {key}, old, new, 1 AS rates, CASE WHEN old IS NULL THEN 'added' WHEN new IS NULL THEN 'gone'
                WHEN new > old THEN 'up' ELSE 'down' END AS what FROM paired
            UNION ALL
            SELECT {key}, rate, rate, least(olds, news), 'same' FROM counted
            WHERE who IS NOT NULL AND least(olds, news) > 0
            UNION ALL
            SELECT {key}, rate, NULL, olds, 'unmatched' FROM counted WHERE who IS NULL AND olds > 0
            UNION ALL
            SELECT {key}, NULL, rate, news, 'unmatched' FROM counted WHERE who IS NULL AND news > 0)"""
