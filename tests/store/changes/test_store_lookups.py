"""Lookups have the same rows stored or not, and a stored answer goes with the files it was made from."""

from collections import Counter
from pathlib import Path

import pytest

from core.queries.parties.line_medians import LINE_AMOUNT, LINE_MEDIAN, STORED_LOOKUPS, rows_of
from core.queries.rules.rate_kinds import MACROS
from core.store.changes.compact import compact
from core.store.changes.corrections import remove
from core.store.changes.reshard import reshard
from core.store.changes.selection import Selection
from core.store.changes.store_lookups import store_lookups
from core.store.connection import Snapshot
from core.store.generations.store import Store
from core.store.lookup_sql import lookup_query, lookup_rows
from core.store.schema.lookups import LOOKUP, LOOKUPS
from tests.store.steps import assert_sound, assert_tidy, load_made_file
from tests.stores import open_snapshot


def counted_rows(db: Snapshot, sql: str) -> Counter[str]:
    return Counter(repr(row) for row in db.rows(f"SELECT * FROM ({sql})"))


def assert_same_rows(store: Store) -> None:
    """Every lookup has the rows of its query, in the query's columns."""
    db = open_snapshot(store)
    for lookup in STORED_LOOKUPS:
        names = ", ".join(row[0] for row in db.rows(f"DESCRIBE {lookup_query(lookup)}"))
        found = counted_rows(db, f"SELECT {names} FROM ({lookup_rows(lookup, db.root, db.manifest)})")
        assert found == counted_rows(db, lookup_query(lookup)), lookup.name
        assert found
    assert_tidy(store)


def stored(store: Store) -> set[str]:
    return {file.shard.partition("/")[0] for file in store.loaded().tables.get(LOOKUP, ())}


@pytest.mark.in_turns(1)
@pytest.mark.parametrize("layout", ["monthly", "partitioned"])
def test_the_same_rows_whatever_happens_to_the_facts(tmp_path: Path, layout: str) -> None:
    store = Store(tmp_path / "data", layout, grace=0)
    for number, state in ((0, "GA"), (1, "GA"), (2, "FL")):
        load_made_file(store, tmp_path, number, state)
    assert_same_rows(store)
    assert stored(store) == set()
    assert store_lookups(store, STORED_LOOKUPS, MACROS) >= len(LOOKUPS)
    assert stored(store) == {lookup.name for lookup in LOOKUPS}
    assert_same_rows(store)
    assert store_lookups(store, STORED_LOOKUPS, MACROS) == 0
    load_made_file(store, tmp_path, 3)
    # What it was made from has changed: only the lines of other shards are still there.
    assert stored(store) <= {LINE_MEDIAN.name, LINE_AMOUNT.name}
    assert_same_rows(store)
    remove(store, Selection(min_rate=3, max_rate=5), "wrong")
    assert_same_rows(store)
    store_lookups(store, STORED_LOOKUPS, MACROS)
    compact(store, every=True)
    assert_same_rows(store)
    reshard(store, "single")
    assert stored(store).isdisjoint({LINE_MEDIAN.name, LINE_AMOUNT.name})
    assert_same_rows(store)
    store_lookups(store, STORED_LOOKUPS, MACROS)
    assert_same_rows(store)
    assert_sound(store)


def test_stored_lookups_are_no_other_data(tmp_path: Path) -> None:
    store = Store(tmp_path / "data")
    load_made_file(store, tmp_path, 0)
    before = store.loaded()
    store_lookups(store, STORED_LOOKUPS, MACROS)
    assert store.loaded().generation == before.generation + 1
    assert store.loaded().data_version == before.data_version


def test_medians_of_some_codes_are_found_by_their_order(tmp_path: Path) -> None:
    store = Store(tmp_path / "data", "monthly")
    load_made_file(store, tmp_path, 0)
    store_lookups(store, STORED_LOOKUPS, MACROS)
    db = open_snapshot(store)
    every = db.rows(f"SELECT state, year_month, code, code_type FROM {rows_of(LINE_MEDIAN, db)}")
    assert every == sorted(every)
