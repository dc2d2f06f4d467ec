"""A run on a cluster of two nodes goes on when one of them is lost, and the next run when all of it is."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.cluster.copies.local_copy import LAYOUT, refresh_copy
from core.cluster.place import StorePlace
from core.cluster.running.ray_engine import open_cluster
from core.runtime.errors import BeaconError
from core.store.generations.store import Store
from tests.cluster.files import assert_same_stores, load_single, write_rates
from tests.cluster.ray_nodes import two_nodes
from tests.paths import ROOT


def _start(engine: str, directory: Path, paths: list[Path]) -> "subprocess.Popen[str]":
    settings = {
        "BEACONPOINT_SECRET_KEY": "x",
        "BEACONPOINT_DATA_DIR": (directory / "place").as_uri(),
        "BEACONPOINT_COPY_DIR": str(directory / "copy"),
        "BEACONPOINT_CATALOG": f"sqlite:///{directory / 'catalog.db'}",
        "BEACONPOINT_TEMP_DIR": str(directory / "tmp"),
    }
    # Not from the project's directory: tasks have to find their code by themselves.
    command = [sys.executable, str(ROOT / "manage.py"), "ingest_mrf", "--engine", engine, "--state", "GA"]
    return subprocess.Popen(
        [*command, *map(str, paths)],
        cwd=directory, env={**os.environ, **settings}, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def test_a_run_goes_on_when_a_node_is_lost(tmp_path: Path) -> None:
    paths = write_rates(tmp_path / "files", 6)
    with two_nodes(tmp_path) as nodes:
        run = _start(nodes.client_address, tmp_path, paths[:4])
        for node in (0, 1):
            assert nodes.wait_for_task(node, run), run.communicate()[0]
        nodes.kill(1)
        told = run.communicate(timeout=120)[0]
        assert run.returncode == 0, told
        assert "4 files loaded, 0 loaded before, 0 not loaded" in told
        told = _start(nodes.address, tmp_path, paths).communicate(timeout=120)[0]
        assert "2 files loaded, 4 loaded before, 0 not loaded" in told
    single, copy = load_single(Store(tmp_path / "single"), paths), Store(tmp_path / "copy", LAYOUT)
    refresh_copy(copy, StorePlace((tmp_path / "place").as_uri()), ("GA",), tmp_path / "copy-cache")
    assert_same_stores(copy, single)


@pytest.mark.parametrize("address", ["ray://127.0.0.1:1", "127.0.0.1:1"])
def test_a_cluster_that_is_not_there_is_one_line(address: str) -> None:
    with pytest.raises(BeaconError, match=rf"^{address}: no cluster answers \(.*\); expected .*$"):
        open_cluster(address).__enter__()
