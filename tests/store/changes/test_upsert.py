"""Rows put into keyed tables, against a dict."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.store.changes import upsert
from core.store.generations.store import Store
from core.store.parquet.writer import FileSizes
from core.store.schema.tables import DIM_CODE
from core.store.writer_connection import connect_for_writing

Key = tuple[str, str]
rows = st.dictionaries(
    st.tuples(st.sampled_from(["CPT", "REV"]), st.text("0123", min_size=1, max_size=2)),
    st.tuples(st.none() | st.sampled_from("ab"), st.none() | st.sampled_from("cd")),
    max_size=12,
)


def put(store: Store, new: dict[Key, Any], keep: Any) -> None:
    frame = pl.DataFrame(
        [(*key, *values) for key, values in new.items()],
        schema=dict.fromkeys(DIM_CODE.names, pl.String),
        orient="row",
    )
    with store.write() as transaction:
        connection = connect_for_writing(transaction.work)
        connection.register("new_rows", frame)
        upsert.upsert(connection, transaction, DIM_CODE, "new_rows", keep=keep)
        connection.close()
        transaction.commit()


@given(st.lists(st.tuples(rows, st.sampled_from(["old", "new"])), max_size=4))
def test_rows_are_there_by_their_keys(tmp_path_factory: pytest.TempPathFactory, steps: list[Any]) -> None:
    # Row groups are small, so that some are copied and some are rewritten.
    store = Store(tmp_path_factory.mktemp("store") / "data", sizes=FileSizes(row_group_rows=3))
    wanted: dict[Key, tuple[str | None, str | None]] = {}
    for new, keep in steps:
        put(store, new, keep)
        for key, values in new.items():
            old = wanted.get(key, (None, None))
            wanted[key] = values if keep == "new" else (old[0] or values[0], old[1] or values[1])
    if not steps:
        return
    found = pl.read_parquet(store.root / DIM_CODE.path)
    assert found.rows() == [(*key, *values) for key, values in sorted(wanted.items())]


def test_a_table_to_which_nothing_is_new_stays(tmp_path: Path) -> None:
    store = Store(tmp_path / "data")
    put(store, {("CPT", "1"): ("a", None), ("CPT", "2"): ("b", "c")}, "old")
    before = store.loaded().tables["dim_code"]
    put(store, {("CPT", "1"): ("other", None)}, "old")
    assert store.loaded().tables["dim_code"] == before
    put(store, {("CPT", "1"): (None, "filled in")}, "old")
    assert store.loaded().tables["dim_code"] != before
