"""ingest_mrf for several states: the report, a table of contents, and running it again."""

import json
from pathlib import Path

from core.store.generations.store import Store
from tests.fixture_types import Manage
from tests.load.npi_states import place
from tests.rate_files import file_of, item_of
from tests.stores import table


def national(number: int) -> bytes:
    """Return a file of two groups, one in each of two states, and a price that is not a number."""
    references = [
        {"provider_group_id": n, "provider_groups": [{"npi": [npi], "tin": {"type": "ein", "value": str(n)}}]}
        for n, npi in ((1, 1912951245), (2, 1003027533))
    ]
    items = [item_of(5 + number, "N/A", references=[1]), item_of(7, 8, references=[2])]
    return json.dumps(file_of(*items, provider_references=references)).encode()


def test_the_report_has_the_counts_of_each_state(manage: Manage, root: Path, tmp_path: Path) -> None:
    place(Store(root), npi1912951245="GA", npi1003027533="FL")
    files = [tmp_path / f"{number}.json" for number in range(2)]
    for number, path in enumerate(files):
        path.write_bytes(national(number))
    done = manage("ingest_mrf", "--state", "GA,FL,TX", "--in-state", *files)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("2025-08, batch") == 2
    assert done.stdout.count("  FL: 2 added, 0 duplicate, 0 rejected, 2 left out by filters\n") == 2
    assert done.stdout.count("  GA: 1 added, 0 duplicate, 1 rejected, 2 left out by filters\n") == 2
    assert done.stdout.count("  no rates in TX\n") == 3
    assert "2 files loaded: 8 rows read, 6 added\n" in done.stdout
    assert "  FL: 4 added, 0 duplicate, 0 rejected, 4 left out by filters\n" in done.stdout
    again = manage("ingest_mrf", "--state", "GA,FL,TX", "--in-state", *files)
    assert again.stdout.count("  GA: already loaded, nothing added\n") == 3
    assert len(table(Store(root), "fact_rate")) == 6
    assert len(table(Store(root), "dim_batch")) == 6


def test_a_file_that_is_cut_short_leaves_no_state(manage: Manage, root: Path, tmp_path: Path) -> None:
    place(Store(root), npi1912951245="GA", npi1003027533="FL")
    before = Store(root).manifest()
    path = tmp_path / "cut.json"
    path.write_bytes(national(0)[:-100])
    done = manage("ingest_mrf", "--state", "all", "--in-state", path)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert Store(root).manifest() == before
