"""A file goes through every seam of the loader: small chunks, runs, partitions and ranges change nothing."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.demo.payer_files import write_files
from core.load.load_sizes import LoadSizes
from core.load.rate_filters import make_filter
from core.tic.source import open_documents
from tests import payer_files
from tests.fixture_types import Load
from tests.load.expected import assert_loaded_as_by_the_slow_reader
from tests.rate_files import file_of, item_of


def assert_demo_is_loaded(tmp_path: Path, sizes: LoadSizes, processes: int = 1) -> None:
    for path in write_files(tmp_path, ("2025-08",))[:2]:
        content = b"".join(open_documents(path)[0].read_blocks())
        assert_loaded_as_by_the_slow_reader(content, sizes, processes)


@given(payer_files.written_out_contents(), st.sampled_from([0, 1_000, 1 << 20]))
def test_caches_of_any_size_load_groups_that_are_written_out(content: bytes, cached: int) -> None:
    sizes = LoadSizes(chunk_bytes=300, cached_field_bytes=cached, cached_member_bytes=cached)
    assert_loaded_as_by_the_slow_reader(content, sizes)


def test_caches_that_always_start_over_change_nothing(tmp_path: Path) -> None:
    sizes = LoadSizes(
        chunk_bytes=2000, cached_field_bytes=0, cached_member_bytes=0, cached_texts=0, spool_rows=7
    )  # fmt: skip
    assert_demo_is_loaded(tmp_path, sizes)


def test_workers_load_what_one_process_loads(tmp_path: Path) -> None:
    assert_demo_is_loaded(tmp_path, LoadSizes(chunk_bytes=20_000, min_partition_rows=100), processes=3)


@pytest.mark.parametrize("giant", [1, 5_000])
def test_giant_items_are_taken_apart(tmp_path: Path, giant: int) -> None:
    assert_demo_is_loaded(tmp_path, LoadSizes(chunk_bytes=300, giant_item_bytes=giant))


@given(payer_files.contents() | payer_files.written_out_contents(), st.integers(20, 400), st.integers(20, 2000))
def test_any_file_is_loaded_in_pieces_of_any_size(content: bytes, chunk: int, giant: int) -> None:
    sizes = LoadSizes(
        chunk_bytes=chunk,
        giant_item_bytes=giant,
        min_partition_rows=3,
        max_partition_rows=3,
        range_pairs=3,
        range_rows=2,
        part_lookups=4,
    )
    assert_loaded_as_by_the_slow_reader(content, sizes)


def test_many_runs_are_merged(tmp_path: Path) -> None:
    items = [item_of(n % 7, n % 5, code=str(10000 + n % 11), references=[n % 3, 1]) for n in range(100)]
    content = json.dumps(file_of(*items)).encode()
    assert_loaded_as_by_the_slow_reader(content, LoadSizes(run_prices=3, block_keys=2, open_runs=4))


def test_a_run_is_written_when_its_fact_rows_are_many(tmp_path: Path) -> None:
    items = [item_of(n, code=str(10000 + n % 3), references=list(range(n % 7))) for n in range(60)]
    content = json.dumps(file_of(*items)).encode()
    assert_loaded_as_by_the_slow_reader(content, LoadSizes(run_fact_rows=5, groups_per_row=4))


def test_facts_of_the_store_are_compared_some_at_a_time(load: Load) -> None:
    """A second filter adds the rates of the second code, and finds those of the first in the store."""

    items = [item_of(*range(1, 8), code=code) for code in ("99213", "99214")]
    sizes = LoadSizes(known_facts=3)
    assert load(file_of(*items), only=make_filter(codes=["99213"]), sizes=sizes).rows_added == 7
    assert load(file_of(*items), sizes=sizes).rows_added == 7
