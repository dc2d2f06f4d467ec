"""Two real payers whose newest files are more than two years apart, side by side on the page of a code."""

from pathlib import Path

import pytest
from django.test import Client

from core.load.load_file import load_file
from core.load.rate_filters import RateFilter
from core.pages.formats import write_dollars
from core.queries.latest import with_latest
from core.queries.market.market import Market
from core.queries.rates import summarize_rates
from core.store.generations.store import Store
from core.tic.source import open_documents
from tests.site import serving, tables, text_of
from tests.stores import open_snapshot


@pytest.mark.in_turns(3, of="real payers")
def test_healthscope_of_2023_stands_beside_evry_of_2025(shared: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "data")
    for name in ("2023-02-01_HealthSCOPE", "2025-06-23_Evry-Health"):
        path = shared / "tic" / "payers" / f"{name}_in-network-rates.json.gz"
        load_file(store, open_documents(path)[0], "TX", only=RateFilter(codes=("73721",)))
    summaries = summarize_rates(db := open_snapshot(store), with_latest(db, Market("TX", "", "CPT", "73721")))
    assert {(row.reporting_entity_name, row.year_month) for row in summaries} == {
        ("Evry Health", "2025-06"), ("HealthSCOPE Benefits, Inc.", "2023-02"),
    }  # fmt: skip
    with serving(store.root):
        page = Client().get("/rates/", {"state": "TX", "code_type": "CPT", "code": "73721", "classes": "all"})
        said, spread = text_of(page), tables(page)[0]
        for row in summaries:
            assert any(
                cells[0].startswith(row.reporting_entity_name) and write_dollars(row.p50) in cells for cells in spread
            )
        dates = "with its newest file: Evry Health, June 2025; HealthSCOPE Benefits, Inc., February 2023."
        assert f"{dates} These files are more than a year apart" in said
        alone = Client().get("/rates/", {"state": "TX", "code_type": "CPT", "code": "73721"})
        assert dates in text_of(alone)
        assert "Facility fee 26 Professional fee, outside facilities 7 Professional fee, in facilities 7" in text_of(
            alone
        )
