"""Measure pages of the site from local files, and from S3 with no delay and with 40 ms a request.

The same facts are served four times: from the store as it is, from files as a copy of a published store has them,
and from those files on an S3 server on loopback, directly and through a proxy that delays requests. Each question is
asked once, so that nothing is answered from memory that was asked before; of each page the median and the slowest.
"""

import os
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import duckdb

from bench.questions import Page, pages
from bench.serving import serving
from core.cluster.demo_storage import BUCKET, serve_s3
from core.cluster.files.cluster_files import content_name, folder_of, write_cluster_file
from core.cluster.files.merge_batches import sorted_blocks
from core.cluster.place import StorePlace
from core.store.generations.layout import StateMonth, layout_named
from core.store.generations.manifest import DataFile
from core.store.generations.store import Store
from core.store.remote_facts import REMOTE_FACTS, write_remote_facts
from core.store.schema.tables import FACT_RATE
from core.store.sql import parquet_rows
from core.store.views import view_statements
from core.store.writer_connection import connect_for_writing

SAMPLES = 7
MEDICARE = "medicare, common"
PAGES = ("home", "rates, common code", MEDICARE, "TIN")
DELAY = 0.04


def measure_pages(store: str) -> None:
    """Print the times of four pages of a store. It is copied, and not changed."""
    with TemporaryDirectory(prefix="bench-pages-") as text, serve_s3(Path(text) / "s3") as storage:
        os.environ.update(storage)
        root = Path(text)
        single, copy, remote = (root / name for name in ("single", "copy", "on-s3"))
        shutil.copytree(store, single, symlinks=True)
        Store(single).upgrade()
        files = write_files(Store(single), root / "published")
        place = StorePlace(f"s3://{BUCKET}/store")
        for file in files:
            place.write(file.path, root / "published" / file.path)
        for directory, on_s3 in ((copy, False), (remote, True)):
            shutil.copytree(single, directory, symlinks=True)
            put_files(Store(directory), files, root / "published", place if on_s3 else None)
        print(f"{sum(file.rows for file in files):,} rates, {sum(file.bytes for file in files) / 1e6:.0f} MB")
        with closing(duckdb.connect()) as connection:
            for statement in view_statements(single, Store(single).loaded()):
                with suppress(duckdb.Error):  # views that need the macros of the site
                    connection.execute(statement)
            asked = [page for page in pages(connection, 2 * SAMPLES) if page.name in PAGES]
        # Rates and Medicare are asked about different codes: those of the page before would be in memory.
        asked = [replace(page, samples=page.samples[page.name == MEDICARE :: 2] or page.samples) for page in asked]
        columns = {name: time_pages(store, asked) for name, store in (("one machine", single), ("local copy", copy))}
        columns["S3, 0 ms"] = time_pages(remote, asked)
        with delaying_proxy(storage["AWS_ENDPOINT_URL"], DELAY) as address:
            os.environ["AWS_ENDPOINT_URL"] = address
            columns["S3, 40 ms"] = time_pages(remote, asked)
    print(f"{'median, slowest in ms':<24}{''.join(f'{name:>18}' for name in columns)}")
    for number, page in enumerate(asked):
        print(f"{page.name:<24}{''.join(f'{column[number]:>18}' for column in columns.values())}")


def time_pages(store: Path, asked: list[Page]) -> list[str]:
    """Serve a store, and return the times of its pages."""
    told = []
    with serving(store) as server:
        server.ask([asked[-1].url(asked[-1].samples[-1])])  # opens the store
        for page in asked:
            times = [server.ask([page.url(sample)]) for sample in page.samples[:-1] or page.samples]
            found = [each for one in times for each in one.times]
            wrong = [one.errors for one in times if one.errors]
            told.append(f"{median(found):,.0f}, {max(found):,.0f}" if found and not wrong else f"wrong: {wrong}")
    return told


def write_files(store: Store, to: Path) -> list[DataFile]:
    """Write the facts of a store as the files of a published store, one for each state and month."""
    layout, found = layout_named("partitioned"), []
    with closing(connect_for_writing(to, "2GB")) as connection:
        rows = parquet_rows(store.paths(FACT_RATE.name), "hive_partitioning = false")
        for state, month in connection.sql(f"SELECT DISTINCT state, year_month FROM {rows} ORDER BY ALL").fetchall():
            path = to / "new.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            chosen = f"SELECT * FROM {rows} WHERE state = '{state}' AND year_month = '{month}'"
            count = write_cluster_file(path, FACT_RATE, sorted_blocks(connection, FACT_RATE, chosen, 122_880))
            target = f"{folder_of(FACT_RATE.name, state, month)}/compacted-{content_name(path)}.parquet"
            (to / target).parent.mkdir(parents=True, exist_ok=True)
            path.replace(to / target)
            shard = layout.shard(StateMonth(state, month))
            found.append(DataFile(target, count, (to / target).stat().st_size, shard))
    return found


def put_files(store: Store, files: list[DataFile], source: Path, place: StorePlace | None) -> None:
    """Make the files the facts of a store: copies of them, or those at a place."""
    with store.write() as transaction:
        transaction.relayout(layout_named("partitioned"), [])
        if place:
            path = transaction.new_file(REMOTE_FACTS)
            on_s3 = [DataFile(place.url_of(file.path), file.rows, file.bytes, file.shard) for file in files]
            transaction.put(REMOTE_FACTS, path, write_remote_facts(path, on_s3))
        for file in files if not place else ():
            path = transaction.new_file(FACT_RATE.name, file.shard)
            path.unlink(missing_ok=True)
            shutil.copyfile(source / file.path, path)
            transaction.replace(FACT_RATE.name, (), path, file.rows, file.shard)
        transaction.commit()


@contextmanager
def delaying_proxy(address: str, seconds: float) -> Iterator[str]:
    """Yield the address of a proxy to an HTTP server, which waits before it passes on a request."""
    host = (urlsplit(address).hostname or "", urlsplit(address).port or 80)
    with socket.create_server(("127.0.0.1", 0), backlog=256) as listening:

        def accept() -> None:
            with suppress(OSError):  # the socket is closed at the end
                while True:
                    client, _ = listening.accept()
                    server = socket.create_connection(host)
                    threading.Thread(target=pass_on, args=(client, server, seconds), daemon=True).start()
                    threading.Thread(target=pass_on, args=(server, client, 0.0), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def pass_on(source: socket.socket, target: socket.socket, seconds: float) -> None:
    """Pass on what a socket brings, each piece after a wait. A request without a body is one piece."""
    with suppress(OSError):
        while data := source.recv(1 << 16):
            time.sleep(seconds)
            target.sendall(data)
    for one in (source, target):
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
