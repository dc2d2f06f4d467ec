"""Where the time of an ingest goes."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Stage:
    """One stage: how long it took, and how much processor time this process and its crew used."""

    name: str
    seconds: float
    own_cpu: float
    crew_cpu: float


@dataclass
class Stages:
    """The stages that are done, in order."""

    done: list[Stage] = field(default_factory=list)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measures what is done within."""
        wall, own, crew = time.monotonic(), time.process_time(), _crew_cpu()
        try:
            yield
        finally:
            # A crew that has been sent home within the stage is counted by what its processes had used till then.
            seconds = time.monotonic() - wall
            self.done.append(Stage(name, seconds, time.process_time() - own, max(_crew_cpu() - crew, 0.0)))

    def lines(self) -> list[str]:
        """The stages as a table."""
        head = f"  {'stage':<10}{'seconds':>9}{'this process':>14}{'its crew':>10}{'cores busy':>12}"
        rows = [
            f"  {each.name:<10}{each.seconds:9.2f}{each.own_cpu:14.2f}{each.crew_cpu:10.2f}"
            f"{(each.own_cpu + each.crew_cpu) / max(each.seconds, 1e-6):12.2f}"
            for each in self.done
        ]
        return [head, *rows]


def _crew_cpu() -> float:
    """Processor seconds of all processes that descend from this one."""
    parents: dict[int, tuple[int, float]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue  # it has ended meanwhile
        parents[int(path.parent.name)] = int(fields[1]), (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    total, family = 0.0, {os.getpid()}
    grown = True
    while grown:
        found = {pid for pid, (parent, _) in parents.items() if parent in family} - family
        total += sum(parents[pid][1] for pid in found)
        family |= found
        grown = bool(found)
    return total
