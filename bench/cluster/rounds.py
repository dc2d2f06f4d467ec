"""Let three committers publish the same batches at once, many times, and count what the tables have.

The committers are processes, which start at the same moment and add the batches one by one, each in its own order.
The control registers the same files three times at once with pyiceberg's own check for duplicates and its own retries:
it has to fail, or the test would not show anything.
"""

import os
import random
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

from bench.cluster.catalogs import serve_postgres
from core.cluster.demo_storage import BUCKET, serve_s3
from core.cluster.files.batch_files import PUBLISHED
from core.cluster.files.receipts import read_receipts
from core.cluster.place import StorePlace
from core.cluster.publication.publish import Publisher
from core.cluster.running.load_job import SOURCES
from core.store.generations.store import Store
from core.store.schema.tables import FACT_RATE
from tests.cluster.files import job_of, load_single, make_publisher, run, write_rates

COMMITTERS = 3
BATCHES = 4


def measure_rounds(count: int, catalog: str = "") -> None:
    """Print how many of `count` rounds were exact, and how many of the control's.

    `catalog` is `postgres` for a PostgreSQL of this machine, or the address of a catalog with {name} where the name of
    a round stands, such as round_0 and control_0. Without it, each round has a file of SQLite.
    """
    controls = max(3, count // 4)
    with TemporaryDirectory(prefix="bench-rounds-") as text, ExitStack() as servers:
        root = Path(text)
        os.environ.update(servers.enter_context(serve_s3(root / "s3")))
        if catalog == "postgres":
            names = [*(f"round_{number}" for number in range(count)), *(f"control_{n}" for n in range(controls))]
            catalog = servers.enter_context(serve_postgres(root / "postgres", names))
        if catalog:
            os.environ["BENCH_CATALOG"] = catalog
        loaded = StorePlace((root / "loaded").as_uri())
        paths = write_rates(root / "files", BATCHES)
        for path in paths:
            run(job_of(loaded, path, root))
        single = load_single(Store(root / "single"), paths).loaded()
        expected = {table.name: single.rows(table.name) for table in PUBLISHED}
        with ProcessPoolExecutor(COMMITTERS, get_context("spawn")) as pool:
            exact, seconds = 0, 0.0
            for number in range(count):
                place = new_place(root / f"round-{number}", loaded, on_s3=number % 2 == 1)
                started = time.monotonic()
                commit_at_once(pool, commit, place, root / f"round-{number}")
                seconds += time.monotonic() - started
                found = count_rows(place, root / f"round-{number}")
                right = found == expected
                if not right:
                    print(f"round {number}: {found}, expected {expected}")
                exact += right and all_distinct(place, root / f"round-{number}")
            print(f"{COMMITTERS} committers of {BATCHES} batches: {exact} of {count} rounds exact")
            print(f"{seconds / count:.1f} s a round")
            doubled = 0
            for number in range(controls):
                place = new_place(root / f"control-{number}", loaded, on_s3=number % 2 == 1)
                table = open_publisher(place, root / f"control-{number}").catalog.table(FACT_RATE.name)
                with table.transaction() as transaction:
                    transaction.set_properties({"commit.retry.num-retries": "4"})  # the library's own default
                commit_at_once(pool, commit_as_library, place, root / f"control-{number}")
                rows = count_rows(place, root / f"control-{number}")[FACT_RATE.name]
                doubled += rows != expected[FACT_RATE.name]
                print(f"control {number}: {rows} rows of {expected[FACT_RATE.name]}")
            print(f"control, with the library's check and retries: {doubled} of {controls} rounds wrong")


def open_publisher(place: StorePlace, directory: Path) -> Publisher:
    """Return another publisher to a place."""
    found = make_publisher(place, directory)
    uri = os.environ.get("BENCH_CATALOG", "").replace("{name}", directory.name.replace("-", "_"))
    return replace(found, catalog=replace(found.catalog, uri=uri)) if uri else found


def new_place(directory: Path, loaded: StorePlace, *, on_s3: bool) -> StorePlace:
    """Return a place with what tasks have uploaded, and nothing published."""
    directory.mkdir()
    place = StorePlace(f"s3://{BUCKET}/{uuid4().hex}" if on_s3 else (directory / "place").as_uri())
    for one in loaded.list(""):
        if not one.path.startswith(SOURCES):
            place.write(one.path, loaded.read(one.path))
    return place


def commit_at_once(
    pool: ProcessPoolExecutor, work: Callable[[StorePlace, Path, float], None], place: StorePlace, directory: Path
) -> None:
    """Run a committer in each process, at the same moment."""
    at = time.time() + 0.3
    list(pool.map(work, [place] * COMMITTERS, [directory] * COMMITTERS, [at] * COMMITTERS))


def commit(place: StorePlace, directory: Path, at: float) -> None:
    """Publish all batches one by one, in a random order."""
    publisher = open_publisher(place, directory)
    receipts = read_receipts(place)
    random.shuffle(receipts)
    time.sleep(max(0, at - time.time()))
    for receipt in receipts:
        publisher.claim([receipt])
    publisher.finish()


def commit_as_library(place: StorePlace, directory: Path, at: float) -> None:
    """Register the facts' files as pyiceberg does by itself: unless they are there, with retries."""
    from pyiceberg.exceptions import CommitFailedException  # noqa: PLC0415 - an optional dependency

    table = open_publisher(place, directory).catalog.table(FACT_RATE.name)
    files = [file for one in read_receipts(place) for file in one.files if file.table == FACT_RATE.name]
    time.sleep(max(0, at - time.time()))
    try:
        table.add_files([place.url_of(file.path) for file in files], check_duplicate_files=True)
    except (CommitFailedException, ValueError):
        return  # it gave up, or has seen the other's files: both are right


def count_rows(place: StorePlace, directory: Path) -> dict[str, int]:
    """Return the rows that each table of the catalog has."""
    catalog = open_publisher(place, directory).catalog
    return {table.name: int(catalog.table(table.name).scan().count()) for table in PUBLISHED}


def all_distinct(place: StorePlace, directory: Path) -> bool:
    """Return whether no fact is there twice."""
    table = open_publisher(place, directory).catalog.table(FACT_RATE.name)
    uids: list[str] = table.scan(selected_fields=("fact_uid",)).to_arrow().column(0).to_pylist()
    return len(set(uids)) == len(uids)
