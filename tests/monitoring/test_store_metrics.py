"""What the metrics say of the store."""

from pathlib import Path

import pytest
from django.test import Client
from prometheus_client import CollectorRegistry

from core.monitoring.store_metrics import StoreCollector
from core.runtime.last_runs import FOLDER
from core.store.connection import Snapshot
from core.store.generations.store import Store
from tests.site import serving
from tests.stores import change


def registry() -> CollectorRegistry:
    found = CollectorRegistry()
    found.register(StoreCollector())
    return found


def test_rates_are_counted_by_state(site: Client, demo: Snapshot) -> None:
    ((rates,),) = demo.rows("SELECT count(*) FROM fact_rate WHERE state = 'GA'")
    assert registry().get_sample_value("beaconpoint_rates", {"state": "GA"}) == rates


def test_the_newest_load_and_check_are_measured(site: Client, demo: Snapshot) -> None:
    ((added, loaded_at),) = demo.rows(
        "SELECT rows_added, epoch(finished_at) FROM dim_batch ORDER BY finished_at DESC LIMIT 1"
    )
    ((errors, warnings, checked_at),) = demo.rows(
        "SELECT errors_failed, warnings_failed, epoch(checked_at) FROM dq_run ORDER BY run_id DESC LIMIT 1"
    )
    found = registry()
    assert found.get_sample_value("beaconpoint_last_load_rows", {"outcome": "added"}) == added
    assert found.get_sample_value("beaconpoint_last_load_timestamp_seconds") == pytest.approx(loaded_at, abs=0.001)
    assert found.get_sample_value("beaconpoint_last_check_failed", {"severity": "error"}) == errors
    assert found.get_sample_value("beaconpoint_last_check_failed", {"severity": "warning"}) == warnings
    assert found.get_sample_value("beaconpoint_last_check_timestamp_seconds") == pytest.approx(checked_at, abs=0.001)


def test_a_store_without_loads_is_measured(tmp_path: Path) -> None:
    store = Store(tmp_path / "data")
    with serving(store.root):
        assert registry().get_sample_value("beaconpoint_store_readable") == 0
        change(store, "a")
        found = registry()
        assert found.get_sample_value("beaconpoint_store_readable") == 1
        assert found.get_sample_value("beaconpoint_generation") == 1
        assert found.get_sample_value("beaconpoint_last_load_timestamp_seconds") is None


def test_a_store_that_cannot_be_read_still_says_how_commands_ended(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{")
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / "ingest_mrf.json").write_text(
        '{"command": "ingest_mrf", "ended_at": 5.0, "seconds": 1.0, "problem": "full"}'
    )
    (tmp_path / FOLDER / "other.json").write_text("{")
    with serving(tmp_path):
        found = registry()
        assert found.get_sample_value("beaconpoint_store_readable") == 0
        assert found.get_sample_value("beaconpoint_last_run_succeeded", {"command": "ingest_mrf"}) == 0
        assert found.get_sample_value("beaconpoint_last_run_timestamp_seconds", {"command": "ingest_mrf"}) == 5
