"""Where the time of a load goes."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from core.runtime.workers import Workers


@dataclass(frozen=True)
class StageTime:
    """One stage: the seconds it took, and the processor time that this process and its workers used."""

    name: str
    seconds: float
    own_cpu: float
    worker_cpu: float


class StageClock:
    """Measures the stages of a load that `workers` take part in."""

    def __init__(self, workers: Workers) -> None:
        self._workers = workers
        self._started = time.monotonic()
        self._stages: list[StageTime] = []

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measure what is done in the block."""
        started, own, workers = time.monotonic(), time.process_time(), self._workers.cpu()
        try:
            yield
        finally:
            seconds, own_cpu = time.monotonic() - started, time.process_time() - own
            worker_cpu = max(self._workers.cpu() - workers, 0.0)
            self._stages.append(StageTime(name, seconds, own_cpu, worker_cpu))

    @property
    def seconds(self) -> float:
        """Return the seconds since the clock was made."""
        return time.monotonic() - self._started

    @property
    def stages(self) -> tuple[StageTime, ...]:
        """Return the stages measured so far, in order."""
        return tuple(self._stages)


def format_stages(stages: Sequence[StageTime]) -> list[str]:
    """Return the lines of a table of stages."""
    head = f"  {'stage':<10}{'seconds':>9}{'this process':>14}{'its workers':>13}{'cores busy':>12}"
    rows = [
        f"  {each.name:<10}{each.seconds:9.2f}{each.own_cpu:14.2f}{each.worker_cpu:13.2f}"
        f"{(each.own_cpu + each.worker_cpu) / max(each.seconds, 1e-6):12.2f}"
        for each in stages
    ]
    return [head, *rows]
