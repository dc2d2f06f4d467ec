"""Run a Ray cluster of two nodes on loopback, in a process of its own: a head and another, each with one processor.

A line on standard input starts another node. The end of standard input ends the cluster.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bench.measure import find_family
from tests.paths import ROOT


class Nodes:
    """A running cluster: its addresses, and the processes of its nodes."""

    def __init__(self, process: "subprocess.Popen[str]", log: Path) -> None:
        self._process = process
        self._log = log
        self.ports = self._read()
        self.raylets = [self.ports["raylet"]]

    @property
    def address(self) -> str:
        """Return the address for programs on the cluster's own machines."""
        return f"127.0.0.1:{self.ports['gcs']}"

    @property
    def client_address(self) -> str:
        """Return the address for programs anywhere."""
        return f"ray://127.0.0.1:{self.ports['client']}"

    def add(self) -> None:
        """Start another node."""
        assert self._process.stdin
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        self.raylets.append(self._read()["raylet"])

    def has_task(self, node: int) -> bool:
        """Return whether a node runs a task."""
        return any("ray::run_cluster_job" in _command_of(pid) for pid in find_family(self.raylets[node]))

    def wait_for_task(self, node: int, run: "subprocess.Popen[str]") -> bool:
        """Wait until a node runs a task. Return False if the run ends before."""
        while run.poll() is None:
            if self.has_task(node):
                return True
            time.sleep(0.02)
        return False

    def kill(self, node: int) -> None:
        """Kill a node."""
        os.kill(self.raylets[node], signal.SIGKILL)

    def _read(self) -> dict[str, int]:
        assert self._process.stdout
        line = self._process.stdout.readline()
        assert line, self._log.read_text(encoding="utf-8")
        found: dict[str, int] = json.loads(line)
        return found


@contextmanager
def two_nodes(directory: Path) -> Iterator[Nodes]:
    """Run a cluster of two nodes."""
    log = directory / "ray-nodes.log"
    with log.open("w", encoding="utf-8") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.cluster.ray_nodes"],
            cwd=ROOT, env={**os.environ, "RAY_USAGE_STATS_ENABLED": "0"}, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=file,
        )  # fmt: skip
    try:
        nodes = Nodes(process, log)
        nodes.add()
        yield nodes
    finally:
        family = find_family(process.pid) - {process.pid}
        with suppress(subprocess.TimeoutExpired, OSError):
            process.communicate(timeout=30)
        process.kill()
        for pid in family:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _serve() -> None:
    from ray.cluster_utils import Cluster  # noqa: PLC0415 - an optional dependency

    told = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what Ray prints is not ours to tell
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    one = {"num_cpus": 1, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args={**one, "ray_client_server_port": port})
    node = cluster.head_node
    while True:
        found = {
            "gcs": int(cluster.address.rpartition(":")[2]),
            "client": port,
            "raylet": node.all_processes["raylet"][0].process.pid,
        }
        told.write(f"{json.dumps(found)}\n")
        told.flush()
        if not sys.stdin.readline():
            return  # Ray's own hook ends all nodes
        node = cluster.add_node(num_cpus=1)


if __name__ == "__main__":
    _serve()
