"""gunicorn's worker: health checks are answered while every thread is taken."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from beaconpoint.worker import is_health_check
from tests.paths import ROOT

APPLICATION = """
import threading

def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    if environ["PATH_INFO"] == "/stuck":
        threading.Event().wait()
    return [environ["PATH_INFO"].encode()]
"""


@pytest.mark.parametrize("begins", [b"GET /healthz HTTP/1.1", b"HEAD /readyz HTTP/1.1", b"GET /readyz "])
def test_a_health_check_is_known_by_its_first_bytes(begins: bytes) -> None:
    assert is_health_check(begins)


@pytest.mark.parametrize("begins", [b"", b"GET /", b"GET /healthz/ ", b"GET /rates/?q=/healthz ", b"POST /healthz "])
def test_other_requests_are_not(begins: bytes) -> None:
    assert not is_health_check(begins)


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """Run gunicorn with our worker, one thread, and an application that can be stuck. Yield its port."""
    (tmp_path / "stuck_application.py").write_text(APPLICATION)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number: int = free.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", "--worker-class", "beaconpoint.worker.LaneWorker", "--threads", "1"]
    command += [
        "--bind",
        f"127.0.0.1:{number}",
        "--no-control-socket",
        "--graceful-timeout",
        "1",
        "--log-level",
        "error",
    ]
    env = {**os.environ, "PYTHONPATH": f"{ROOT}:{tmp_path}"}
    with subprocess.Popen([*command, "stuck_application"], cwd=tmp_path, env=env, start_new_session=True) as process:
        try:
            for _ in range(600):
                with socket.socket() as asked:
                    if asked.connect_ex(("127.0.0.1", number)) == 0:
                        break
                time.sleep(0.1)
            yield number
        finally:
            # The worker would wait for its stuck thread for good, so the whole session is ended.
            os.killpg(process.pid, signal.SIGKILL)


def ask(port: int, path: str) -> http.client.HTTPConnection:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", path)
    return connection


def test_health_checks_do_not_wait_for_threads(port: int) -> None:
    silent = socket.create_connection(("127.0.0.1", port))
    fine = ask(port, "/fine")
    assert fine.getresponse().read() == b"/fine", "a connection that says nothing takes no thread"
    fine.request("GET", "/again")
    assert fine.getresponse().read() == b"/again", "a connection is kept"
    stuck = ask(port, "/stuck")
    waiting = ask(port, "/waiting")
    for path in ("/healthz", "/readyz"):
        health = ask(port, path)
        assert health.getresponse().read() == path.encode()
        health.close()
    waiting.sock.settimeout(0.2)
    with pytest.raises(TimeoutError):
        waiting.getresponse()
    for one in (silent, stuck, waiting, fine):
        one.close()
