"""cluster copy measures how well the rates of a copy fit its schedules, as a load on one machine does."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from core import open_store
from core.cluster.copies.local_copy import LAYOUT
from core.cluster.publication.publish import Publisher
from core.cluster.publication.published_corrections import remove_published
from core.demo.hospital_fees import write_hospital_fees
from core.demo.physician_fees import write_physician_fees
from core.reference.benchmark_kinds import load_benchmark
from core.store.changes.selection import Selection
from core.store.generations.store import Store
from tests.cluster.files import job_of, run
from tests.rate_files import file_of, item_of
from tests.stores import open_snapshot, table


@pytest.mark.parametrize("place", ["file"], indirect=True)
def test_rates_that_are_copied_or_corrected_are_measured(publisher: Publisher, tmp_path: Path, settings: Any) -> None:
    store = Store(tmp_path / "copy", LAYOUT)
    load_benchmark(store, "medicare_prof", write_physician_fees(tmp_path))
    load_benchmark(store, "opps", write_hospital_fees(tmp_path)["opps"])
    amounts = open_snapshot(store).rows(
        """SELECT p.code, p.medicare_prof_rate FROM bench_medicare_prof p
           JOIN bench_opps o USING (state, year_month, code)
           WHERE state = 'GA' AND year_month = '2025-08' AND medicare_prof_rate > 0 AND opps_mar_stateavg > 0"""
    )
    price = {"negotiated_type": "negotiated", "billing_class": "institutional", "service_code": []}
    items = [item_of(price | {"negotiated_rate": round(1.3 * amount, 2)}, code=code) for code, amount in amounts]
    (tmp_path / "payer.json").write_text(json.dumps(file_of(*items)))
    assert not run(job_of(publisher.place, tmp_path / "payer.json", tmp_path)).problems
    publisher.claim_all()
    publisher.finish()
    settings.BEACONPOINT_DATA_DIR, settings.BEACONPOINT_CACHE_DIR = store.root, tmp_path / "cache"
    settings.BEACONPOINT_OBJECT_STORE = publisher.place.url
    open_store.close()
    try:
        call_command("cluster", "copy", "--state", "GA")
        fits = table(store, "schedule_fit")
        assert fits.select("schedule", "of_label", "chosen").rows() == [("mpfs", False, True), ("opps", True, False)]
        assert set(fits["rates"]) == {len(amounts)}
        remove_published(publisher, Selection(code=(amounts[0][0],)), "a test", tmp_path)
        call_command("cluster", "copy", "--state", "GA")
        assert set(table(store, "schedule_fit")["rates"]) == {len(amounts) - 1}
    finally:
        open_store.close()
