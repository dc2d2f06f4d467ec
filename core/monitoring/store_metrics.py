"""Measure the store when Prometheus asks: which generation is read, how old it is, and what was done to it last."""

import logging
import time
from collections.abc import Iterator
from datetime import UTC, datetime

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from core import open_store
from core.queries import coverage, quality
from core.runtime.errors import BeaconError
from core.runtime.last_runs import read_last_runs
from core.store.connection import Snapshot

_log = logging.getLogger(__name__)


class StoreCollector(Collector):
    """The metrics of the store that the settings name. Its questions are asked once for each generation."""

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics. Of a store that cannot be read there is only that, and how the last commands ended."""
        found: list[Metric] = []
        try:
            db = open_store.snapshot_for_site()
            if db is not None:
                found = list(_measure(db))
        except BeaconError as error:
            _log.error("the metrics of the store cannot be read: %s", error)
        yield _gauge("store_readable", "1 if the store can be read and has data, 0 if not.", float(bool(found)))
        yield from found
        yield from _measure_last_runs()


def _measure(db: Snapshot) -> Iterator[Metric]:
    created = datetime.fromisoformat(db.manifest.created_at).timestamp()
    yield _gauge("generation", "The generation of the store that is read.", db.manifest.generation)
    yield _gauge("generation_age_seconds", "Seconds since the generation was published.", time.time() - created)
    rates = GaugeMetricFamily("beaconpoint_rates", "Rates in the store.", labels=["state"])
    by_state: dict[str, int] = {}
    for period in coverage.list_periods(db):
        by_state[period.state] = by_state.get(period.state, 0) + period.rates
    for state, count in sorted(by_state.items()):
        rates.add_metric([state], count)
    yield rates
    yield from _measure_last_load(db)
    yield from _measure_last_check(db)


def _measure_last_load(db: Snapshot) -> Iterator[Metric]:
    last = db.ask_once(coverage.find_newest_file)
    if last is None:
        return
    yield _gauge("last_load_timestamp_seconds", "When the newest file was loaded.", _timestamp(last.loaded_at))
    rows = GaugeMetricFamily(
        "beaconpoint_last_load_rows", "Rows of the newest file by what became of them.", labels=["outcome"]
    )
    for outcome in ("added", "duplicates", "rejected", "filtered"):
        rows.add_metric([outcome], getattr(last, outcome))
    yield rows


def _measure_last_check(db: Snapshot) -> Iterator[Metric]:
    run = next(iter(db.ask_once(quality.list_runs)), None)
    if run is None:
        return
    yield _gauge("last_check_timestamp_seconds", "When the newest dq_check began.", _timestamp(run.checked_at))
    failed = GaugeMetricFamily(
        "beaconpoint_last_check_failed", "Checks that failed in the newest dq_check.", labels=["severity"]
    )
    failed.add_metric(["error"], run.errors_failed)
    failed.add_metric(["warning"], run.warnings_failed)
    yield failed


def _measure_last_runs() -> Iterator[Metric]:
    ended = GaugeMetricFamily(
        "beaconpoint_last_run_timestamp_seconds", "When a command last ended.", labels=["command"]
    )
    succeeded = GaugeMetricFamily(
        "beaconpoint_last_run_succeeded", "1 if the last run of a command succeeded, 0 if not.", labels=["command"]
    )
    for run in read_last_runs(open_store.store().root):
        ended.add_metric([run.command], run.ended_at)
        succeeded.add_metric([run.command], float(not run.problem))
    yield from (ended, succeeded)


def _gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(f"beaconpoint_{name}", meaning, value=value)


def _timestamp(moment: datetime) -> float:
    """Return seconds since 1970. The store's moments are UTC and do not say so."""
    return moment.replace(tzinfo=UTC).timestamp()
