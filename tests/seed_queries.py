"""The seed's own SQL by its sections, for each engine that is asked it.

It is unchanged but for the mended slug (flag 'g', and underscores trimmed at the ends).
"""

SLUG = "trim(regexp_replace(lower(reporting_entity_name), '[^a-z0-9]+', '_', 'g'), '_')"
FACT = """WITH fact AS (
  SELECT *
  FROM read_parquet('core/data/gold/fact_rate.parquet')
  WHERE state = 'GA' AND year_month = '2025-08'
)"""
FACT_WITH_SLUG = f"""WITH fact AS (
  SELECT *,
         {SLUG} AS payer_slug
  FROM read_parquet('core/data/gold/fact_rate.parquet')
  WHERE state = 'GA' AND year_month = '2025-08'
)"""

QUERIES = {
    "3.1": f"""{FACT}
SELECT f.year_month, f.reporting_entity_name, f.code_type, f.code,
       d.code_desc, d.name AS code_name,
       f.negotiated_rate
FROM fact f
LEFT JOIN read_parquet('core/data/silver/dim_code/dim_code.parquet') d
  ON d.code_type = f.code_type AND d.code = f.code""",
    "3.2": f"""{FACT},
pos AS (
  SELECT pos_set_id
  FROM read_parquet('core/data/silver/xref_pos/xref_pos.parquet')
  WHERE pos = '11'
)
SELECT f.reporting_entity_name, f.code_type, f.code, f.negotiated_rate
FROM fact f
JOIN pos USING (pos_set_id)
ORDER BY f.reporting_entity_name, f.code""",
    "3.3": f"""{FACT_WITH_SLUG}
SELECT f.reporting_entity_name, f.code, x.npi, f.negotiated_rate
FROM fact f
JOIN read_parquet('core/data/silver/xref_group_npi/xref_group_npi.parquet') x
  ON x.year_month = f.year_month
 AND x.payer_slug = f.payer_slug
 AND x.pg_uid     = f.pg_uid""",
    "3.4": f"""{FACT_WITH_SLUG}
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
    "3.5": """WITH fact AS (
  SELECT *
  FROM read_parquet('core/data/gold/fact_rate.parquet')
  WHERE state = 'GA' AND year_month = '2025-08' AND code_type = 'CPT'
)
SELECT f.reporting_entity_name, f.code, d.code_desc,
       f.negotiated_rate,
       b.medicare_prof_rate,
       f.negotiated_rate / NULLIF(b.medicare_prof_rate, 0) AS pct_of_medicare
FROM fact f
LEFT JOIN read_parquet('core/data/silver/dim_code/dim_code.parquet') d
  ON d.code_type = f.code_type AND d.code = f.code
LEFT JOIN read_parquet('core/data/silver/bench_medicare_prof.parquet') b
  ON b.state = f.state AND b.year_month = f.year_month
 AND b.code_type = f.code_type AND b.code = f.code
ORDER BY f.reporting_entity_name, f.code""",
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
}
