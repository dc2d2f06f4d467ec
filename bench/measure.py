"""Run a command and measure its time, and the most memory that all its processes used together.

Memory is the sum of the proportional set sizes (PSS) of the command and all that descend from it: a page that several
processes share counts once. It is looked at five times a second.
"""

import ctypes
import os
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

EVERY = 0.2

SET_CHILD_SUBREAPER = 36
"""The number of the Linux call that makes a process the parent of orphaned descendants."""


@dataclass
class Measured:
    """What a command took: seconds on the clock and of processors, bytes of memory at the most, and its output.

    The seconds of processors are those of all its processes.
    """

    seconds: float
    cpu: float
    peak: int
    output: str
    status: int
    memory: list[tuple[float, int]] = field(default_factory=list)
    """Seconds since the start, and bytes at that moment."""


def measure(command: list[str], env: dict[str, str] | None = None, cwd: Path | None = None) -> Measured:
    """Run a command to its end."""
    # Workers are children of a fork server, which outlives the command for a moment. Its time, and that of its
    # children, is known to the process that waits for it: this one, if it is the parent of orphans.
    ctypes.CDLL(None).prctl(SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    started = time.monotonic()
    before = os.times()
    memory: list[tuple[float, int]] = []
    seen: set[int] = set()
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=_environment(env), cwd=cwd
    ) as process:
        while process.poll() is None:
            family = find_family(process.pid)
            seen |= family
            memory.append((time.monotonic() - started, sum(map(_pss, family))))
            time.sleep(EVERY)
        seconds = time.monotonic() - started
        output = process.stdout.read() if process.stdout else ""
    for orphan in seen - {process.pid}:
        with suppress(ChildProcessError):  # another process has waited for it
            os.waitpid(orphan, 0)
    after = os.times()
    cpu = after.children_user - before.children_user + after.children_system - before.children_system
    return Measured(seconds, cpu, max((size for _, size in memory), default=0), output, process.returncode, memory)


def _environment(more: dict[str, str] | None) -> dict[str, str]:
    """Return this process's environment with some variables.

    Modules are compiled once, as an installed program's are: compiling them at each start takes half a second.
    """
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"} | (more or {})


def find_family(root: int) -> set[int]:
    """Return the numbers of a process and its descendants."""
    parents: dict[int, int] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(path.parent.name)] = int(path.read_text().rsplit(")", 1)[1].split()[1])
        except OSError:
            continue  # it has ended meanwhile
    family = {root}
    while found := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= found
    return family


def tree_memory(root: int) -> int:
    """Return the bytes of a process and its descendants."""
    return sum(map(_pss, find_family(root)))


def _pss(pid: int) -> int:
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0
