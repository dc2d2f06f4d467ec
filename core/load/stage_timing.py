"""Where the time of an ingest goes."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from core.runtime.workers import Workers


@dataclass(frozen=True)
class Stage:
    """One stage: how long it took, and how much processor time this process and its workers used."""

    name: str
    seconds: float
    own_cpu: float
    crew_cpu: float


@dataclass
class StageTimes:
    """The stages that are done, in order. `workers` is whoever shares the work by now."""

    done: list[Stage] = field(default_factory=list)
    workers: Workers | None = None

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measures what is done within."""
        started, own, workers = time.monotonic(), time.process_time(), self._crew_cpu()
        try:
            yield
        finally:
            seconds, own_cpu = time.monotonic() - started, time.process_time() - own
            self.done.append(Stage(name, seconds, own_cpu, max(self._crew_cpu() - workers, 0.0)))

    def lines(self) -> list[str]:
        """The stages as a table."""
        head = f"  {'stage':<10}{'seconds':>9}{'this process':>14}{'its workers':>10}{'cores busy':>12}"
        rows = [
            f"  {each.name:<10}{each.seconds:9.2f}{each.own_cpu:14.2f}{each.crew_cpu:10.2f}"
            f"{(each.own_cpu + each.crew_cpu) / max(each.seconds, 1e-6):12.2f}"
            for each in self.done
        ]
        return [head, *rows]

    def _crew_cpu(self) -> float:
        return self.workers.cpu() if self.workers else 0.0
