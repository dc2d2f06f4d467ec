"""Read the numbers of the lanes when Prometheus asks."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from core.pages.shared.lanes.admission import LANES


class LaneCollector(Collector):
    """How many requests each lane answers, makes wait, has let in, and has refused."""

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics, with a sample for each lane."""
        running = GaugeMetricFamily("beaconpoint_running", "Requests that have a place in a lane.", labels=["lane"])
        waiting = GaugeMetricFamily("beaconpoint_waiting", "Requests that wait for a place.", labels=["lane"])
        admitted = CounterMetricFamily("beaconpoint_admitted", "Requests that got a place.", labels=["lane"])
        refused = CounterMetricFamily("beaconpoint_refused", "Requests that got no place.", labels=["lane"])
        for lane in LANES:
            running.add_metric([lane.name], lane.running)
            waiting.add_metric([lane.name], lane.waiting)
            admitted.add_metric([lane.name], lane.admitted)
            refused.add_metric([lane.name], lane.refused)
        yield from (running, waiting, admitted, refused)
