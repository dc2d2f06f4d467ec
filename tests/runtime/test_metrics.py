"""Counters, and the memory of this process."""

import sys
from pathlib import Path

import pytest

from core.runtime import metrics


def test_a_lookup_is_a_hit_or_a_miss() -> None:
    def seen(outcome: str) -> float:
        labels = {"cache": "tests", "outcome": outcome}
        return metrics.REGISTRY.get_sample_value("beaconpoint_cache_lookups_total", labels) or 0

    before = seen("hit"), seen("miss")
    metrics.count_lookup("tests", found=True)
    metrics.count_lookup("tests", found=False)
    metrics.count_lookup("tests", found=False)
    assert (seen("hit"), seen("miss")) == (before[0] + 1, before[1] + 2)


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone divides shared memory among its users")
def test_the_memory_of_this_process_is_known() -> None:
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    resident = next(line for line in lines if line.startswith("VmRSS"))
    assert 1_000_000 < metrics.read_pss() < int(resident.split()[1]) * 1024 * 2
