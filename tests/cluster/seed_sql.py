"""The seed's SQL, and how each engine is asked it: in its own dialect, with its own names of tables."""

import re
from collections.abc import Callable

_FACT = """WITH fact AS (
  SELECT *, trim(regexp_replace(lower(reporting_entity_name), '[^a-z0-9]+', '_', 'g'), '_') AS payer_slug
  FROM read_parquet('core/data/gold/fact_rate.parquet')
  WHERE state = 'GA' AND year_month = '2025-08'
)"""

QUERIES = {
    "3.1": f"""{_FACT}
SELECT f.year_month, f.reporting_entity_name, f.code_type, f.code,
       d.code_desc, d.name AS code_name,
       f.negotiated_rate
FROM fact f
LEFT JOIN read_parquet('core/data/silver/dim_code/dim_code.parquet') d
  ON d.code_type = f.code_type AND d.code = f.code""",
    "3.2": f"""{_FACT},
pos AS (
  SELECT pos_set_id
  FROM read_parquet('core/data/silver/xref_pos/xref_pos.parquet')
  WHERE pos = '11'
)
SELECT f.reporting_entity_name, f.code_type, f.code, f.negotiated_rate
FROM fact f
JOIN pos USING (pos_set_id)
ORDER BY f.reporting_entity_name, f.code""",
    "3.3": f"""{_FACT}
SELECT f.reporting_entity_name, f.code, x.npi, f.negotiated_rate
FROM fact f
JOIN read_parquet('core/data/silver/xref_group_npi/xref_group_npi.parquet') x
  ON x.year_month = f.year_month
 AND x.payer_slug = f.payer_slug
 AND x.pg_uid     = f.pg_uid""",
    "3.4": f"""{_FACT}
SELECT f.code_type, f.code, t.tin_value,
       count(*) AS n,
       avg(f.negotiated_rate) AS mean_rate,
       quantile_cont(f.negotiated_rate, 0.5) AS p50
FROM fact f
JOIN read_parquet('core/data/silver/xref_group_tin/xref_group_tin.parquet') t
  ON t.year_month = f.year_month
 AND t.payer_slug = f.payer_slug
 AND t.pg_uid     = f.pg_uid
GROUP BY 1,2,3
ORDER BY 1,2,3""",
    "8.1": """SELECT f.code_type, f.code, COUNT(*) AS n_missing
FROM read_parquet('core/data/gold/fact_rate.parquet') f
LEFT JOIN read_parquet('core/data/silver/dim_code/dim_code.parquet') d
  ON d.code_type=f.code_type AND d.code=f.code
WHERE d.code IS NULL
GROUP BY 1,2
ORDER BY n_missing DESC
LIMIT 50""",
    "8.2": """SELECT f.pos_set_id, COUNT(*) AS n
FROM read_parquet('core/data/gold/fact_rate.parquet') f
LEFT JOIN read_parquet('core/data/silver/dim_pos_set/dim_pos_set.parquet') p
  ON p.pos_set_id=f.pos_set_id
WHERE p.pos_set_id IS NULL
GROUP BY 1
ORDER BY n DESC
LIMIT 25""",
    "8.3": f"""{_FACT}
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


def name_tables(query: str, name: Callable[[str], str]) -> str:
    """Return a query with `name(table)` in place of the paths of the seed's files."""
    return re.sub(r"read_parquet\('core/data/[^']*/(\w+)\.parquet'\)", lambda found: name(found[1]), query)


def for_spark(query: str) -> str:
    """Return a query with the views of Spark, in its dialect: it replaces all matches, and has other names."""
    query = query.replace(", '_', 'g'), '_')", ", '_'))").replace("trim(regexp", "trim(BOTH '_' FROM regexp")
    return name_tables(query.replace("quantile_cont(", "percentile("), str)
