"""Measure what publishing many small files costs, and what an engine adds to a task."""

import resource
import shutil
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa

from core.cluster.files.cluster_files import write_cluster_file
from core.cluster.files.receipts import ClusterFile, Receipt
from core.cluster.place import StorePlace
from core.cluster.publication.catalog import Catalog
from core.cluster.publication.publication_log import PublicationLog
from core.cluster.publication.publish import Publisher
from core.cluster.running.ray_engine import open_cluster
from core.store.schema.tables import FACT_RATE

STATES = [f"{a}{b}" for a in "ABCDE" for b in "ABCDEFGHIJ"]
BATCHES_PER_ENTRY = 500


def measure_files(count: int) -> None:
    """Publish `count` files of one fact each, and measure the last commit and the planning of one state."""
    with TemporaryDirectory(prefix="bench-cluster-") as text:
        root = Path(text)
        place = StorePlace((root / "place").as_uri())
        publisher = Publisher(PublicationLog(place), Catalog(place, f"sqlite:///{root / 'catalog.db'}"), root / "cache")
        models = [write_model(root, state) for state in STATES]
        receipts = [make_receipt(root / "place", number, models) for number in range(count)]
        commits = []
        for start in range(0, count, BATCHES_PER_ENTRY):
            began = time.perf_counter()
            publisher.claim(receipts[start : start + BATCHES_PER_ENTRY])
            commits.append(time.perf_counter() - began)
        files = len(publisher.log.live_facts())
        print(f"{files} files in {len(commits)} commits: first {commits[0]:.2f} s, last {commits[-1]:.2f} s")
        began = time.perf_counter()
        publisher.claim([make_receipt(root / "place", count, models)])
        print(f"one batch more: {time.perf_counter() - began:.2f} s")
        began = time.perf_counter()
        log = PublicationLog(place)
        log.read()
        own = [file for file in log.live_facts() if file.state == STATES[0]]
        print(
            f"planning one state from a log that is read again: {time.perf_counter() - began:.2f} s, {len(own)} files"
        )
        began = time.perf_counter()
        tasks = list(publisher.catalog.table(FACT_RATE.name).scan(row_filter=f"state = '{STATES[0]}'").plan_files())
        print(f"planning one state from Iceberg: {time.perf_counter() - began:.2f} s, {len(tasks)} files")
        print(f"memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
        metadata = sum(path.stat().st_size for path in (root / "place" / "_iceberg").rglob("*") if path.is_file())
        print(f"metadata of Iceberg: {metadata / 1e6:.1f} MB")


def write_model(root: Path, state: str) -> Path:
    """Write a file of one fact."""
    values = dict.fromkeys(FACT_RATE.names, "x") | {"state": state, "year_month": "2025-08", "negotiated_rate": 1.0}
    path = root / f"model-{state}.parquet"
    write_cluster_file(path, FACT_RATE, [pa.Table.from_pylist([values], FACT_RATE.arrow)])
    return path


def make_receipt(place: Path, number: int, models: list[Path]) -> Receipt:
    """Make a batch of one file, which is a link to a model."""
    state = STATES[number % len(STATES)]
    batch = f"{number:032x}"
    path = f"fact_rate/state={state}/year_month=2025-08/{batch}-0.parquet"
    target = place / path
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(models[number % len(STATES)], target)
    file = ClusterFile(FACT_RATE.name, path, 1, target.stat().st_size, state, "2025-08")
    return Receipt(batch, "bench", {state: "{}"}, 1, (file,))


def do_nothing(number: int) -> int:
    """Return the argument."""
    return number


def measure_tasks(count: int) -> None:
    """Run tasks that do nothing."""
    with open_cluster("", 2) as cluster:
        sum(1 for _ in cluster.run(do_nothing, range(10), processors=1, memory=0))
        began = time.perf_counter()
        done = sum(result == number for number, result in cluster.run(do_nothing, range(count), processors=1, memory=0))
        seconds = time.perf_counter() - began
    print(f"{done} tasks: {seconds:.1f} s, {seconds / count * 1000:.2f} ms each")
