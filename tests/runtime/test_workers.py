"""A workers does what one process does, in order, and ends with the one that called it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.runtime.errors import BeaconError
from core.runtime.workers import SingleProcess, WorkerPool, Workers, WorkerState, start_workers


def square(state: WorkerState, number: int) -> tuple[int, int]:
    state["done"] = state.get("done", 0) + 1
    return number * number, state["member"]


def done(state: WorkerState) -> int:
    return int(state.get("done", 0))


def fail_at(_state: WorkerState, number: int, bad: int) -> int:
    if number == bad:
        raise BeaconError(f"number {number} is bad")
    if number == bad + 100:
        raise ZeroDivisionError
    return number


def die(_state: WorkerState, number: int) -> int:
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


@pytest.fixture(params=[1, 2, 3])
def workers(request: pytest.FixtureRequest) -> Iterator[Workers]:
    found = start_workers(request.param)
    yield found
    found.close()


def test_results_come_in_order_from_every_member(workers: Workers) -> None:
    results = list(workers.map(square, ((n,) for n in range(100))))
    assert [result for result, _ in results] == [n * n for n in range(100)]
    assert sum(workers.each(done)) == 100
    assert list(workers.map(square, [])) == []


def test_what_is_raised_is_raised_here(workers: Workers) -> None:
    with pytest.raises(BeaconError, match="number 7 is bad"):
        list(workers.map(fail_at, ((n, 7) for n in range(50))))


def test_a_defect_keeps_its_traceback() -> None:
    workers = WorkerPool(2)
    try:
        with pytest.raises(ZeroDivisionError) as raised:
            list(workers.map(fail_at, ((n, 7) for n in range(105, 110))))
        assert "in fail_at" in raised.value.__notes__[0]
    finally:
        workers.close()


def test_a_member_that_is_killed_is_told() -> None:
    workers = WorkerPool(2)
    try:
        with pytest.raises(BeaconError, match="ended before its time"):
            list(workers.map(die, ((n,) for n in range(50))))
    finally:
        workers.close()


def test_one_process_is_no_crew() -> None:
    assert isinstance(start_workers(1), SingleProcess)


def test_members_end_with_the_process_that_called_them(tmp_path: Path) -> None:
    """It is killed while they work; nobody tells them."""
    script = """
import os, signal, sys, time
from core.runtime.workers import WorkerPool
def work(state, n):
    open(f"{sys.argv[1]}/{os.getpid()}", "w").close()
    time.sleep(0.05)
    return n
if __name__ == "__main__":
    for n in WorkerPool(2).map(work, ((n,) for n in range(1000))):
        if n > 10 and len(os.listdir(sys.argv[1])) == 2:
            os.kill(os.getpid(), signal.SIGKILL)
"""
    (tmp_path / "script.py").write_text(script)
    marks = tmp_path / "marks"
    marks.mkdir()
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path.cwd()), str(tmp_path)])}
    killed = subprocess.run(
        [sys.executable, str(tmp_path / "script.py"), str(marks)], env=environment, check=False, timeout=60
    )
    assert killed.returncode == -signal.SIGKILL
    members = [int(path.name) for path in marks.iterdir()]
    assert len(members) == 2
    until = time.monotonic() + 20
    while any(Path(f"/proc/{member}").exists() for member in members):
        assert time.monotonic() < until, "a member is still there"
        time.sleep(0.05)
