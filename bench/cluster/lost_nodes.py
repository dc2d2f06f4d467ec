"""Lose a node of a cluster of two at a random moment of a run, run the command again, and compare.

The command is connected by `ray://…` and by the address of the cluster's own machines in turn. When the other node is
lost, the run has to go on. When the head is lost, which the command is connected to, the run ends with one line, and
the next run on a new cluster goes on.
"""

import os
import random
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.cluster.kills import FILES, SAME, TASK_SECONDS, check, start
from core.cluster.place import StorePlace
from core.store.generations.store import Store
from tests.cluster.files import load_single, write_rates
from tests.cluster.ray_nodes import two_nodes

HEAD, OTHER = 0, 1


def measure_lost_nodes(count: int = 4) -> None:
    """Lose a node `count` times, and print what became of each run."""
    seed = int(os.environ.get("BENCH_SEED", time.time_ns() % 1_000_000))
    random.seed(seed)
    print(f"seed {seed}")
    with TemporaryDirectory(prefix="bench-nodes-") as text:
        root = Path(text)
        paths = write_rates(root / "files", FILES, SAME)
        single = load_single(Store(root / "single"), paths)
        for number in range(count):
            directory = root / f"round-{number}"
            directory.mkdir()
            victim = (OTHER, HEAD)[number // 2 % 2]
            lose_node(directory, paths, single, victim, by_client=number % 2 == 0)
    print(f"{count} nodes lost, all exact")


def lose_node(directory: Path, paths: list[Path], single: Store, victim: int, *, by_client: bool) -> None:
    """Run the command on two nodes, kill one, and run the command on two other nodes to the end."""
    place = StorePlace((directory / "place").as_uri())
    for name in ("first", "second"):
        with two_nodes(directory) as nodes:
            run = start(place, directory, paths, name, [nodes.client_address if by_client else nodes.address])
            tasks_on = 0
            if name == "first":
                tasks_on = sum(nodes.wait_for_task(node, run.process) for node in (HEAD, OTHER))
                time.sleep(random.uniform(0, TASK_SECONDS))
                at = time.monotonic() - run.started
                nodes.kill(victim)
                print(
                    f"{'the head' if victim == HEAD else 'the other node'} is killed at {at:.1f} s of a run by "
                    f"{'ray://' if by_client else 'address'}; {tasks_on} nodes had tasks",
                    flush=True,
                )
            status = run.end()
        log = run.log.read_text(encoding="utf-8")
        print(f"  {name} run: exit status {status}; {' '.join(log.splitlines()[-1:])[:200]}", flush=True)
        if "Traceback" in log:
            print(log)
        if status and (name == "second" or victim == OTHER):
            raise SystemExit(f"the run has failed:\n{log}")
    check(place, directory, single)
