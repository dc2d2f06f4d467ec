"""ingest_mrf --engine ray with a table of contents, for several states, beside the same command on one machine."""

import gzip
import json
import os
import re
import subprocess
import sys
from pathlib import Path

from core.cluster.copies.local_copy import LAYOUT, refresh_copy
from core.cluster.place import StorePlace
from core.cluster.running.ray_engine import can_run
from core.reference.nppes.load_register import load_nppes
from core.store.generations.store import Store
from core.store.schema.tables import FACT_RATE
from tests.cluster.files import assert_same_stores
from tests.fetch.server import Server
from tests.paths import ROOT
from tests.rate_files import file_of, item_of
from tests.reference.nppes.registers import PRACTICE, provider, register

IN_GEORGIA, IN_FLORIDA = "1912951245", "1003027533"


def _national(number: int) -> bytes:
    """Return a file of two groups, one in each of two states."""
    references = [
        {"provider_group_id": n, "provider_groups": [{"npi": [int(npi)], "tin": {"type": "ein", "value": f"{n}" * 9}}]}
        for n, npi in ((1, IN_GEORGIA), (2, IN_FLORIDA))
    ]
    items = [item_of(5 + number, references=[1]), item_of(7, 8, code="99214", references=[2])]
    return gzip.compress(json.dumps(file_of(*items, provider_references=references)).encode(), mtime=0)


def _serve(server: Server) -> None:
    """Serve a table of contents of three files, one of which is cut short."""
    for number in (1, 2):
        server.put(f"/{number}.json.gz", _national(number))
    server.put("/cut.json.gz", _national(3)[:-60])
    plan = {"plan_name": "Peach", "plan_id_type": "HIOS", "plan_id": "1001", "plan_market_type": "group"}
    files = [
        {"description": "in-network", "location": server.url(f"/{name}.json.gz?X-Amz-Signature=SECRET")}
        for name in ("1", "cut", "2")
    ]
    structure = {"reporting_plans": [plan], "in_network_files": files}
    server.put("/index.json", json.dumps({"reporting_structure": [structure]}).encode())


def _with_register(root: Path, layout: str = "single") -> Store:
    store = Store(root, layout)
    rows = [
        provider(npi, "A", **{f"{PRACTICE}State Name": state, f"{PRACTICE}Country Code (If outside U.S.)": "US"})
        for npi, state in ((IN_GEORGIA, "GA"), (IN_FLORIDA, "FL"))
    ]
    load_nppes(store, [register(root.parent / "register.csv", *rows)], everything=True)
    return store


def _ingest(server: Server, *arguments: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "manage.py", "ingest_mrf", "--state", "GA,FL,TX", "--in-state", *arguments]
    fetching = {"BEACONPOINT_FETCH_PRIVATE": "127.0.0.1/32", "BEACONPOINT_FETCH_BACKOFF": "0.01"}
    return subprocess.run(
        [*command, "--toc", server.url("/index.json")],
        cwd=ROOT,
        env={**os.environ, **fetching, **settings},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_table_of_contents_is_loaded_for_several_states(server: Server, tmp_path: Path) -> None:
    _serve(server)
    single = _with_register(tmp_path / "single")
    done = _ingest(server, BEACONPOINT_DATA_DIR=str(single.root))
    assert done.returncode == 1, done.stderr
    copy = _with_register(tmp_path / "copy", LAYOUT)
    place = StorePlace((tmp_path / "place").as_uri())
    done = _ingest(
        server,
        *("--engine", "ray", "--workers", "2"),
        BEACONPOINT_DATA_DIR=place.url,
        BEACONPOINT_COPY_DIR=str(copy.root),
        BEACONPOINT_CATALOG=f"sqlite:///{tmp_path / 'catalog.db'}",
        BEACONPOINT_TEMP_DIR=str(tmp_path / "tmp"),
    )
    assert done.returncode == 1, done.stderr
    assert "2 files loaded, 0 loaded before, 1 not loaded" in done.stdout
    assert re.search(r"dashboard of the cluster: http://\S+:\d+\n", done.stderr)
    assert re.search(r"\n3 of 3 files, [\d.]+ GB of JSON, 6 rates, about 0 min left\n", done.stderr)
    assert re.search(r"\nhttp://127.0.0.1:\d+/cut.json.gz: ", done.stderr)
    assert "SECRET" not in done.stdout + done.stderr
    assert not list((tmp_path / "tmp" / "beaconpoint-cluster").glob("[0-9]*"))
    refresh_copy(copy, place, ("GA", "FL", "TX"), tmp_path / "copy-cache")
    assert copy.loaded().rows(FACT_RATE.name) == 6
    assert_same_stores(copy, single)


def test_a_file_has_to_fit_on_one_machine() -> None:
    machines = [{"CPU": 2.0, "memory": 4e9}, {"CPU": 4.0, "memory": 1e9}, {"memory": 9e9}]
    assert can_run(machines, 2, 4_000_000_000)
    assert can_run(machines, 4, 0)
    assert not can_run(machines, 4, 4_000_000_000)
    assert not can_run(machines, 1, 5_000_000_000)
