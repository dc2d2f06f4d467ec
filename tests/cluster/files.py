"""Small payers' files, loaded by jobs in this process and by a single machine."""

import json
import os
from contextlib import nullcontext
from pathlib import Path

import polars as pl

from core.cluster.place import StorePlace
from core.cluster.publication.catalog import Catalog
from core.cluster.publication.publication_log import PublicationLog
from core.cluster.publication.publish import Publisher
from core.cluster.running.load_job import JobResult, LoadJob, run_job
from core.fetch.client import Client
from core.fetch.download import Downloads
from core.load.fetch_ahead import Web
from core.load.load_file import load_for_states
from core.load.rate_filters import StateLoad
from core.store.generations.store import Store
from core.store.schema.tables import DIM_BATCH, FACT_RATE, TABLES
from core.tic.source import open_documents
from tests.rate_files import file_of, item_of

NPIS = ("1912951245", "1003027533", "1234567893", "2790708186")


_OF_ONE_LOAD = {DIM_BATCH.name: ("started_at", "finished_at", "source"), "xref_batch_source": ("fetched_at",)}
"""Columns that say when and from where a file was loaded."""


def write_rates(directory: Path, count: int, same: int = 0) -> list[Path]:
    """Write files that share codes, groups' members, and a payer; the last `same` repeat the first ones' content."""
    directory.mkdir(parents=True, exist_ok=True)
    paths = []
    for number in range(count):
        kind = number if number < count - same else number - (count - same)
        references = [
            {
                "provider_group_id": group,
                "provider_groups": [
                    {
                        "npi": [int(npi) for npi in NPIS[group - 1 :]],
                        "tin": {"type": "ein", "value": f"{kind % 3 + 1}10000000"},
                    }
                ],
            }
            for group in (1, 2)
        ]
        items = [
            item_of(
                100 + kind,
                {"negotiated_type": "negotiated", "negotiated_rate": 7.5 * code, "service_code": ["11", "22"]},
                code=str(99200 + code),
                references=(1, 2),
                description=f"of file {kind}" if kind % 2 else "",
            )
            for code in range(3 + kind % 4)
        ]
        path = directory / f"rates-{number}.json"
        path.write_text(json.dumps(file_of(*items, provider_references=references)))
        paths.append(path)
    return paths


def job_of(place: StorePlace, path: Path, scratch: Path, *states: str) -> LoadJob:
    """Return the job of a file."""
    return LoadJob(place, path, tuple(StateLoad(state) for state in states or ("GA",)), scratch=scratch)


def run(job: LoadJob) -> JobResult:
    """Run a job in this process."""
    client = Client()
    web = Web(client, Downloads(client, job.scratch / "downloads", 10**9), None)
    return run_job(job, lambda: nullcontext(web))


def load_single(store: Store, paths: list[Path], state: str = "GA") -> Store:
    """Load files in order of their batches, as a published store merges them."""
    documents = [document for path in paths for document in open_documents(path)]
    for document in documents:
        for _ in document.read_blocks(None):
            pass
    for path in [path for _, path in sorted(zip([one.batch_id for one in documents], paths, strict=True))]:
        load_for_states(store, open_documents(path)[0], (StateLoad(state),))
    return store


def rows_of(store: Store, name: str) -> pl.DataFrame:
    """Return a table's rows in order of its key, without what says when a file was loaded."""
    paths = store.paths(name)
    rows = (
        pl.concat([pl.read_parquet(path) for path in paths])
        if paths
        else pl.DataFrame(TABLES[name].arrow.empty_table())
    )
    return rows.sort(TABLES[name].key).drop(_OF_ONE_LOAD.get(name, ()))


def assert_same_stores(one: Store, other: Store) -> None:
    """Assert that two stores have the same rows in every table."""
    for name in TABLES:
        mine, theirs = rows_of(one, name), rows_of(other, name)
        assert mine.select(sorted(mine.columns)).equals(theirs.select(sorted(theirs.columns))), name
    assert one.loaded().rejects.keys() == other.loaded().rejects.keys()
    assert rows_of(one, FACT_RATE.name)["fact_uid"].is_unique().all()


def make_publisher(place: StorePlace, directory: Path) -> Publisher:
    """Return another publisher to a place, with a log that it has not read."""
    storage = {
        "s3.endpoint": "AWS_ENDPOINT_URL",
        "s3.access-key-id": "AWS_ACCESS_KEY_ID",
        "s3.secret-access-key": "AWS_SECRET_ACCESS_KEY",
    }
    properties = tuple((name, os.environ.get(variable, "")) for name, variable in storage.items())
    catalog = Catalog(place, f"sqlite:///{directory / 'catalog.db'}", properties)
    return Publisher(PublicationLog(place), catalog, directory / "publish-cache")
