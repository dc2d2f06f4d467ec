"""Merging against sorting everything at once."""

from collections.abc import Iterator

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.store.parquet.sorted_merge import merge_sorted

rows = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 3)), max_size=30)


def blocks(stream: list[tuple[str, int]], number: int, size: int) -> Iterator[pa.Table]:
    """Draw a sorted stream in blocks, each row marked with its origin."""
    ordered = [(key, sub, number * 1000 + place) for place, (key, sub) in enumerate(sorted(stream))]
    for start in range(0, len(ordered) + 1, size):
        columns = list(zip(*ordered[start : start + size], strict=True)) or [(), (), ()]
        yield pa.table(
            {
                "key": pa.array(columns[0], pa.string()).dictionary_encode(),
                "sub": pa.array(columns[1], pa.int64()),
                "mark": pa.array(columns[2], pa.int64()),
            }
        )


@pytest.mark.parametrize("whole_keys", [True, False])
@given(streams=st.lists(rows, max_size=4), size=st.integers(1, 7))
def test_merging_is_sorting(whole_keys: bool, streams: list[list[tuple[str, int]]], size: int) -> None:
    sources = [blocks(stream, number, size) for number, stream in enumerate(streams)]
    merged = list(merge_sorted(sources, ["key", "sub"], whole_keys=whole_keys))
    found = [tuple(row.values()) for table in merged for row in table.to_pylist()]
    every = [(k, s, n * 1000 + p) for n, stream in enumerate(streams) for p, (k, s) in enumerate(sorted(stream))]
    assert [row[:2] for row in found] == sorted(row[:2] for row in every)
    assert sorted(found) == sorted(every)
    if whole_keys:
        assert found == sorted(every, key=lambda row: row[:2])  # sorted is stable: streams stay in order within a key
        seen = [{(row["key"], row["sub"]) for row in table.to_pylist()} for table in merged]
        assert sum(map(len, seen)) == len(set().union(*seen)) if seen else True


def test_many_rows_of_one_key_keep_the_order_of_their_streams() -> None:
    # Many streams with several keys each: an unstable sort of their joined rows mixes the rows of a key.
    stream = sorted((key, sub) for key in "abc" for sub in range(5) for _ in range(7))
    merged = merge_sorted([blocks(stream, number, 200) for number in range(40)], ["key", "sub"], whole_keys=True)
    found = [(row["key"], row["sub"], row["mark"]) for table in merged for row in table.to_pylist()]
    assert len(found) == 40 * len(stream)
    assert found == sorted(found)


def test_memory_does_not_grow_with_a_stream() -> None:
    """Two long streams of interleaved keys: no block holds much more than the blocks that came in."""

    def stream(parity: int) -> Iterator[pa.Table]:
        for start in range(0, 100_000, 100):
            yield pa.table({"key": pa.array(range(start + parity, start + 100, 2), pa.int64())})

    sizes = [table.num_rows for table in merge_sorted([stream(0), stream(1)], ["key"], whole_keys=True)]
    assert sum(sizes) == 100_000
    assert max(sizes) <= 200


@pytest.mark.parametrize("whole_keys", [True, False])
def test_no_row_comes_before_a_lower_one_that_another_stream_has_not_loaded_yet(whole_keys: bool) -> None:
    streams = ([[1, 9], [10, 12]], [[2], [3], [4, 11]], [[], [9, 9], [9], [13]])
    tables = [iter([pa.table({"key": pa.array(block, pa.int64())}) for block in stream]) for stream in streams]
    merged = [table.column("key").to_pylist() for table in merge_sorted(tables, ["key"], whole_keys=whole_keys)]
    assert [key for block in merged for key in block] == [1, 2, 3, 4, 9, 9, 9, 9, 10, 11, 12, 13]
    assert sum(9 in block for block in merged) == 1 or not whole_keys
