"""Serve the metrics at a local address, in a thread of its own."""

import logging
import threading
import time

from prometheus_client import CollectorRegistry, start_http_server

from core.monitoring.lane_metrics import LaneCollector
from core.monitoring.store_metrics import StoreCollector
from core.runtime import metrics

_log = logging.getLogger(__name__)

_RETRY_SECONDS = 1.0


def start_metrics(bind: str, registry: CollectorRegistry = metrics.REGISTRY) -> threading.Thread | None:
    """Serve the metrics at HOST:PORT, in the background; not at all if `bind` is empty."""
    if not bind:
        return None
    registry.register(LaneCollector())
    registry.register(StoreCollector())
    thread = threading.Thread(target=_serve, args=(bind, registry), name="metrics", daemon=True)
    thread.start()
    return thread


def _serve(bind: str, registry: CollectorRegistry) -> None:
    """Listen as soon as the address is free: during a restart, the process before may still have it."""
    host, _, port = bind.rpartition(":")
    told = False
    while True:
        try:
            start_http_server(int(port), host.strip("[]"), registry)
        except OSError as error:
            if not told:
                _log.warning("metrics cannot be served at %s yet: %s; trying every second", bind, error.strerror)
                told = True
            time.sleep(_RETRY_SECONDS)
        else:
            return
