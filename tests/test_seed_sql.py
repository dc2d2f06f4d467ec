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
from core.queries.market.market import Market
from core.queries.parties import organizations
from core.queries.yardstick import medicare
from core.store.connection import Snapshot
from tests.queries.slow import Everything
from tests.seed_queries import QUERIES, SLUG


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
    found = sql(QUERIES["3.1"])
    words = {(c.code_type, c.code): (c.code_desc, c.name) for c in codes.search_codes(demo, "", 1000)[1]}
    assert len(found) == demo.rows("SELECT count(*) FROM fact_rate WHERE year_month = '2025-08'")[0][0]
    assert all(words[row[2], row[3]] == (row[4], row[5]) for row in found)


def test_3_2_one_place_of_service(sql: Any, demo: Snapshot, everything: Everything) -> None:
    found = sql(QUERIES["3.2"])
    # The page also matches rates for every place, which the seed's query does not know of; the code chosen has none.
    page = rates.stream_rates(demo, Market("GA", "2025-08", "CPT", "10121", pos="11"), "rate", 10**6, 60)
    ours = Counter((r.reporting_entity_name, "CPT", "10121", r.negotiated_rate) for r in page)
    assert Counter(row for row in found if row[2] == "10121") == ours
    assert len(ours) > 10


def test_3_3_npis(sql: Any, everything: Everything) -> None:
    found = sql(QUERIES["3.3"])
    expected = Counter(
        (fact["reporting_entity_name"], fact["code"], npi, fact["negotiated_rate"])
        for fact in of_august(everything)
        for npi in fact["npis"]
    )
    assert Counter(found) == expected


def test_3_4_organizations(sql: Any, demo: Snapshot) -> None:
    found = sql(QUERIES["3.4"])
    page = organizations.list_organizations(demo, Market("GA", "2025-08", "CPT", "99213"), "rates", 1000, 0)
    theirs = {row[2]: row[3:] for row in found if row[:2] == ("CPT", "99213")}
    assert {row.tin_value: (row.rates, pytest.approx(row.mean), pytest.approx(row.p50)) for row in page} == theirs


def test_3_5_percent_of_medicare(sql: Any, demo: Snapshot) -> None:
    found = sql(QUERIES["3.5"])
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
    assert sql(QUERIES["8.1"]) == []
    assert sql(QUERIES["8.2"]) == []


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
