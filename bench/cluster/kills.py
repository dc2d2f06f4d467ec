"""Kill a Ray worker, the node, and the driver of ingest_mrf at random moments, run the command again, and compare.

A round has an empty place, on this machine's disk and on S3 on loopback in turn, and three runs of the command over the
same files: in the first two workers and then the node (the raylet) are killed, in the second two workers and then the
driver, and the third has to end by itself. What is published then must be what a single machine has, and nothing may
be left behind. At last a publisher is killed after each of its writes: of the log, of each table, of a generation.
"""

import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

from bench.cluster.kill_commits import kill_between_commits
from bench.measure import find_family
from core.cluster.copies.local_copy import LAYOUT, refresh_copy
from core.cluster.demo_storage import BUCKET, serve_s3
from core.cluster.files.batch_files import PUBLISHED
from core.cluster.place import StorePlace
from core.cluster.publication.expiry import expire
from core.store.generations.store import Store
from core.store.schema.tables import FACT_RATE
from tests.cluster.files import assert_same_stores, load_single, make_publisher, rows_of, write_rates

ROOT = Path(__file__).parents[2]
FILES, SAME = 20, 5
END_SECONDS = 900.0
WORKERS_KILLED = 2
"""How many in each of the runs that are killed."""
TASK_SECONDS = 8.0
"""About how long the tasks of a run take."""


@dataclass
class Run:
    """A run of the command, with the processes that were seen of it."""

    process: "subprocess.Popen[str]"
    log: Path
    seconds: float = 0
    started: float = field(default_factory=time.monotonic)
    seen: dict[int, str] = field(default_factory=dict)
    """The processes by number, with the moment of their start: a number is given again after a while."""

    def find(self, command: str) -> int | None:
        """Return a process of the run whose command line contains a text."""
        family = self.look()
        return next((pid for pid in sorted(family) if command in command_of(pid)), None)

    def look(self) -> set[int]:
        """Return the processes of the run, and remember them."""
        family = find_family(self.process.pid)
        self.seen |= {pid: start_of(pid) for pid in family - self.seen.keys()}
        return family

    def wait_for(self, command: str) -> int | None:
        """Wait until there is such a process. Return None if the run ends before."""
        while self.process.poll() is None:
            found = self.find(command)
            if found:
                return found
            time.sleep(0.05)
        return None

    def end(self) -> int:
        """Wait for the end of the run. Return its exit status."""
        with suppress(subprocess.TimeoutExpired):
            while True:
                self.look()
                if self.process.poll() is not None or time.monotonic() - self.started > END_SECONDS:
                    break
                time.sleep(0.2)
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
            return -1000
        self.seconds = time.monotonic() - self.started
        return self.process.returncode

    def leftovers(self) -> list[str]:
        """Return the commands of those processes that still run 90 seconds after the end, and end them."""
        until = time.monotonic() + 90
        alive = self.alive()
        while alive and time.monotonic() < until:
            time.sleep(0.5)
            alive = self.alive()
        names = [command_of(pid)[:60] for pid in alive]
        for pid in alive:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return names

    def alive(self) -> list[int]:
        """Return the processes that still run."""
        return [pid for pid, start in self.seen.items() if start and start_of(pid) == start]


def start_of(pid: int) -> str:
    """Return when a running process has started, or an empty text."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return "" if fields[0] == "Z" else fields[19]


def command_of(pid: int) -> str:
    """Return the command line of a running process, or an empty text."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def measure_kills(count: int, kind: str = "") -> None:
    """Kill something at least `count` times, and print what became of each round. `kind` is file or s3, or both."""
    seed = int(os.environ.get("BENCH_SEED", time.time_ns() % 1_000_000))
    random.seed(seed)
    print(f"seed {seed}")
    with TemporaryDirectory(prefix="bench-kills-") as text:
        root = Path(text)
        paths = write_rates(root / "files", FILES, SAME)
        single = load_single(Store(root / "single"), paths)
        statuses: Counter[str] = Counter()
        kinds = [kind] if kind else ["file", "s3"]
        with serve_s3(root / "s3") if "s3" in kinds else nullcontext({}) as storage:
            os.environ.update(storage)
            killed = number = 0
            while killed < count:
                directory = root / f"round-{number}"
                directory.mkdir()
                of = kinds[number % len(kinds)]
                url = f"s3://{BUCKET}/{uuid4().hex}" if of == "s3" else (directory / "place").as_uri()
                killed += kill_round(StorePlace(url), directory, paths, single, statuses)
                number += 1
            for of in kinds:
                directory = root / f"commits-{of}"
                directory.mkdir()
                url = f"s3://{BUCKET}/{uuid4().hex}" if of == "s3" else (directory / "place").as_uri()
                print(url, flush=True)
                after = kill_between_commits(StorePlace(url), directory, paths)
                print(f"  publishers killed after {len(after)} writes: {dict(Counter(after))}", flush=True)
                check(StorePlace(url), directory, single)
        print(f"{killed} kills in {number} rounds, all exact; {dict(sorted(statuses.items()))}")


def kill_round(place: StorePlace, directory: Path, paths: list[Path], single: Store, statuses: Counter[str]) -> int:
    """Run the command three times, and check what it has published. Return the number of kills."""
    killed = 0

    def note(what: str, run: Run, at: float) -> None:
        status, log = run.end(), run.log.read_text(encoding="utf-8")
        statuses[f"{what}: exit status {status}"] += 1
        alone = run.leftovers()
        last = [line for line in log.splitlines() if line.strip()][-1:]
        print(
            f"  {what} at {at:.1f} s: status {status}, {len(alone)} processes left; {' '.join(last)[:230]}", flush=True
        )
        if "Traceback" in log or "Segmentation" in log or "Fatal" in log or alone:
            print("  ".join(["", *log.splitlines(keepends=True)[-40:], *alone]))

    print(f"{place.url}", flush=True)

    def kill(run: Run, name: str, kind: str, most: float) -> float:
        """Kill a process of a run a while after a task is seen. Return when, in seconds from the start."""
        nonlocal killed
        if run.wait_for("ray::run_cluster_job"):
            time.sleep(random.uniform(0, most))
        pid = run.find(name)
        at = time.monotonic() - run.started
        if pid:
            os.kill(pid, signal.SIGKILL)
            killed += 1
            statuses[f"{kind} killed"] += 1
            print(f"  {kind} killed at {at:.1f} s", flush=True)
        return at

    run = start(place, directory, paths, "first")
    for _ in range(WORKERS_KILLED):
        kill(run, "ray::run_cluster_job", "worker", TASK_SECONDS / 3)
    note("node", run, kill(run, "raylet/raylet", "node", TASK_SECONDS / 3))
    run = start(place, directory, paths, "second")
    for _ in range(WORKERS_KILLED):
        kill(run, "ray::run_cluster_job", "worker", TASK_SECONDS / 3)
    note("driver", run, kill(run, "manage.py ingest_mrf", "driver", TASK_SECONDS + 4))
    run = start(place, directory, paths, "third")
    note("to the end", run, 0)
    if run.process.returncode:
        raise SystemExit(f"the last run has failed:\n{run.log.read_text(encoding='utf-8')}")
    check(place, directory, single)
    return killed


def start(
    place: StorePlace, directory: Path, paths: list[Path], name: str, engine: Sequence[str] = ("ray", "--workers", "2")
) -> Run:
    """Start the command."""
    environment = {
        **os.environ,
        "BEACONPOINT_SECRET_KEY": "x",
        "BEACONPOINT_DATA_DIR": place.url,
        "BEACONPOINT_COPY_DIR": str(directory / "copy"),
        "BEACONPOINT_CATALOG": f"sqlite:///{directory / 'catalog.db'}",
        "BEACONPOINT_TEMP_DIR": str(directory / "tmp"),
        "PYTHONFAULTHANDLER": "1",
    }
    command = [
        sys.executable, "manage.py", "ingest_mrf", "--engine", *engine, "--state", "GA",
        *map(str, paths),
    ]  # fmt: skip
    log = directory / f"{name}.log"
    with log.open("w") as file:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=file, stderr=file, text=True)
    return Run(process, log)


def check(place: StorePlace, directory: Path, single: Store) -> None:
    """Raise AssertionError unless what is published is what the single machine has, and nothing is left over."""
    publisher = make_publisher(place, directory)
    copy = Store(directory / "checked", LAYOUT)
    refresh_copy(copy, place, ("GA",), directory / "checked-cache")
    assert_same_stores(copy, single)
    expected = hash_facts(single)
    assert hash_facts(copy) == expected
    for table in PUBLISHED:
        registered = publisher.catalog.table(table.name).scan().count()
        assert registered == single.loaded().rows(table.name), (table.name, registered)
    scratch = sorted(path.name for path in (directory / "tmp" / "beaconpoint-cluster").glob("[0-9]*"))
    assert not scratch, scratch
    # What killed tasks have uploaded and nobody sees is deleted when its time is over; what is needed stays.
    gone = expire(publisher, -1)
    again = Store(directory / "again", LAYOUT)
    refresh_copy(again, place, ("GA",), directory / "again-cache")
    assert hash_facts(again) == expected
    print(
        f"  exact: {expected[0]} rows, {expected[1]} distinct, hash {expected[2]}; nothing left in scratch; "
        f"{gone.objects} unseen objects deleted",
        flush=True,
    )


def hash_facts(store: Store) -> tuple[int, int, str]:
    """Return the number of facts, of distinct uids, and a hash of all columns in order of the uids."""
    rows = rows_of(store, FACT_RATE.name)
    ordered = rows.select(sorted(rows.columns)).sort("fact_uid")
    digest = hashlib.md5(ordered.write_csv().encode(), usedforsecurity=False).hexdigest()
    return rows.height, rows["fact_uid"].n_unique(), digest[:12]
