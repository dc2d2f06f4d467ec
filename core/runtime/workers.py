"""Work shared among processes: one function over many arguments, in order, a few ahead.

A workers's members keep a state of their own, a dict that every function they run gets first. Where the work is small,
`SingleProcess` does it within the calling process in the same way.
"""

import ctypes
import gc
import os
import pickle
import queue
import signal
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing import forkserver, get_context, resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any, Protocol

from core.runtime.errors import BeaconError

TASKS_AHEAD = 2
"""Arguments that each member has at hand, so that none waits for its next."""

WorkerState = dict[str, Any]


class Workers(Protocol):
    """Who does the work."""

    def map(self, function: Callable[..., Any], arguments: Iterable[tuple[Any, ...]]) -> Iterator[Any]:
        """The function's results, in the order of its arguments; whichever member is free takes the next.

        What the function raises is raised here, for the first argument of those at hand for which it does.
        """

    def each(self, function: Callable[..., Any], *arguments: Any) -> list[Any]:
        """The function's result in every member, called once in each with the same arguments."""

    def renew(self) -> None:
        """Puts new members in the place of those there are, whose memory goes with them; none may have work to do."""

    def cpu(self) -> float:
        """Seconds of processor time that processes other than the calling one have used."""

    def close(self) -> None:
        """Ends the members, at once."""


class SingleProcess:
    """A workers of the calling process only."""

    def __init__(self) -> None:
        self._state: WorkerState = {"member": 0}

    def map(self, function: Callable[..., Any], arguments: Iterable[tuple[Any, ...]]) -> Iterator[Any]:
        """See Crew."""
        for each in arguments:
            yield function(self._state, *each)

    def each(self, function: Callable[..., Any], *arguments: Any) -> list[Any]:
        """See Crew."""
        return [function(self._state, *arguments)]

    def renew(self) -> None:
        """See Crew."""
        self._state = {"member": 0}

    def cpu(self) -> float:
        """See Crew."""
        return 0.0

    def close(self) -> None:
        """See Crew."""
        self._state = {}


class WorkerPool:
    """A workers of `count` processes, which end with this one, however it ends."""

    def __init__(self, count: int) -> None:
        self._context = _context()
        self._count = count
        self._cpu_before = self._cpu = 0.0
        self._start()

    def _start(self) -> None:
        self._processes = []
        self._connections: list[Connection] = []
        for member in range(self._count):
            ours, theirs = self._context.Pipe()
            process = self._context.Process(target=_serve, args=(theirs, member), daemon=True)
            with _uninterrupted():
                process.start()
            theirs.close()
            self._processes.append(process)
            self._connections.append(ours)

    def map(self, function: Callable[..., Any], arguments: Iterable[tuple[Any, ...]]) -> Iterator[Any]:
        """See Crew."""
        at_hand: dict[Connection, deque[int]] = {connection: deque() for connection in self._connections}
        results: dict[int, Any] = {}
        sent, told = 0, 0
        for each in arguments:
            while True:
                for connection in wait(at_hand, timeout=0):
                    self._receive(connection, at_hand, results)  # type: ignore[arg-type]
                free = min(at_hand, key=lambda connection: len(at_hand[connection]))
                if len(at_hand[free]) < TASKS_AHEAD:
                    break
                for connection in wait(at_hand):
                    self._receive(connection, at_hand, results)  # type: ignore[arg-type]
            self._send(free, (function, each))
            at_hand[free].append(sent)
            sent += 1
            while told in results:
                yield _unpacked(results.pop(told))
                told += 1
        while told < sent:
            while told not in results:
                for connection in wait([c for c in at_hand if at_hand[c]]):
                    self._receive(connection, at_hand, results)  # type: ignore[arg-type]
            yield _unpacked(results.pop(told))
            told += 1

    def each(self, function: Callable[..., Any], *arguments: Any) -> list[Any]:
        """See Crew."""
        for connection in self._connections:
            self._send(connection, (function, arguments))
        return [_unpacked(self._reply(connection)) for connection in self._connections]

    def renew(self) -> None:
        """See Crew."""
        self.close()
        self._cpu_before = self._cpu
        self._start()

    def cpu(self) -> float:
        """See Crew."""
        with suppress(OSError):
            stats = [Path(f"/proc/{process.pid}/stat").read_text() for process in self._processes]
            ticks = [sum(map(int, stat.rsplit(")", 1)[1].split()[11:13])) for stat in stats]
            self._cpu = self._cpu_before + sum(ticks) / os.sysconf("SC_CLK_TCK")
        return self._cpu

    def close(self) -> None:
        """See Crew."""
        self.cpu()
        for process in self._processes:
            process.kill()
        for connection, process in zip(self._connections, self._processes, strict=True):
            connection.close()
            process.join()

    def _send(self, connection: Connection, message: Any) -> None:
        try:
            connection.send_bytes(pickle.dumps(message, pickle.HIGHEST_PROTOCOL))
        except OSError:
            raise self._lost() from None

    def _receive(self, connection: Connection, at_hand: dict[Connection, deque[int]], results: dict[int, Any]) -> None:
        results[at_hand[connection].popleft()] = self._reply(connection)

    def _reply(self, connection: Connection) -> Any:
        try:
            return connection.recv()
        except (EOFError, OSError):
            raise self._lost() from None

    def _lost(self) -> BeaconError:
        return BeaconError(
            "a process that did part of the work has ended before its time, most likely for want of memory; nothing "
            "has been kept; run the command again when more is free"
        )


def prestart_workers() -> None:
    """Start what workers are forked from, which takes a second: for a command that will soon need them."""
    _context()
    with _uninterrupted():
        forkserver.ensure_running()


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """What is started here takes no interrupt, which a terminal sends to all its processes: it is the command's.

    One that comes meanwhile is the command's afterwards.
    """
    resource_tracker.ensure_running()  # which would let interrupts through again, were it started later
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _context() -> ForkServerContext:
    # Not a fork of this process: it has threads, and DuckDB does not survive one. The server that members are forked
    # from has nothing but the modules they need, which so are in memory once.
    # Polars' allocator would keep what it has freed counted as ours until the system asks for it.
    os.environ.setdefault("_RJEM_MALLOC_CONF", "dirty_decay_ms:500,muzzy_decay_ms:0")
    context = get_context("forkserver")
    context.set_forkserver_preload(["core.load.worker_tasks"])
    return context


def start_workers(count: int) -> Workers:
    """A workers of so many processes besides this one; for one or none, just this one."""
    return WorkerPool(count) if count > 1 else SingleProcess()


def give_back_memory() -> None:
    """Hands memory that was freed back to the system, as other processes are to use it now."""
    import pyarrow as pa  # noqa: PLC0415 - whoever calls a workers early has not loaded it yet

    pa.default_memory_pool().release_unused()
    with suppress(OSError, AttributeError):  # where the C library is another one
        ctypes.CDLL(None).malloc_trim(0)


def cpu_count() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0))


def _unpacked(reply: tuple[bool, Any]) -> Any:
    done, result = reply
    if not done:
        raise result
    return result


def _serve(connection: Connection, member: int) -> None:
    """What a member does: runs what it is sent, until nobody is there to send."""
    os.environ["POLARS_MAX_THREADS"] = "1"
    gc.disable()  # nothing here makes cycles, and looking for them takes a tenth of the time
    inbox: queue.Queue[bytes | None] = queue.Queue(TASKS_AHEAD)
    threading.Thread(target=_fill, args=(connection, inbox), daemon=True).start()
    state: WorkerState = {"member": member}
    while (message := inbox.get()) is not None:
        function, arguments = pickle.loads(message)  # noqa: S301 - from the process that started this one
        try:
            reply = (True, function(state, *arguments))
        except Exception as error:  # noqa: BLE001 - raised where the work was asked for
            reply = (False, _portable(error))
        with suppress(OSError):
            connection.send(reply)


def _portable(error: Exception) -> Exception:
    """The error so that it can go to another process; its traceback, which cannot, goes along as a note."""
    told = traceback.format_exc()
    try:
        error = pickle.loads(pickle.dumps(error))  # noqa: S301 - what it has just made itself
    except Exception:  # noqa: BLE001 - some classes cannot be put together again
        return RuntimeError(told)
    if not isinstance(error, BeaconError):
        error.add_note(told)
    return error


def _fill(connection: Connection, inbox: "queue.Queue[bytes | None]") -> None:
    try:
        while True:
            inbox.put(connection.recv_bytes())
    except (EOFError, OSError):
        # The process that gives the work has ended.
        os._exit(0)
