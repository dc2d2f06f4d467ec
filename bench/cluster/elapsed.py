"""Measure how long many files take: by the command of one machine, and by tasks of a cluster.

The files are made once, below bench/work, and kept. Each run has an empty store. Run it on an otherwise idle machine.
"""

import os
import shutil
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.generate import generate
from bench.measure import measure
from core.cluster.place import StorePlace
from core.cluster.publication.publication_log import PublicationLog
from core.store.generations.store import Store
from core.store.schema.tables import FACT_RATE

ROOT = Path(__file__).parents[2]
WORK = ROOT / "bench" / "work" / "elapsed"
GROUPS = 2_000


def measure_elapsed(count: int = 20, megabytes: int = 100) -> None:
    """Print how long `count` files of so many megabytes of JSON take on one machine, and with one and two workers."""
    paths = [WORK / f"{megabytes}-{number}.json.gz" for number in range(count)]
    missing = [path for path in paths if not path.exists()]
    if missing:
        WORK.mkdir(parents=True, exist_ok=True)
        with ProcessPoolExecutor() as pool:
            list(pool.map(make, missing, [megabytes] * len(missing)))
    print(f"{count} files of {megabytes} MB of JSON")
    print(f"{'':<28}{'seconds':>9}{'processor s':>13}{'peak MB':>9}{'rates':>13}", flush=True)
    with TemporaryDirectory(prefix="bench-elapsed-") as text:
        for name, options in (
            ("one machine, all processors", []),
            ("one machine, one processor", ["--processes", "1"]),
            ("a cluster of 1 worker", ["--engine", "ray", "--workers", "1"]),
            ("a cluster of 2 workers", ["--engine", "ray", "--workers", "2"]),
        ):
            report(name, options, Path(text) / name.replace(" ", "-"), paths)


def make(path: Path, megabytes: int) -> None:
    """Write a file. Each has rates and groups of its own."""
    partial = path.with_name(f"partial-{path.name}")  # the name ends as a file's does
    generate("referenced", megabytes, partial, GROUPS, f"Payer {path.name}", "2025-08")
    partial.replace(path)


def report(name: str, options: list[str], directory: Path, paths: list[Path]) -> None:
    """Load the files into an empty store, and print what it took."""
    directory.mkdir()
    on_cluster = "--engine" in options
    place = StorePlace((directory / "place").as_uri())
    settings = {
        "BEACONPOINT_SECRET_KEY": "x",
        "BEACONPOINT_DATA_DIR": place.url if on_cluster else str(directory / "store"),
        "BEACONPOINT_COPY_DIR": str(directory / "copy"),
        "BEACONPOINT_CATALOG": f"sqlite:///{directory / 'catalog.db'}",
        "BEACONPOINT_TEMP_DIR": str(directory / "tmp"),
    }
    command = [sys.executable, "manage.py", "ingest_mrf", "--state", "GA", *options, *map(str, paths)]
    done = measure(command, {**os.environ, **settings}, ROOT)
    if done.status:
        sys.exit(f"{name}: exit status {done.status}\n{done.output[-2000:]}")
    if on_cluster:
        log = PublicationLog(place)
        log.read()
        rates = sum(file.rows for file in log.live_facts())
    else:
        rates = Store(directory / "store").loaded().rows(FACT_RATE.name)
    print(f"{name:<28}{done.seconds:>9.1f}{done.cpu:>13.1f}{done.peak / 1e6:>9,.0f}{rates:>13,}", flush=True)
    shutil.rmtree(directory)
