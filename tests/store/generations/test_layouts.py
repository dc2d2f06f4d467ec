"""Every layout gives the same answers, and each is found where the contract says."""

import re
from pathlib import Path

import duckdb
import polars as pl
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.load.load_file import load_file
from core.quality.report import run_checks
from core.queries import coverage
from core.runtime.errors import BeaconError
from core.store.changes.provider_order import copy_by_group
from core.store.changes.reshard import reshard
from core.store.connection import Snapshot
from core.store.generations.layout import LAYOUTS, StateMonth, layout_named
from core.store.generations.store import Store
from core.store.schema.tables import FACT_RATE, TABLES
from core.tic.source import open_documents
from tests.built_once import BuiltOnce
from tests.load.expected import REAL
from tests.queries.answers import a_market, assert_all_answers
from tests.queries.slow import Everything
from tests.store.steps import UNLIKE_LAYOUTS, assert_sound, assert_tidy, facts_of, load_made_file, made_store
from tests.stores import copy_store, listing, open_snapshot, table

SHARED_BY_ALL = {
    "single": ["fact_rate.parquet"],
    "monthly": ["fact_rate_2025-07.parquet", "fact_rate_2025-08.parquet"],
    "state_month": [
        "fact_rate_FL_2025-08.parquet",
        "fact_rate_GA_2025-07.parquet",
        "fact_rate_GA_2025-08.parquet",
    ],
    "partitioned": ["fact_rate"],
}

layouts = pytest.mark.parametrize("layout", LAYOUTS)

LOADS = ((0, "GA"), (1, "GA"), (2, "FL"))


@pytest.fixture
def store(built_once: BuiltOnce, tmp_path: Path, layout: str) -> Store:
    """Return a store of three loads: two states and two months."""
    return made_store(built_once, tmp_path, *LOADS, layout=layout)


@layouts
def test_a_new_store_has_an_empty_file_of_each_table_that_has_one_file(tmp_path: Path, layout: str) -> None:
    store = Store(tmp_path / "data", layout)
    with store.write() as transaction:
        transaction.commit()
    with_a_file = {name for name, files in store.loaded().tables.items() if files}
    in_shards = {name for name, table in TABLES.items() if table.sharded} - {FACT_RATE.name}
    assert with_a_file == set(TABLES) - in_shards - ({FACT_RATE.name} if layout != "single" else set())


@pytest.fixture(scope="module", params=UNLIKE_LAYOUTS)
def demo_in(request: pytest.FixtureRequest, demo_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """Return the demo's data in each layout, with copies by provider group."""
    root = tmp_path_factory.mktemp("layout") / "data"
    copy_store(demo_root, root)
    reshard(Store(root), request.param)
    copy_by_group(Store(root))
    return open_snapshot(Store(root))


@pytest.fixture(scope="module")
def everything(demo_root: Path) -> Everything:
    return Everything(open_snapshot(Store(demo_root)))


@pytest.mark.in_turns(1)
@settings(max_examples=2)
@given(data=st.data())
def test_answers_are_the_same_in_each(demo_in: Snapshot, everything: Everything, data: st.DataObject) -> None:
    assert_all_answers(demo_in, everything, data.draw(a_market(everything)))


@pytest.mark.in_turns(1)
def test_coverage_and_checks_are_the_same_in_each(demo_in: Snapshot, demo: Snapshot) -> None:
    assert coverage.list_coverage(demo_in) == coverage.list_coverage(demo)
    assert [(f.name, f.count, f.total) for f in run_checks(demo_in).findings] == [
        (f.name, f.count, f.total) for f in run_checks(demo).findings
    ]
    names = [row[0] for row in demo_in.rows("SELECT column_name FROM (DESCRIBE fact_rate)")]
    assert names == list(FACT_RATE.names)


@layouts
def test_each_lies_where_the_contract_says(store: Store, built_once: BuiltOnce, tmp_path: Path, layout: str) -> None:
    assert sorted(path.name for path in (store.root / "gold").iterdir()) == SHARED_BY_ALL[layout]
    assert facts_of(store) == facts_of(made_store(built_once, tmp_path / "other", *LOADS))
    assert_tidy(store)
    assert_sound(store)


@pytest.mark.in_turns(2)
@layouts
def test_a_file_loaded_again_adds_no_row(store: Store, tmp_path: Path) -> None:
    before = store.manifest()
    assert load_made_file(store, tmp_path, 1).loaded_before
    assert store.manifest() == before


@pytest.mark.in_turns(2)
@layouts
def test_a_store_keeps_its_layout_whatever_the_settings_say(store: Store, tmp_path: Path, layout: str) -> None:
    store = Store(store.root, "single" if layout != "single" else "partitioned")
    load_made_file(store, tmp_path, 3)
    manifest = store.manifest()
    assert manifest is not None
    assert manifest.layout == layout
    assert_tidy(store)


@pytest.mark.in_turns(2)
@layouts
def test_without_a_commit_nothing_has_changed(store: Store, tmp_path: Path) -> None:
    before = listing(store.root)
    (tmp_path / "bad.json").write_bytes(b'{"in_network": [')
    with pytest.raises(BeaconError):
        load_file(store, open_documents(tmp_path / "bad.json")[0], "GA")
    with store.write() as transaction:
        path = transaction.new_file(FACT_RATE.name, transaction.layout.shard(StateMonth("TX", "2024-01")))
        path.write_bytes(b"half")
    assert listing(store.root) == before
    assert_tidy(store)


def test_adding_to_partitioned_writes_only_new_files(tmp_path: Path) -> None:
    store = Store(tmp_path / "data", "partitioned")
    seen: dict[str, bytes] = {}
    for number in (0, 2, 4):
        load_made_file(store, tmp_path, number)
        now = {name: data for name, data in listing(store.root).items() if name.startswith("files/fact_rate/")}
        assert len(now) == len(seen) + 1
        assert seen.items() <= now.items()
        seen = now
    assert len(facts_of(store)) > 0
    names = sorted(path.name for path in (store.root / "gold/fact_rate/state=GA/year_month=2025-08").iterdir())
    assert names == [f"fact_rate.00000{n}.parquet" for n in (1, 2, 3)]


@pytest.mark.parametrize("layout", ["partitioned"])
def test_anything_that_knows_hive_partitions_reads_it(store: Store) -> None:
    expected = sorted((row["fact_uid"], row["state"], row["year_month"]) for row in facts_of(store).values())
    folder = store.root / "gold" / "fact_rate"
    columns = ["fact_uid", "state", "year_month"]
    for options in ("", ", hive_partitioning = true", ", hive_partitioning = false"):
        for pattern in ("**/*.parquet", "*/*/*.parquet"):
            sql = f"SELECT {', '.join(columns)} FROM read_parquet('{folder}/{pattern}'{options}) ORDER BY ALL"
            assert duckdb.sql(sql).fetchall() == expected
            described = duckdb.sql(f"DESCRIBE SELECT * FROM read_parquet('{folder}/{pattern}'{options})").fetchall()
            assert {row[0]: row[1] for row in described} == {c.name: c.sql_type for c in FACT_RATE.columns}
    for hive in (None, True, False):
        frame = pl.scan_parquet(folder, hive_partitioning=hive).collect()
        assert sorted(frame.select(columns).rows()) == expected
        assert set(frame.columns) == set(FACT_RATE.names)
        assert pl.scan_parquet(folder, hive_partitioning=hive).filter(state="FL").collect().height == sum(
            state == "FL" for _, state, _ in expected
        )
    tables = [ds.dataset(folder, partitioning=way).to_table() for way in ("hive", None)]
    for one in (*tables, pq.read_table(folder, partitioning=None)):
        assert sorted(tuple(row.values()) for row in one.select(columns).to_pylist()) == expected
        assert one.schema.names == list(FACT_RATE.names)


@layouts
def test_questions_about_a_state_and_month_open_no_other_file(store: Store, layout: str) -> None:
    where = {"s": "GA", "m": "2025-07"}
    sql = "EXPLAIN ANALYZE SELECT * FROM fact_rate WHERE state = $s AND year_month = $m"
    plan = open_snapshot(store).rows(sql, where)[0][1]
    assert ("Scanning Files: 1/" in plan) == (layout != "single"), plan


@layouts
def test_a_reader_keeps_its_files_while_the_layout_changes(store: Store) -> None:
    old = open_snapshot(store)
    expected = old.rows("SELECT * FROM fact_rate ORDER BY ALL")
    for name in LAYOUTS:
        reshard(store, name)
        assert old.rows("SELECT * FROM fact_rate ORDER BY ALL") == expected
        assert open_snapshot(store).rows("SELECT * FROM fact_rate ORDER BY ALL") == expected


@pytest.mark.parametrize("layout", ["monthly"])
def test_whatever_else_lies_in_gold_stays(store: Store) -> None:
    gold = store.root / "gold"
    (gold / "notes.txt").write_text("mine")
    (gold / "mine.parquet").symlink_to("/dev/null")
    reshard(store, "partitioned")
    reshard(store, "single")
    assert sorted(path.name for path in gold.iterdir()) == ["fact_rate.parquet", "mine.parquet", "notes.txt"]


def test_layouts_by_name() -> None:
    assert layout_named("monthly").link("year_month=2025-08") == "gold/fact_rate_2025-08.parquet"
    assert layout_named("state_month").link("state=GA/year_month=2025-08") == "gold/fact_rate_GA_2025-08.parquet"
    with pytest.raises(BeaconError, match="expected one of: single, monthly, state_month, partitioned"):
        layout_named("cubic")
    assert LAYOUTS[0] == "single", "the default"


def frame_of(store: Store) -> pl.DataFrame:
    manifest = store.manifest()
    assert manifest is not None
    return pl.read_parquet(manifest.paths(store.root, FACT_RATE.name)).sort("fact_uid")


@pytest.mark.in_turns(3, of="real payers")
def test_real_files_give_the_same_rows_in_each(shared: Path, tmp_path: Path) -> None:
    """In each layout, loaded into it and moved to it, the rows are those of `single`."""
    names = [name for name in REAL if not re.search("bundle|capitation|HealthSCOPE|2025-06-23_Evry", name)]
    large = [name for name in names if (REAL[name] or 0) > 20_000]
    first: pl.DataFrame | None = None
    for layout in LAYOUTS:
        store = Store(tmp_path / layout, layout)
        # Large files are loaded into the first layout alone; they are moved to each of the others below.
        here = [name for name in names if layout == LAYOUTS[0] or name not in large]
        for name in here:
            load_file(store, open_documents(shared / "tic" / name)[0], "TX")
        found = frame_of(store)
        first = found if first is None else first
        loaded = table(store, "dim_batch")["reporting_entity_name"].unique().to_list()
        assert found.equals(first.filter(pl.col("reporting_entity_name").is_in(loaded)))
        assert_tidy(store)
        assert_sound(store)
    assert first is not None
    assert len(first) > sum(REAL[name] or 0 for name in names) - 100
    assert first["fact_uid"].n_unique() == len(first)
    store = Store(tmp_path / "single")
    for layout in (*LAYOUTS[1:], "single"):
        reshard(store, layout)
        assert frame_of(store).equals(first)


def test_every_table_is_declared_with_its_place() -> None:
    assert {name for name, table in TABLES.items() if table.sharded} == {"removed_rate"}
