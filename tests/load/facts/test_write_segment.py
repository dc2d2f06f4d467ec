"""Where the facts of a file go among those that the store has."""

import json
from pathlib import Path

import pyarrow.parquet as pq

from core.load.load_file import load_file
from core.store.generations.store import Store
from core.store.parquet.row_group_bounds import bounds, find_runs
from core.store.parquet.writer import FileSizes
from core.store.schema.tables import FACT_RATE
from core.tic.source import open_documents
from tests.fixture_types import Load
from tests.rate_files import file_of, item_of


def test_facts_from_below_to_above_those_of_the_store_are_merged_with_them(tmp_path: Path) -> None:
    # More facts than half a row group, which are merged only with the row groups that their first and last keys name.
    store = Store(tmp_path / "data", sizes=FileSizes(row_group_rows=4))
    for name, items in (
        ("old", [item_of(1, code="50000")]),
        ("new", [item_of(2, 3, code="40000"), item_of(2, 3, code="60000")]),
    ):
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps(file_of(*items)))
        load_file(store, open_documents(path)[0], "GA")
    (facts,) = store.loaded().paths(store.root, FACT_RATE.name)
    assert find_runs(bounds(Path(facts), FACT_RATE.order)) == [range(2)]


def test_facts_of_one_row_group_are_written_as_one(load: Load, store: Store) -> None:
    load(file_of(item_of(1, 2, 3), item_of(4, code="60000")))
    (facts,) = store.loaded().paths(store.root, FACT_RATE.name)
    assert pq.read_metadata(facts).num_row_groups == 1
