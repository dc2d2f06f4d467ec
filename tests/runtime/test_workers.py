"""Worker processes do what one process does, in order, and end with the process that started them."""

import hashlib
import importlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from pickle import PickleBuffer

import pytest

from core.load import WORKER_MODULES
from core.runtime.errors import BeaconError
from core.runtime.task_memory import MIN_BYTES, PLACE_BYTES, TaskMemory
from core.runtime.worker_process import MAX_QUEUED_TASKS, WorkerState
from core.runtime.workers import PART_BYTES, SingleProcess, WorkerPool, Workers, start_workers

PRELOAD = (__name__,)


def square(state: WorkerState, number: int) -> tuple[int, int]:
    state["done"] = state.get("done", 0) + 1
    return number * number, state["worker"]


def count_done(state: WorkerState) -> int:
    return int(state.get("done", 0))


def tell_number(state: WorkerState, _argument: str) -> int:
    return int(state["worker"])


def tell_digest(_state: WorkerState, data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def tell_digest_and_kind(_state: WorkerState, data: bytes | memoryview) -> tuple[str, str]:
    return hashlib.sha256(data).hexdigest(), type(data).__name__


def tell_process(_state: WorkerState) -> int:
    return os.getpid()


def fail_at(_state: WorkerState, number: int, bad: int) -> int:
    if number == bad:
        raise BeaconError(f"number {number} is bad")
    if number == bad + 100:
        raise ZeroDivisionError
    return number


class UnpicklableError(Exception):
    def __init__(self, first: str, second: str) -> None:
        super().__init__(first + second)


def fail_unpicklably(_state: WorkerState) -> None:
    raise UnpicklableError("cannot ", "travel")


def die_at_three(_state: WorkerState, number: int) -> int:
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def sleep(_state: WorkerState, seconds: float) -> float:
    time.sleep(seconds)
    return seconds


def burn(_state: WorkerState, seconds: float) -> None:
    began = time.process_time()
    while time.process_time() - began < seconds:
        pass


@pytest.fixture(params=[1, 2, 3])
def workers(request: pytest.FixtureRequest) -> Iterator[Workers]:
    found = start_workers(request.param, PRELOAD)
    yield found
    found.close()


@pytest.fixture
def pool() -> Iterator[WorkerPool]:
    found = WorkerPool(2, PRELOAD)
    yield found
    found.close()


def test_results_come_in_order_from_every_worker(workers: Workers) -> None:
    results = list(workers.map(square, ((n,) for n in range(100))))
    assert [result for result, _ in results] == [n * n for n in range(100)]
    assert sum(workers.each(count_done)) == 100
    assert list(workers.map(square, [])) == []


def test_a_message_of_several_parts_arrives_whole(workers: Workers) -> None:
    messages = [
        bytes(range(256)) * (size // 256) + b"end" for size in (0, PART_BYTES - 512, PART_BYTES, 3 * PART_BYTES)
    ]
    found = list(workers.map(tell_digest, ((message,) for message in messages)))
    assert found == [hashlib.sha256(message).hexdigest() for message in messages]


def test_large_buffers_arrive_through_shared_memory_and_others_through_the_pipe(pool: WorkerPool) -> None:
    sizes = [0, MIN_BYTES - 1, MIN_BYTES, PLACE_BYTES, PLACE_BYTES + 1, 3 * PART_BYTES, MIN_BYTES, 1] * 3
    # Each is another text: a place that was used again too early would be noticed.
    buffers = [(str(number).encode() * size)[:size] for number, size in enumerate(sizes)]
    found = list(pool.map(tell_digest_and_kind, ((PickleBuffer(each),) for each in buffers)))
    assert [digest for digest, _ in found] == [hashlib.sha256(each).hexdigest() for each in buffers]
    if sys.platform == "linux":
        shared = ["memoryview" if MIN_BYTES <= size <= PLACE_BYTES else "bytes" for size in sizes]
        assert [kind for _, kind in found] == shared


def test_without_shared_memory_all_goes_through_the_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TaskMemory, "create", lambda _tasks: None)
    with closing(WorkerPool(2, PRELOAD)) as pool:
        found = list(pool.map(tell_digest_and_kind, ((PickleBuffer(b"a" * MIN_BYTES),) for _ in range(3))))
    assert found == [(hashlib.sha256(b"a" * MIN_BYTES).hexdigest(), "bytes")] * 3


def test_an_error_is_raised_where_the_work_was_asked_for(workers: Workers) -> None:
    with pytest.raises(BeaconError, match="number 7 is bad"):
        list(workers.map(fail_at, ((n, 7) for n in range(50))))


def test_results_before_an_error_arrive(workers: Workers) -> None:
    results = workers.map(fail_at, ((n, 7) for n in range(50)))
    assert [next(results) for _ in range(7)] == list(range(7))
    with pytest.raises(BeaconError):
        next(results)


def test_each_worker_is_called_once_and_has_a_number(pool: WorkerPool) -> None:
    assert pool.each(tell_number, "") == [0, 1]
    assert len(set(pool.each(tell_process))) == 2
    assert SingleProcess().each(tell_number, "") == [0]


def test_few_arguments_are_taken_ahead_of_the_work(pool: WorkerPool) -> None:
    taken = 0

    def arguments() -> Iterator[tuple[float]]:
        nonlocal taken
        for _ in range(100):
            taken += 1
            yield (0.4,)  # long enough for a busy machine to take no answer for several

    results = pool.map(sleep, arguments())
    next(results)
    # What all workers have been sent, what was answered meanwhile, and the one for which there was no room.
    assert taken <= 2 * MAX_QUEUED_TASKS + 2 + 1
    pool.close()


def test_an_unexpected_error_keeps_its_traceback(pool: WorkerPool) -> None:
    with pytest.raises(ZeroDivisionError) as raised:
        list(pool.map(fail_at, ((n, 7) for n in range(105, 110))))
    assert "in fail_at" in raised.value.__notes__[0]


def test_an_error_that_cannot_be_pickled_arrives_as_its_traceback(pool: WorkerPool) -> None:
    with pytest.raises(RuntimeError, match=r"in fail_unpicklably(.|\n)*cannot travel"):
        pool.each(fail_unpicklably)


def test_an_error_meant_for_the_user_has_no_traceback(pool: WorkerPool) -> None:
    with pytest.raises(BeaconError) as raised:
        list(pool.map(fail_at, [(7, 7)]))
    assert not hasattr(raised.value, "__notes__")


def test_a_killed_worker_is_an_error(pool: WorkerPool) -> None:
    with pytest.raises(BeaconError, match="a worker process ended unexpectedly"):
        list(pool.map(die_at_three, ((n,) for n in range(50))))
    with pytest.raises(BeaconError, match="a worker process ended unexpectedly"):
        pool.each(tell_process)


def test_new_workers_replace_the_old_ones_and_their_state(workers: Workers) -> None:
    list(workers.map(square, ((n,) for n in range(10))))
    workers.renew()
    assert sum(workers.each(count_done)) == 0
    assert [n for n, _ in workers.map(square, [(3,)])] == [9]


def test_processor_time_counts_workers_that_were_replaced(pool: WorkerPool) -> None:
    pool.each(burn, 0.2)
    used = pool.cpu()
    assert used >= 0.4 - 0.05  # of two workers, in ticks of 10 ms
    pool.renew()
    pool.each(burn, 0.1)
    assert pool.cpu() >= used + 0.2 - 0.05
    assert SingleProcess().cpu() == 0


def test_closing_does_not_wait_for_work_under_way(pool: WorkerPool) -> None:
    results = pool.map(sleep, ((seconds,) for seconds in [0, *[60] * 8]))
    next(results)
    processes = [process.pid for process in pool._processes]
    began = time.monotonic()
    pool.close()
    assert time.monotonic() - began < 20
    assert not any(Path(f"/proc/{process}").exists() for process in processes)


def test_for_one_process_there_is_no_pool() -> None:
    assert isinstance(start_workers(1), SingleProcess)
    assert isinstance(start_workers(0), SingleProcess)


def test_the_modules_that_workers_preload_exist() -> None:
    # The fork server ignores one that does not, and then every worker imports for itself.
    for name in WORKER_MODULES:
        importlib.import_module(name)


def run_and_kill(tmp_path: Path, last_lines: str) -> tuple[int, list[int]]:
    """Run a script whose workers leave a file named after their process each; return its exit status and those."""
    script = f"""
import os, signal, sys, time
from core.runtime.workers import WorkerPool
def work(state, n):
    open(f"{{sys.argv[1]}}/{{os.getpid()}}", "w").close()
    time.sleep(0.05)
    return n
if __name__ == "__main__":
    for n in WorkerPool(2).map(work, ((n,) for n in range(1000))):
        if n > 10 and len(os.listdir(sys.argv[1])) == 2:
            {last_lines}
"""
    (tmp_path / "script.py").write_text(script)
    marks = tmp_path / "marks"
    marks.mkdir()
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path.cwd()), str(tmp_path)])}
    done = subprocess.run(
        [sys.executable, str(tmp_path / "script.py"), str(marks)],
        env=environment,
        check=False,
        timeout=60,
        stderr=subprocess.DEVNULL,
    )
    return done.returncode, [int(path.name) for path in marks.iterdir()]


@pytest.mark.parametrize(
    ("last_lines", "status"),
    [("os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL), ("raise SystemExit(3)", 3), ("os._exit(4)", 4)],
)
def test_workers_end_with_the_process_that_started_them(tmp_path: Path, last_lines: str, status: int) -> None:
    """It ends while they work, without a word to them."""
    found, workers = run_and_kill(tmp_path, last_lines)
    assert found == status
    assert len(workers) == 2
    until = time.monotonic() + 20
    while any(Path(f"/proc/{worker}").exists() for worker in workers):
        assert time.monotonic() < until, "a worker is still there"
        time.sleep(0.05)
