"""Fixtures: real stores in temporary directories, the demo's among them, and public files if they are there."""

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client
from hypothesis import HealthCheck, Phase
from hypothesis import settings as hypothesis_settings

from core import open_store
from core.demo.compensation_fees import write_compensation_fees
from core.demo.hospital_fees import write_hospital_fees
from core.demo.payer_files import STATE, write_files
from core.demo.physician_fees import write_physician_fees
from core.demo.place_files import write_place_files
from core.demo.provider_register import write_further_files, write_register
from core.fetch.client import Client as FetchClient
from core.fetch.client import Patience
from core.load.load_file import load_file
from core.load.outcome import LoadOutcome
from core.load.remote.fetch_groups import GroupFetcher
from core.pages.shared.lanes.admission import LANES
from core.quality.record import keep_report
from core.quality.report import run_checks
from core.reference.benchmark_kinds import load_benchmark
from core.reference.medicare.professional import physician
from core.reference.nppes.load_register import load_nppes
from core.reference.places.load_places import load_places
from core.store.connection import Snapshot
from core.store.generations.store import Store
from core.tic.source import open_documents
from tests.built_once import BuiltOnce
from tests.fetch.server import Server
from tests.fixture_types import Fetching, Load
from tests.in_turns import pytest_addoption, pytest_collection_modifyitems  # noqa: F401 - hooks
from tests.kept_readers import KeptReaders
from tests.paths import SHARED
from tests.site import Visitor, serving
from tests.stores import copy_store, open_snapshot

hypothesis_settings.register_profile(
    "tests",
    deadline=None,
    max_examples=int(os.environ.get("HYPOTHESIS_EXAMPLES", "4")),
    # Who only asks whether a test fails needs no smallest example.
    phases=[
        phase for phase in Phase if phase not in {Phase.shrink, Phase.explain} or not os.environ.get("NO_SHRINKING")
    ],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    print_blob=True,
)
hypothesis_settings.load_profile("tests")


@pytest.fixture(scope="session", autouse=True)
def do_not_wait_for_the_disk() -> Iterator[None]:
    """Let this process not sync files: each load syncs some 60, and no test cuts the power."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _descriptor: None)
        yield


@pytest.fixture(scope="session", autouse=True)
def look_for_no_pandas() -> Iterator[None]:
    """Let Python know that it has no pandas, as the site does (gunicorn.conf.py): DuckDB looks for it all the time.

    Looking through the path took a sixth of the time of all tests of pages.
    """
    with pytest.MonkeyPatch.context() as patch:
        for name in ("pandas", "dateutil"):
            if find_spec(name) is None:
                patch.setitem(sys.modules, name, None)
        yield


@pytest.fixture(scope="session", autouse=True)
def let_questions_take_their_time() -> Iterator[None]:
    """Give questions minutes: on a busy machine, half a second may become more than a visitor would wait."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(django_settings, "BEACONPOINT_QUERY_SECONDS", 60)
        for lane in LANES:
            patch.setattr(lane, "limits", replace(lane.limits, seconds=120))
        yield


@pytest.fixture(scope="session", autouse=True)
def keep_stores_open() -> Iterator[None]:
    """Let the site leave a store open for the next test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(open_store, "_reader", KeptReaders())
        yield


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the directory of public files."""
    if not SHARED.is_dir():
        pytest.skip(f"needs public files that are not part of the project, in {SHARED}")
    return SHARED


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Return an empty store."""
    return Store(tmp_path / "data")


@pytest.fixture
def load(store: Store, tmp_path: Path) -> Load:
    """Return a function that loads an in-network file, passed as an object or as bytes, into the empty store."""

    def load_it(content: Any, state: str = "GA", name: str = "rates.json", **options: Any) -> LoadOutcome:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        return load_file(store, open_documents(path)[0], state, **options)

    return load_it


@pytest.fixture
def server() -> Iterator[Server]:
    """Run a web server on loopback that behaves as a test says, well or badly."""
    with Server() as running:
        yield running


@pytest.fixture
def client() -> Iterator[FetchClient]:
    """Return a client that may contact 127.0.0.1, and no other host that is not public."""
    found = FetchClient(
        [ip_network("127.0.0.1/32")], Patience(tries=3, backoff=0.01, connect=20, silence=20, max_wait=1)
    )
    yield found
    found.close()


@pytest.fixture
def locations(client: FetchClient, tmp_path: Path) -> Fetching:
    """Return a function that makes the fetcher of one run, with a cache of its own, as if a day had passed."""
    made: list[GroupFetcher] = []

    def make() -> GroupFetcher:
        made.append(GroupFetcher(client, tmp_path / f"locations{len(made)}", 10_000_000))
        return made[-1]

    return make


@pytest.fixture(scope="session")
def built_once(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> BuiltOnce:
    """Return what is built once for all processes of this run."""
    base = tmp_path_factory.getbasetemp()
    return BuiltOnce((base if worker_id == "master" else base.parent) / "built-once")


def _build_demo(directory: Path) -> None:
    store = Store(directory / "data")
    for path in write_files(directory):
        load_file(store, open_documents(path)[0], STATE)
    physician.load(store, write_physician_fees(directory))
    load_nppes(store, [*write_register(directory), *write_further_files(directory)])
    for kind, files in write_hospital_fees(directory).items():
        load_benchmark(store, kind, files)
    load_benchmark(store, "wcfs", write_compensation_fees(directory))
    keep_report(store, run_checks(open_snapshot(store)))


@pytest.fixture(scope="session")
def demo_root(built_once: BuiltOnce) -> Path:
    """Return the data directory of the demo's data, which tests only read."""
    return built_once.get("demo", _build_demo) / "data"


@pytest.fixture(scope="session")
def placed_root(demo_root: Path, built_once: BuiltOnce) -> Path:
    """Return the data directory of the demo's data with places, which tests only read."""

    def build(directory: Path) -> None:
        store = Store(copy_store(demo_root, directory / "data"))
        load_places(store, write_place_files(directory))

    return built_once.get("placed", build) / "data"


@pytest.fixture(scope="session")
def placed(placed_root: Path) -> Snapshot:
    """Return a snapshot of the demo's data with places."""
    return open_snapshot(Store(placed_root))


@pytest.fixture
def placed_site(placed_root: Path) -> Iterator[Client]:
    """Return a browser of the site over the demo's data with places."""
    with serving(placed_root):
        yield Visitor()


@pytest.fixture(scope="session")
def demo(demo_root: Path) -> Snapshot:
    """Return a snapshot of the demo's data."""
    return open_snapshot(Store(demo_root))


@pytest.fixture
def site(demo_root: Path) -> Iterator[Client]:
    """Return a browser of the site over the demo's data."""
    with serving(demo_root):
        yield Visitor()
