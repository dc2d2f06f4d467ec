"""The SQL of the seed against the stable paths returns what the pages show: in a plain DuckDB and in a notebook.

The queries are the seed's own, unchanged but for the mended slug (flag 'g', and underscores trimmed at the ends), and
for 8.3, which is asked as the contract mends it.
"""

from collections import Counter
from pathlib import Path
from typing import Any

import duckdb
import pytest

import beaconpoint
from core.quality.report import run_checks
from core.queries import rates
from core.queries.find import codes
from core.queries.parties import organizations
from core.queries.rules.market import Market
from core.queries.yardstick import medicare
from core.store.connection import Snapshot
from tests.queries.slow import Everything

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


def run_in_duckdb(query: str) -> list[Any]:
    return duckdb.connect().execute(query).fetchall()


def run_in_notebook(query: str) -> list[Any]:
    return beaconpoint.open_store("core/data").sql(query).rows()


@pytest.fixture(params=[run_in_duckdb, run_in_notebook])
def sql(request: pytest.FixtureRequest, demo_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run a query where core/data is the demo's data: by a plain DuckDB, and by the front door for Python."""
    (tmp_path / "core").mkdir()
    (tmp_path / "core" / "data").symlink_to(demo_root)
    monkeypatch.chdir(tmp_path)
    return request.param


@pytest.fixture
def everything(demo: Snapshot) -> Everything:
    return Everything(demo)


def of_august(everything: Everything, **more: Any) -> list[dict[str, Any]]:
    return everything.of(Market("GA", "2025-08", **more))


def test_3_1_descriptions(sql: Any, demo: Snapshot) -> None:
    found = sql(f"""{FACT}
SELECT f.year_month, f.reporting_entity_name, f.code_type, f.code,
       d.code_desc, d.name AS code_name,
       f.negotiated_rate
FROM fact f
LEFT JOIN read_parquet('core/data/silver/dim_code/dim_code.parquet') d
  ON d.code_type = f.code_type AND d.code = f.code""")
    words = {(c.code_type, c.code): (c.code_desc, c.name) for c in codes.search_codes(demo, "", 1000)[1]}
    assert len(found) == demo.rows("SELECT count(*) FROM fact_rate WHERE year_month = '2025-08'")[0][0]
    assert all(words[row[2], row[3]] == (row[4], row[5]) for row in found)


def test_3_2_one_place_of_service(sql: Any, demo: Snapshot, everything: Everything) -> None:
    found = sql(f"""{FACT},
pos AS (
  SELECT pos_set_id
  FROM read_parquet('core/data/silver/xref_pos/xref_pos.parquet')
  WHERE pos = '11'
)
SELECT f.reporting_entity_name, f.code_type, f.code, f.negotiated_rate
FROM fact f
JOIN pos USING (pos_set_id)
ORDER BY f.reporting_entity_name, f.code""")
    # The page also matches rates for every place, which the seed's query does not know of; the code chosen has none.
    page = rates.stream_rates(demo, Market("GA", "2025-08", "CPT", "10121", pos="11"), "rate", 10**6, 60)
    ours = Counter((r.reporting_entity_name, "CPT", "10121", r.negotiated_rate) for r in page)
    assert Counter(row for row in found if row[2] == "10121") == ours
    assert len(ours) > 10


def test_3_3_npis(sql: Any, everything: Everything) -> None:
    found = sql(f"""{FACT_WITH_SLUG}
SELECT f.reporting_entity_name, f.code, x.npi, f.negotiated_rate
FROM fact f
JOIN read_parquet('core/data/silver/xref_group_npi/xref_group_npi.parquet') x
  ON x.year_month = f.year_month
 AND x.payer_slug = f.payer_slug
 AND x.pg_uid     = f.pg_uid""")
    expected = Counter(
        (fact["reporting_entity_name"], fact["code"], npi, fact["negotiated_rate"])
        for fact in of_august(everything)
        for npi in fact["npis"]
    )
    assert Counter(found) == expected


def test_3_4_organizations(sql: Any, demo: Snapshot) -> None:
    found = sql(f"""{FACT_WITH_SLUG}
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
ORDER BY 1,2,3""")
    page = organizations.list_organizations(demo, Market("GA", "2025-08", "CPT", "99213"), "rates", 1000, 0)
    theirs = {row[2]: row[3:] for row in found if row[:2] == ("CPT", "99213")}
    assert {row.tin_value: (row.rates, pytest.approx(row.mean), pytest.approx(row.p50)) for row in page} == theirs


def test_3_5_percent_of_medicare(sql: Any, demo: Snapshot) -> None:
    found = sql("""WITH fact AS (
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
ORDER BY f.reporting_entity_name, f.code""")
    assert (
        len(found)
        == demo.rows("SELECT count(*) FROM fact_rate WHERE year_month = '2025-08' AND code_type = 'CPT'")[0][0]
    )
    page = medicare.list_comparisons(demo, Market("GA", "2025-08", "CPT"), "percent", 10**6, 0)
    # The seed's query takes the non-facility amount for every rate; the page does where that is the rate's basis.
    ours = Counter(
        (r.reporting_entity_name, r.code, r.negotiated_rate, r.percent) for r in page if r.basis == "MPFS non-facility"
    )
    theirs = Counter((row[0], row[1], row[3], row[5]) for row in found)
    assert sum(ours.values()) > 500
    assert ours <= theirs


def test_8_1_and_8_2_find_nothing(sql: Any) -> None:
    assert (
        sql("""SELECT f.code_type, f.code, COUNT(*) AS n_missing
FROM read_parquet('core/data/gold/fact_rate.parquet') f
LEFT JOIN read_parquet('core/data/silver/dim_code/dim_code.parquet') d
  ON d.code_type=f.code_type AND d.code=f.code
WHERE d.code IS NULL
GROUP BY 1,2
ORDER BY n_missing DESC
LIMIT 50""")
        == []
    )
    assert (
        sql("""SELECT f.pos_set_id, COUNT(*) AS n
FROM read_parquet('core/data/gold/fact_rate.parquet') f
LEFT JOIN read_parquet('core/data/silver/dim_pos_set/dim_pos_set.parquet') p
  ON p.pos_set_id=f.pos_set_id
WHERE p.pos_set_id IS NULL
GROUP BY 1
ORDER BY n DESC
LIMIT 25""")
        == []
    )


def test_8_3_with_the_fan_out_mended(sql: Any, demo: Snapshot) -> None:
    found = sql(f"""WITH fact AS (
  SELECT *,
         {SLUG} AS payer_slug
  FROM read_parquet('core/data/gold/fact_rate.parquet')
)
SELECT year_month,
       100.0 * SUM(has_npi::INT)::DOUBLE / COUNT(*) AS pct_with_npi
FROM (
  SELECT f.year_month, EXISTS (
    FROM read_parquet('core/data/silver/xref_group_npi/xref_group_npi.parquet') x
    WHERE x.year_month=f.year_month AND x.payer_slug=f.payer_slug AND x.pg_uid=f.pg_uid) AS has_npi
  FROM fact f
)
GROUP BY year_month
ORDER BY year_month""")
    for month, percent in found:
        (ours,) = (f for f in run_checks(demo, year_month=month).findings if f.name == "rates_without_npi")
        assert percent == pytest.approx(100 * (1 - ours.share))
        assert ours.count == 1, "the demo's one group that is never defined"
