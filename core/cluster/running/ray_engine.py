"""Run jobs on a Ray cluster: one task a job. Lost workers and machines are replaced; a job that fails fails alone."""

import os
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import core
from core.runtime.errors import BeaconError

Job = TypeVar("Job")
Result = TypeVar("Result")

_SETTINGS = ("BEACONPOINT_", "AWS_", "DJANGO_")
"""The beginnings of the names of the environment variables that tasks on other machines need as well."""

_PROJECT = Path(core.__file__).parents[1]
"""Where the project is, on each machine: tasks find their code there, whatever directory Ray was started in."""

_ANSWER_SECONDS = 10.0
_CONNECT_TRIES = 3
_SLOW_START = "timed out during startup"
"""What Ray says of it: it has no exception of its own for that."""

_RETRIES = 3
"""How often a job is started again after its worker or machine was lost. An error of the job itself is final."""


class ClusterLostError(BeaconError):
    """The connection to a cluster has ended, or the cluster itself."""


@dataclass(frozen=True)
class RayCluster:
    """A running cluster."""

    processors: int
    dashboard: str

    def run(
        self, work: Callable[[Job], Result], jobs: Iterable[Job], *, processors: float, memory: int
    ) -> Iterator[tuple[Job, Result | str]]:
        """Yield each job with its result as it ends, or with what went wrong outside of it.

        Each takes this number of `processors`, and of bytes of `memory` if that is not 0. A few jobs more than can run
        are submitted, so that no list of all of them travels.
        """
        import ray  # noqa: PLC0415 - an optional dependency

        try:
            if not can_run([one["Resources"] for one in ray.nodes() if one["Alive"]], processors, memory):
                # Ray would wait for such a machine to join.
                raise BeaconError(
                    f"no machine of the cluster has {processors:g} processors and {memory / 1e9:,.1f} GB of memory for "
                    "one file; give fewer --processes, or less --file-memory"
                )
            yield from self._run(work, jobs, processors, memory)
        except (ConnectionError, ray.exceptions.LocalRayletDiedError, ray.exceptions.RaySystemError) as error:
            # This machine's part of the cluster has ended, or the way to it. Every other job would fail as well.
            raise ClusterLostError(
                f"the cluster was lost ({type(error).__name__}); what was loaded is kept; run the command again"
            ) from None

    def _run(
        self, work: Callable[[Job], Result], jobs: Iterable[Job], processors: float, memory: int
    ) -> Iterator[tuple[Job, Result | str]]:
        import ray  # noqa: PLC0415 - an optional dependency

        needs: dict[str, Any] = {"num_cpus": processors, "max_retries": _RETRIES, "retry_exceptions": False}
        # Ray would fill this machine by half before it takes another. A file is worth its own disk and network.
        needs["scheduling_strategy"] = "SPREAD"
        if memory:
            needs["memory"] = memory
        task = ray.remote(**needs)(work)
        waiting: dict[Any, Job] = {}
        room = max(4, int(2 * self.processors / processors))
        for job in jobs:
            waiting[task.remote(job)] = job
            if len(waiting) >= room:
                yield from self._ended(waiting)
        while waiting:
            yield from self._ended(waiting)

    def _ended(self, waiting: dict[Any, Any]) -> Iterator[tuple[Any, Any]]:
        import ray  # noqa: PLC0415 - an optional dependency

        done, _ = ray.wait(list(waiting), num_returns=1)
        for each in done:
            job = waiting.pop(each)
            try:
                yield job, ray.get(each)
            except (ray.exceptions.LocalRayletDiedError, ray.exceptions.RaySystemError):
                raise
            except ray.exceptions.RayError as error:
                first = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
                yield job, f"{type(error).__name__}: {first.strip()[:300]}"


def can_run(machines: Iterable[dict[str, float]], processors: float, memory: int) -> bool:
    """Return whether one of the machines, whose resources these are, has enough of both."""
    return any(one.get("CPU", 0) >= processors and one.get("memory", 0) >= memory for one in machines)


def _expect_answer(address: str) -> None:
    """Raise BeaconError if nothing answers at an address: Ray itself would try for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    try:
        socket.create_connection((host, int(port)), _ANSWER_SECONDS).close()
    except OSError as error:
        raise BeaconError(
            f"{address}: no cluster answers ({error.strerror or error}); expected ray://host:10001, or host:6379 on a "
            "machine of the cluster, with Ray started there"
        ) from None


def _connect(**options: Any) -> Any:
    import ray  # noqa: PLC0415 - an optional dependency

    for tries_left in reversed(range(_CONNECT_TRIES)):
        try:
            return ray.init(**options)
        except Exception as error:
            # On a busy machine a Ray of its own may not be ready in its 30 seconds, and the process that a head starts
            # for each client may end before it answers.
            if not tries_left or not (isinstance(error, ConnectionAbortedError) or _SLOW_START in str(error)):
                raise
            ray.shutdown()
    raise AssertionError("the last try returns or raises")


@contextmanager
def open_cluster(address: str, workers: int | None = None) -> Iterator[RayCluster]:
    """Yield the cluster of an address, or for an empty one a cluster on this machine.

    An address is `ray://host:10001`, from anywhere, or `host:6379` on a machine of the cluster.

    Meanwhile nothing that is printed is shown: Django's commands write to the output that they were started with.

    `workers` are the processors of a cluster on this machine. Raise BeaconError if there is no cluster.
    """
    # Without this, Ray counts what it is used for, and asks a server at each start.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray  # noqa: PLC0415 - an optional dependency
    except ImportError:
        raise BeaconError("--engine ray needs Ray: uv sync --group cluster (see docs/cluster.md)") from None
    if address:
        _expect_answer(address)
    passed = {name: value for name, value in os.environ.items() if name.startswith(_SETTINGS)}
    passed["PYTHONPATH"] = os.pathsep.join([str(_PROJECT), *filter(None, [os.environ.get("PYTHONPATH")])])
    options: dict[str, Any] = {"address": address} if address else {"num_cpus": workers, "address": "local"}
    # Ray prints there, in pages, what its servers log of a lost worker. The dashboard has it; commands say it in short.
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere, redirect_stdout(nowhere):
        try:
            context = _connect(runtime_env={"env_vars": passed}, log_to_driver=False, logging_level="ERROR", **options)
        except Exception as error:  # noqa: BLE001 - Ray raises several kinds, and the command says it in one line
            raise BeaconError(f"{address or 'local Ray'}: no cluster ({str(error).splitlines()[0]})") from None
        try:
            found = int(ray.cluster_resources().get("CPU", 1))
            yield RayCluster(found, getattr(context, "dashboard_url", None) or "")
        finally:
            ray.shutdown()
