"""The site as it is served: gunicorn with the project's settings, on loopback."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from tests.paths import ROOT


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Message
    text: str


@dataclass(frozen=True)
class ServedSite:
    address: str
    metrics_address: str
    log: Path

    def get(self, path: str, **headers: str) -> Reply:
        """Request a path, without following redirects."""
        return _get(self.address + path, headers)

    def log_lines(self, logger: str = "") -> list[dict[str, Any]]:
        """Return the lines of the log, all of which are JSON objects, or those of one logger."""
        lines = [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines()]
        return [line for line in lines if line["logger"] == logger or not logger]

    def line_of(self, reply: Reply) -> dict[str, Any]:
        """Return the one line of the request with a reply. It is written just after the client has the answer."""
        deadline = time.monotonic() + 60
        while True:
            found = [
                line
                for line in self.log_lines("beaconpoint.request")
                if line["request_id"] == reply.headers["X-Request-ID"]
            ]
            if found:
                (line,) = found
                return line
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def samples(self, name: str) -> dict[tuple[tuple[str, str], ...], float]:
        """Return the samples of a metric by their labels."""
        families = text_string_to_metric_families(_get(self.metrics_address, {}).text)
        return {
            tuple(sorted(sample.labels.items())): sample.value
            for family in families
            for sample in family.samples
            if sample.name == name
        }

    def sample(self, name: str, **labels: str) -> float:
        """Return one sample of a metric; 0 where there is none yet."""
        return self.samples(name).get(tuple(sorted(labels.items())), 0)


class _KeepRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_arguments: Any) -> None:
        return None


def _get(address: str, headers: dict[str, str]) -> Reply:
    request = urllib.request.Request(address, headers={name.replace("_", "-"): text for name, text in headers.items()})
    try:
        with urllib.request.build_opener(_KeepRedirects).open(request, timeout=60) as response:
            return Reply(response.status, response.headers, response.read().decode())
    except urllib.error.HTTPError as error:
        with error:
            return Reply(error.code, error.headers, error.read().decode())


@contextmanager
def serve_site(root: Path, log: Path, **environment: str) -> Iterator[ServedSite]:
    """Serve a store, with metrics. What gunicorn and the site write to stderr goes to the file `log`."""
    port, metrics_port = free_ports(2)
    site = ServedSite(f"http://127.0.0.1:{port}", f"http://127.0.0.1:{metrics_port}/metrics", log)
    variables = {
        **os.environ,
        "BEACONPOINT_DATA_DIR": str(root),
        "BEACONPOINT_BIND": f"127.0.0.1:{port}",
        "BEACONPOINT_METRICS_BIND": f"127.0.0.1:{metrics_port}",
        **environment,
    }
    command = [sys.executable, "-m", "gunicorn", "--config", "beaconpoint/gunicorn.conf.py", "beaconpoint.wsgi"]
    with log.open("wb") as stderr, subprocess.Popen(command, cwd=ROOT, env=variables, stderr=stderr) as process:
        try:
            deadline = time.monotonic() + 120
            while True:
                try:
                    site.get("/readyz")
                    break
                except OSError:
                    assert process.poll() is None, log.read_text(encoding="utf-8")
                    assert time.monotonic() < deadline
                    time.sleep(0.1)
            yield site
        finally:
            process.terminate()
            process.wait(60)


def free_ports(count: int) -> list[int]:
    """Return ports that nothing listens on."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()
