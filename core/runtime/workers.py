"""Work shared by processes: one function over many arguments, results in order, a bounded number of tasks ahead.

Each worker process keeps a state of its own, a dict that every function it runs gets as its first argument. Where the
work is small, `SingleProcess` does it in the calling process, in the same way.

On Linux, workers are forked from a server that has imported what they need. macOS and Windows start each one as a new
interpreter ("spawn"), which imports everything again: a second or two per worker.

Why not concurrent.futures or loky: docs/decisions/0036-own-worker-pool.md.
"""

import ctypes
import os
import pickle
import signal
import struct
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import chain
from multiprocessing import get_all_start_methods, get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnContext
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast

from core.runtime.errors import BeaconError
from core.runtime.task_memory import TaskMemory
from core.runtime.worker_process import MAX_QUEUED_TASKS, WorkerState, serve_tasks

PART_BYTES = 1 << 20
"""A longer message is sent in parts: `Connection` makes room for all the rest of a message each time that it reads some
of it, so 4 MB in one message take three times as long to receive."""

MAX_SPAWNED_WORKERS = 30
"""Windows waits for at most 63 things at a time, and there are two to wait for with each worker."""

T = TypeVar("T")


class Workers(Protocol):
    """The processes that share some work."""

    def begin(self, tasks: Iterable[T]) -> Iterator[T]:
        """Look at the first of all tasks that are coming, and return them all: few are not worth several processes.

        Only for tasks that go to `map` in several parts.
        """

    def map(self, function: Callable[..., Any], arguments: Iterable[tuple[Any, ...]]) -> Iterator[Any]:
        """Yield the function's results, in the order of its arguments; the next free worker takes the next task.

        Raise what the function raises, for the first arguments for which it does.
        """

    def each(self, function: Callable[..., Any], *arguments: Any) -> list[Any]:
        """Call the function once in every worker, with the same arguments, and return the results."""

    def renew(self) -> None:
        """Replace the workers, none of which may have work, by new ones: the memory of the old ones is freed."""

    def cpu(self) -> float:
        """Return the seconds of processor time that processes other than the calling one have used."""

    def close(self) -> None:
        """End the workers at once, whatever they are doing."""


class SingleProcess:
    """Workers that are the calling process only."""

    def __init__(self) -> None:
        self._state: WorkerState = {"worker": 0}

    def begin(self, tasks: Iterable[T]) -> Iterator[T]:
        """See Workers."""
        return iter(tasks)

    def map(self, function: Callable[..., Any], arguments: Iterable[tuple[Any, ...]]) -> Iterator[Any]:
        """See Workers."""
        for each in arguments:
            yield function(self._state, *each)

    def each(self, function: Callable[..., Any], *arguments: Any) -> list[Any]:
        """See Workers."""
        return [function(self._state, *arguments)]

    def renew(self) -> None:
        """See Workers."""
        self._state = {"worker": 0}

    def cpu(self) -> float:
        """See Workers."""
        return 0.0

    def close(self) -> None:
        """See Workers."""
        self._state = {}


class WorkerPool:
    """Workers that are `count` other processes, which end with this one however it ends.

    Each worker has a pipe of its own. A shared queue would need locks, and a process killed while it holds a lock
    leaves the others waiting forever. `preload` is as in `start_workers`.
    """

    def __init__(self, count: int, preload: Sequence[str] = ()) -> None:
        self._context = _prepare_context(preload)
        self._count = count if _has_fork_server() else min(count, MAX_SPAWNED_WORKERS)
        self._cpu_before = self._cpu = 0.0
        self._start()

    def _start(self) -> None:
        self._processes = []
        self._connections: list[Connection] = []
        self._sentinels: dict[Connection, int] = {}
        """What `wait` reports when the process at the other end of a connection has ended."""
        self._memory: dict[Connection, TaskMemory | None] = {}
        """What is shared with the process at the other end."""
        for number in range(self._count):
            ours, theirs = self._context.Pipe()
            memory = TaskMemory.create(MAX_QUEUED_TASKS)
            process = self._context.Process(target=serve_tasks, args=(theirs, number, memory), daemon=True)
            with _interrupts_blocked():
                process.start()
            # With this copy closed, the worker holds the only one: if it dies, reading from `ours` fails at once.
            theirs.close()
            self._processes.append(process)
            connection: Any = ours  # Windows has another class with the same methods
            self._connections.append(connection)
            self._sentinels[connection] = process.sentinel
            self._memory[connection] = memory

    def begin(self, tasks: Iterable[T]) -> Iterator[T]:
        """See Workers."""
        return iter(tasks)

    def map(self, function: Callable[..., Any], arguments: Iterable[tuple[Any, ...]]) -> Iterator[Any]:
        """See Workers."""
        # The numbers of the tasks that each worker has been sent and has not answered, oldest first. A worker answers
        # in order, so a reply needs no number: it belongs to the oldest.
        queued: dict[Connection, deque[int]] = {connection: deque() for connection in self._connections}
        results: dict[int, Any] = {}
        sent = yielded = 0
        for each in arguments:
            worker = self._wait_for_room(queued, results)
            self._send(worker, (function, each), self._memory[worker])
            queued[worker].append(sent)
            sent += 1
            while yielded in results:
                yield _unpack(results.pop(yielded))
                yielded += 1
        while yielded < sent:
            while yielded not in results:
                self._receive([worker for worker in queued if queued[worker]], queued, results)
            yield _unpack(results.pop(yielded))
            yielded += 1

    def _wait_for_room(self, queued: dict[Connection, deque[int]], results: dict[int, Any]) -> Connection:
        """Return the worker with the fewest tasks, once that is fewer than MAX_QUEUED_TASKS."""
        self._receive(queued, queued, results, timeout=0)
        while True:
            worker = min(queued, key=lambda connection: len(queued[connection]))
            if len(queued[worker]) < MAX_QUEUED_TASKS:
                return worker
            self._receive(queued, queued, results)

    def _receive(
        self,
        workers: Iterable[Connection],
        queued: dict[Connection, deque[int]],
        results: dict[int, Any],
        timeout: float | None = None,
    ) -> None:
        """Take one reply from each of the workers that has one; without a timeout, wait until one has."""
        for worker in self._wait_for_reply(list(workers), timeout):
            results[queued[worker].popleft()] = self._read_reply(worker)

    def _wait_for_reply(self, workers: list[Connection], timeout: float | None = None) -> list[Connection]:
        """Return the workers that have a reply, or whose pipe has ended."""
        # A worker that ends before it has its end of the pipe, as one that cannot import the main program does, leaves
        # that end open on Windows: the pipe alone would keep this process waiting forever.
        found = wait([*workers, *(self._sentinels[worker] for worker in workers)], timeout)
        replied = [cast("Connection", one) for one in found if not isinstance(one, int)]
        if found and not replied:
            raise _worker_lost()
        return replied

    def each(self, function: Callable[..., Any], *arguments: Any) -> list[Any]:
        """See Workers."""
        for connection in self._connections:
            self._send(connection, (function, arguments))
        return [_unpack(self._read_reply(*self._wait_for_reply([connection]))) for connection in self._connections]

    def renew(self) -> None:
        """See Workers."""
        self.close()
        self._cpu_before = self._cpu
        self._start()

    def cpu(self) -> float:
        """See Workers."""
        # Not RUSAGE_CHILDREN: the workers are children of the fork server. Where /proc is missing (macOS, Windows), the
        # time of workers is not known.
        if sys.platform == "linux":
            with suppress(OSError):
                stats = [Path(f"/proc/{process.pid}/stat").read_text("utf-8") for process in self._processes]
                # The name before the last bracket may contain blanks; utime and stime are the 12th and 13th field after
                # it.
                ticks = [sum(map(int, stat.rsplit(")", 1)[1].split()[11:13])) for stat in stats]
                self._cpu = self._cpu_before + sum(ticks) / os.sysconf("SC_CLK_TCK")
        return self._cpu

    def close(self) -> None:
        """See Workers."""
        self.cpu()
        for process in self._processes:
            process.kill()
        for connection, process in zip(self._connections, self._processes, strict=True):
            connection.close()
            process.join()
        for memory in self._memory.values():
            if memory:
                memory.close()
        self._memory = {}

    def _send(self, connection: Connection, message: Any, memory: TaskMemory | None = None) -> None:
        place = memory.new_task() if memory else None
        callback = place.leave_to_pickle if place else None
        packed = memoryview(pickle.dumps(message, pickle.HIGHEST_PROTOCOL, buffer_callback=callback))
        parts = [packed[start : start + PART_BYTES] for start in range(0, len(packed), PART_BYTES)]
        spans = place.spans if place else []
        try:
            connection.send_bytes(struct.pack(f">{1 + 2 * len(spans)}Q", len(parts), *chain.from_iterable(spans)))
            for part in parts:
                connection.send_bytes(part)
        except OSError:
            raise _worker_lost() from None

    def _read_reply(self, connection: Connection) -> Any:
        try:
            return connection.recv()
        except (EOFError, OSError):
            raise _worker_lost() from None


def start_workers(count: int, preload: Sequence[str] = ()) -> Workers:
    """Return `count` worker processes; for a count of one or less, just the calling process.

    `preload` names the modules of the functions that the workers will run. They are imported once, into the server that
    all workers are forked from; only the first call in a process, or of `prestart_workers`, decides which.
    """
    return WorkerPool(count, preload) if count > 1 else SingleProcess()


def prestart_workers(preload: Sequence[str]) -> None:
    """Start the server that workers are forked from, which takes a second: for a command that will soon need them."""
    _prepare_context(preload)
    if _has_fork_server():
        from multiprocessing import forkserver  # noqa: PLC0415 - Windows has none

        with _interrupts_blocked():
            forkserver.ensure_running()


def give_back_memory() -> None:
    """Return freed memory to the system, for other processes to use."""
    import pyarrow as pa  # noqa: PLC0415 - a caller that only starts workers early need not wait for it

    pa.default_memory_pool().release_unused()
    with suppress(OSError, AttributeError, TypeError):  # another C library than glibc; Windows has no CDLL(None)
        ctypes.CDLL(None).malloc_trim(0)


def cpu_count() -> int:
    """Return how many processors this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)  # Linux only
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def _has_fork_server() -> bool:
    """Return whether workers are forked from a server.

    macOS has a fork server too, but its libraries do not survive a fork, so Python itself starts new processes there.
    The first start method is Python's own choice for the system.
    """
    methods = get_all_start_methods()
    return "forkserver" in methods and methods[0] != "spawn"


def _prepare_context(preload: Sequence[str]) -> SpawnContext:
    # Without this setting, Polars' allocator keeps freed memory until the system asks for it, and it counts as used.
    os.environ.setdefault("_RJEM_MALLOC_CONF", "dirty_decay_ms:500,muzzy_decay_ms:0")
    if not _has_fork_server():
        return get_context("spawn")
    # Workers are not forked from this process: it has threads, and DuckDB does not survive a fork. The fork server has
    # neither, only the modules that the workers need, which are so in memory once.
    context = get_context("forkserver")
    context.set_forkserver_preload(list(preload))
    return cast("SpawnContext", context)  # it has the same methods, and Windows does not define its class


@contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """Start processes here that ignore an interrupt: a terminal sends it to all processes, and the command handles it.

    An interrupt that arrives meanwhile reaches the command afterwards, except on Windows, where it is lost.
    """
    if sys.platform == "win32":
        # There is no signal mask, but what ignores Ctrl-C starts processes that ignore it as well.
        kernel = ctypes.WinDLL("kernel32")
        kernel.SetConsoleCtrlHandler(None, True)
        try:
            yield
        finally:
            kernel.SetConsoleCtrlHandler(None, False)
    else:
        from multiprocessing import resource_tracker  # noqa: PLC0415 - not on Windows

        resource_tracker.ensure_running()  # if it started later, starting it would let interrupts through again
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _worker_lost() -> BeaconError:
    return BeaconError(
        "a worker process ended unexpectedly, most likely because memory ran out; nothing of the unfinished work has "
        "been kept; run the command again when more memory is free"
    )


def _unpack(reply: tuple[bool, Any]) -> Any:
    succeeded, result = reply
    if not succeeded:
        raise result
    return result
