"""Files of facts by state and month, merged, moved to other layouts and compacted."""

import random
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.quality import advice as advice_module
from core.quality.advice import advise
from core.store.changes.compact import compact, find_crowded_shards
from core.store.changes.reshard import reshard
from core.store.changes.sorted_facts import FactFile, merge_facts, periods_of
from core.store.generations.layout import LAYOUTS, StateMonth
from core.store.generations.manifest import BY_GROUP, DataFile, Manifest
from core.store.generations.store import Store, StoreError
from core.store.parquet.writer import FileSizes, write_table
from core.store.schema.tables import FACT_RATE
from tests.store.steps import assert_tidy, facts_of, load_made_file
from tests.stores import listing


def fact(number: int, state: str, year_month: str) -> dict[str, object]:
    row: dict[str, object] = dict.fromkeys(FACT_RATE.names, "x")
    return {**row, "fact_uid": f"{number:032}", "state": state, "year_month": year_month, "negotiated_rate": 1.0}


def in_order(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    return sorted(rows, key=lambda row: [str(row[name]) for name in FACT_RATE.order])


@given(
    files=st.lists(
        st.lists(st.tuples(st.sampled_from(["FL", "GA"]), st.sampled_from(["2025-07", "2025-08"])), max_size=12),
        min_size=1,
        max_size=7,
    ),
    group=st.integers(1, 5),
    at_once=st.integers(2, 3),
)
def test_periods_are_found_and_merged(
    tmp_path: Path,
    files: list[list[tuple[str, str]]],
    group: int,
    at_once: int,
) -> None:
    sizes = FileSizes(row_group_rows=group, max_merged_streams=at_once)
    paths, every, number = [], [], 0
    for place, periods in enumerate(files):
        rows = []
        for period in periods:
            number += 1
            rows.append(fact(number, *period))
        path = tmp_path / f"{place}.parquet"
        write_table(path, FACT_RATE, [pa.Table.from_pylist(in_order(rows), FACT_RATE.arrow)], group)
        paths.append(str(path))
        every += rows
    found = periods_of(paths)
    assert list(found) == sorted({(str(row["state"]), str(row["year_month"])) for row in every})
    for period, of_period in found.items():
        tables = list(merge_facts(of_period, period, tmp_path, sizes))
        rows = [row for table in tables for row in table.to_pylist()]
        assert {row["fact_uid"] for row in rows} == {
            row["fact_uid"] for row in every if (row["state"], row["year_month"]) == period
        }
        assert len({row["fact_uid"] for row in rows}) == len(rows)
    assert not [path for path in tmp_path.iterdir() if path.is_dir()], "what was merged on the way is gone"


def test_a_file_of_no_rows_has_no_period(tmp_path: Path) -> None:
    write_table(tmp_path / "x.parquet", FACT_RATE, [])
    file = FactFile(str(tmp_path / "x.parquet"))
    assert file.periods == []
    assert list(file.blocks_of(StateMonth("GA", "2025-08"))) == []
    file.close()


@pytest.mark.in_turns(3, of="long histories of stores")
def test_from_each_layout_to_each(tmp_path: Path) -> None:
    store = Store(tmp_path / "data", "partitioned", grace=0, sizes=FileSizes(row_group_rows=10))
    for number, state in ((0, "GA"), (1, "GA"), (2, "FL"), (4, "GA"), (6, "GA")):
        load_made_file(store, tmp_path, number, state)
    expected = facts_of(store)
    walk = [one for pair in ((a, b) for a in LAYOUTS for b in LAYOUTS if a != b) for one in pair]
    random.shuffle(walk)
    for layout in ["single", *walk]:
        seen: list[tuple[int, int]] = []
        before = store.manifest()
        done = reshard(store, layout, lambda rows, total: seen.append((rows, total)))  # noqa: B023
        assert (done.after, done.rows) == (layout, len(expected))
        assert facts_of(store) == expected
        assert_tidy(store)
        assert all(0 < rows <= total for rows, total in seen)
        after = store.manifest()
        assert before is not None
        assert after is not None
        assert after.layout == layout
        assert after.generation == before.generation + (done.before != layout), "one generation, or nothing to do"


def test_files_that_both_layouts_have_alike_stay(tmp_path: Path) -> None:
    store = Store(tmp_path / "data", "state_month")
    load_made_file(store, tmp_path, 0)
    load_made_file(store, tmp_path, 1)
    before = {name for name in listing(store.root) if name.startswith("files/fact_rate/")}
    reshard(store, "partitioned")
    assert {name for name in listing(store.root) if name.startswith("files/fact_rate/")} == before
    load_made_file(store, tmp_path, 2)  # August has two files now
    reshard(store, "state_month")
    manifest = store.manifest()
    assert manifest is not None
    august, july = sorted(manifest.tables["fact_rate"], key=lambda file: -file.rows)
    assert july.path in before
    assert august.path.endswith("year_month=2025-08/fact_rate.000005.parquet")


def test_nothing_to_move(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="nothing is loaded yet"):
        reshard(Store(tmp_path / "data"), "monthly")
    with pytest.raises(StoreError, match="nothing is loaded yet"):
        compact(Store(tmp_path / "data"))


def test_facts_that_are_not_in_order_are_not_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that someone tampered with: the statistics lie. Nothing is published."""
    store = Store(tmp_path / "data")
    load_made_file(store, tmp_path, 0)
    load_made_file(store, tmp_path, 1)
    before = listing(store.root)
    monkeypatch.setattr(FactFile, "_periods_in", lambda _self, _group: [StateMonth("GA", "2025-08")])
    monkeypatch.setattr(FactFile, "blocks_of", lambda self, _period: iter([next(iter(self.blocks())).slice(1)]))
    with pytest.raises(StoreError, match="the store is as it was; run dq_check"):
        reshard(store, "monthly")
    assert listing(store.root) == before


@pytest.mark.in_turns(3, of="long histories of stores")
def test_compacting_merges_the_small_files_of_crowded_shards(tmp_path: Path) -> None:
    store = Store(tmp_path / "data", "partitioned", sizes=FileSizes(max_merged_streams=2))
    load_made_file(store, tmp_path, 8, rates=400)
    for number in (0, 2, 4, 1):
        load_made_file(store, tmp_path, number)
    manifest = store.manifest()
    assert manifest is not None
    large = max(file.bytes for file in manifest.tables["fact_rate"])
    (needy,) = find_crowded_shards(manifest, min_small_files=3, small_bytes=large)
    assert (needy.shard, len(needy.files)) == ("state=GA/year_month=2025-08", 3)
    assert "manage.py compact" in advise(manifest, min_small_files=3, small_bytes=large)[0]
    expected = facts_of(store)
    seen: list[tuple[int, int]] = []
    done = compact(store, progress=lambda *rows: seen.append(rows), min_small_files=3, small_bytes=large)
    assert done == [needy]
    assert seen == [(needy.rows, needy.rows)]
    assert facts_of(store) == expected
    assert_tidy(store)
    after = store.manifest()
    assert after is not None
    assert after.generation == manifest.generation + 1
    assert sorted(len(shard) for shard in by_shard(after).values()) == [1, 2], "the large one stays as it is"
    assert advise(after, min_small_files=3, small_bytes=large) == []
    assert compact(store, min_small_files=3, small_bytes=large) == []
    assert store.manifest() == after
    assert [len(one.files) for one in compact(store, every=True)] == [2]
    assert facts_of(store) == expected
    reshard(store, "single")
    assert compact(store, every=True) == []


def by_shard(manifest: Manifest) -> dict[str, list[DataFile]]:
    found: dict[str, list[DataFile]] = {}
    for file in manifest.tables["fact_rate"]:
        found.setdefault(file.shard, []).append(file)
    return found


@pytest.mark.parametrize(
    ("layout", "following"), [("single", "monthly"), ("monthly", "partitioned"), ("state_month", "partitioned")]
)
def test_an_outgrown_layout_is_told(layout: str, following: str) -> None:
    def store_of(*files: tuple[int, int]) -> Manifest:
        named = tuple(DataFile(f"files/{n}", rows, size, str(n)) for n, (rows, size) in enumerate(files))
        copies = tuple(DataFile(f"files/c{n}", file.rows, 1, file.copy_shard) for n, file in enumerate(named))
        tables = {"fact_rate": named, BY_GROUP: copies}
        return Manifest(1, "2025-08-01T00:00:00+00:00", layout, tables)

    assert advise(store_of()) == []
    assert advise(store_of((100_000_000, 8_000_000_000), (1, 1))) == []
    for file in ((100_000_001, 1), (1, 8_000_000_001)):
        (told,) = advise(store_of((1, 1), file))
        assert told.endswith(f"manage.py reshard --to {following}")
        assert f"{file[0]:,} facts" in told
    assert advise(store_of(), layout) == []
    (told,) = advise(store_of(), "partitioned")
    assert told.endswith("manage.py reshard --to partitioned")
    assert advice_module.MAX_FILE_BYTES == 8_000_000_000
