"""The seed's SQL, and how each engine is asked it: in its own dialect, with its own names of tables."""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from tests.seed_queries import FACT_WITH_SLUG
from tests.seed_queries import QUERIES as SEED_QUERIES

QUERIES = {
    **{section: query for section, query in SEED_QUERIES.items() if section != "3.5"},
    "8.3": f"""{FACT_WITH_SLUG}
SELECT year_month,
       100.0 * CAST(SUM(CAST(has_npi AS INT)) AS DOUBLE) / COUNT(*) AS pct_with_npi
FROM (
  SELECT f.year_month, EXISTS (
    SELECT 1 FROM read_parquet('core/data/silver/xref_group_npi/xref_group_npi.parquet') x
    WHERE x.year_month=f.year_month AND x.payer_slug=f.payer_slug AND x.pg_uid=f.pg_uid) AS has_npi
  FROM fact f
)
GROUP BY year_month
ORDER BY year_month""",
}
"""The queries by their sections in the seed. 3.5 needs fee schedules, which are not published. 8.3 is mended."""


TABLES = ("fact_rate", "dim_code", "dim_pos_set", "xref_pos", "xref_group_npi", "xref_group_tin")
"""The tables that the queries ask."""


def rounded(rows: Iterable[Iterable[Any]]) -> Counter[tuple[Any, ...]]:
    """Return an answer without the order of its rows, and without what adding in another order makes of a number."""
    return Counter(tuple(round(each, 9) if isinstance(each, float) else each for each in row) for row in rows)


def name_tables(query: str, name: Callable[[str], str]) -> str:
    """Return a query with `name(table)` in place of the paths of the seed's files."""
    return re.sub(r"read_parquet\('core/data/[^']*/(\w+)\.parquet'\)", lambda found: name(found[1]), query)


def for_spark(query: str) -> str:
    """Return a query with the views of Spark, in its dialect: it replaces all matches, and has other names."""
    query = query.replace(", '_', 'g'), '_')", ", '_'))").replace("trim(regexp", "trim(BOTH '_' FROM regexp")
    return name_tables(query.replace("quantile_cont(", "percentile("), str)


def for_polars(query: str) -> str:
    """Return a query with tables of Polars, in its dialect: it trims other than blanks with BOTH only."""
    return name_tables(query.replace("trim(regexp", "trim(BOTH '_' FROM regexp").replace("'g'), '_')", "'g'))"), str)
