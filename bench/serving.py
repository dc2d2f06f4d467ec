"""The site as it is served: gunicorn with the project's settings, and clients that ask it."""

import http.client
import math
import os
import queue
import random
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.measure import EVERY, tree_memory

ROOT = Path(__file__).resolve().parent.parent


@dataclass
class Answers:
    """The times of answers in milliseconds, and what was not answered well."""

    times: list[float] = field(default_factory=list)
    errors: dict[int, int] = field(default_factory=dict)
    """How many by status; 0 is a connection that broke."""

    def percentile(self, part: float) -> float | None:
        """Return a percentile, by the nearest rank, or None if nothing was answered."""
        ordered = sorted(self.times)
        return ordered[math.ceil(len(ordered) * part) - 1] if ordered else None

    @property
    def absent(self) -> bool:
        """Return whether the page does not exist."""
        return not self.times and set(self.errors) == {404}


@dataclass
class Server:
    """A running server, and the most memory that its processes had together so far."""

    port: int
    process: subprocess.Popen[bytes]
    peak: int = 0

    def ask(self, urls: Iterable[str], clients: int = 1, seconds: float | None = None) -> Answers:
        """Request each address once, with that many clients, each on one connection. Stop after `seconds`."""
        waiting: queue.SimpleQueue[str] = queue.SimpleQueue()
        for url in urls:
            waiting.put(url)
        answers = Answers()
        until = None if seconds is None else time.monotonic() + seconds
        threads = [threading.Thread(target=self._client, args=(waiting, answers, until)) for _ in range(clients)]
        for thread in threads:
            thread.start()
        while running := [thread for thread in threads if thread.is_alive()]:
            running[0].join(EVERY)
            self.peak = max(self.peak, tree_memory(self.process.pid))
        return answers

    def _client(self, waiting: "queue.SimpleQueue[str]", answers: Answers, until: float | None) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        while until is None or time.monotonic() < until:
            try:
                url = waiting.get_nowait()
            except queue.Empty:
                break
            began = time.perf_counter()
            try:
                connection.request("GET", url, headers={"Accept-Encoding": "gzip"})
                response = connection.getresponse()
                response.read()
                status = response.status
            except (OSError, http.client.HTTPException):
                status = 0
                connection.close()
            if status == 200:
                answers.times.append((time.perf_counter() - began) * 1000)
            else:
                answers.errors[status] = answers.errors.get(status, 0) + 1
        connection.close()


@contextmanager
def serving(store: Path, program: Path = ROOT) -> Iterator[Server]:
    """Start a server on a store, of this checkout or another. It has answered /healthz and nothing else."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = {**os.environ, "BEACONPOINT_DATA_DIR": str(store.resolve()), "BEACONPOINT_BIND": f"127.0.0.1:{port}"}
    command = [sys.executable, "-m", "gunicorn", "--config", "beaconpoint/gunicorn.conf.py", "--log-level", "warning"]
    with subprocess.Popen([*command, "beaconpoint.wsgi"], env=env, cwd=program) as process:
        try:
            server = Server(port, process)
            for _ in range(300):
                if server.ask(["/healthz"]).times:
                    break
                if process.poll() is not None:
                    sys.exit("gunicorn did not start, see above")
                time.sleep(0.1)
            yield server
        finally:
            process.terminate()


def forget(store: Path) -> None:
    """Drop a store's files from the page cache: the next question reads them from disk."""
    for path in (store / "files").rglob("*.parquet"):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)


def remember(store: Path) -> None:
    """Read a store's files into the page cache, as far as there is room."""
    for path in (store / "files").rglob("*.parquet"):
        with path.open("rb") as file:
            while file.read(1 << 22):
                pass


def skewed(urls: list[str], weights: list[int], count: int) -> list[str]:
    """Return addresses in random order, each as often as its weight says; the same every time."""
    return random.Random("mix").choices(urls, weights, k=count)
