"""Count what this process does, for Prometheus. Every room may import this module.

A label has few values: names of pages, statuses, lanes, caches, and states; never an address or anything a visitor
sends, because Prometheus keeps a series for each value forever.
"""

from pathlib import Path

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)

# When a series was made is a series of its own otherwise, and nobody asks for it.
disable_created_metrics()  # type: ignore[no-untyped-call]

REGISTRY = CollectorRegistry()
"""Everything that is measured. The process's own figures (processor, resident memory, open files) are among it."""

ProcessCollector(registry=REGISTRY)

REQUESTS = Counter("beaconpoint_requests", "Requests answered.", ["page", "status"], registry=REGISTRY)

REQUEST_SECONDS = Histogram(
    "beaconpoint_request_seconds",
    "Seconds until an answer was ready. A download is ready when its first rows are.",
    ["page"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30),
    registry=REGISTRY,
)

CACHE_LOOKUPS = Counter(
    "beaconpoint_cache_lookups", "Lookups of a cache: hit or miss.", ["cache", "outcome"], registry=REGISTRY
)

SLOW_QUESTIONS = Counter(
    "beaconpoint_slow_questions",
    "Questions to the store that were logged as slow: answered, stopped at their time limit, or out of memory.",
    ["outcome"],
    registry=REGISTRY,
)


def count_lookup(cache: str, found: bool) -> None:
    """Count a lookup of a cache."""
    CACHE_LOOKUPS.labels(cache, "hit" if found else "miss").inc()


def read_pss() -> float:
    """Return this process's memory with shared pages divided among their users; not a number where Linux is missing."""
    try:
        lines = Path("/proc/self/smaps_rollup").read_text(encoding="ascii").splitlines()
        return float(next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")))
    except (OSError, ValueError, IndexError, StopIteration):
        return float("nan")


Gauge(
    "beaconpoint_pss_bytes",
    "Memory of this process, with shared pages divided among the processes that use them.",
    registry=REGISTRY,
).set_function(read_pss)
