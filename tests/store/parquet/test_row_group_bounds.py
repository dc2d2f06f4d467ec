"""Which row groups a range of keys falls into, and which are rewritten to take in rows."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.store.parquet.row_group_bounds import HIGHEST, Bounds, begins_run, bounds, find_runs, row_groups_to_rewrite


def test_the_highest_value_is_greater_than_every_other_and_not_than_itself() -> None:
    for value in ("", "zz", 10**30, float("inf")):
        assert value < HIGHEST
        assert not value > HIGHEST
        assert max(("a", HIGHEST), ("a", value)) == ("a", HIGHEST)
    assert not HIGHEST > HIGHEST  # noqa: PLR0124 - that is the question


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        # One value throughout in the first column: the second column bounds the keys as well.
        ([("a", 1, 5), ("a", 3, 2)], [(("a", 1), ("a", 3, HIGHEST))]),
        # Two values in the first column: the lowest of the second may belong to either.
        ([("a", 9, 5), ("b", 3, 2)], [(("a",), ("b", HIGHEST))]),
        ([("a", 1, 7), ("a", 1, 8)], [(("a", 1, 7), ("a", 1, 8, HIGHEST))]),
    ],
)
def test_bounds_go_up_to_the_first_column_with_several_values(
    tmp_path: Path, rows: list[tuple[str, int, int]], expected: Bounds
) -> None:
    pq.write_table(frame(rows), tmp_path / "a.parquet")
    assert bounds(tmp_path / "a.parquet", ["x", "y", "z"]) == expected


def test_bounds_end_before_a_column_without_statistics(tmp_path: Path) -> None:
    pq.write_table(frame([("a", 1, 7), ("a", 1, 8)]), tmp_path / "a.parquet", write_statistics=["x", "z"])
    assert bounds(tmp_path / "a.parquet", ["x", "y", "z"]) == [(("a",), ("a", HIGHEST))]


def frame(rows: list[tuple[str, int, int]]) -> pa.Table:
    return pa.table({name: [row[place] for row in rows] for place, name in enumerate(("x", "y", "z"))})


GROUPS: Bounds = [((low,), (low + 9, HIGHEST)) for low in (0, 10, 20, 30)]
"""Four row groups with the keys 0 to 9, 10 to 19, 20 to 29 and 30 to 39."""


@pytest.mark.parametrize(
    ("low", "high", "rows", "expected"),
    [
        # As many rows as half a row group, or more, get row groups of their own where no key is between theirs.
        (12, 17, 50, range(1, 2)),
        (12, 25, 50, range(1, 3)),
        (-5, -1, 50, range(0)),
        (40, 45, 50, range(4, 4)),
        (9.5, 9.7, 50, range(1, 1)),
        # Fewer are merged into the row group before as well.
        (12, 17, 49, range(2)),
        (22, 25, 49, range(1, 3)),
        (40, 45, 49, range(3, 4)),
        # Before the first there is none.
        (-5, -1, 49, range(0)),
        (2, 3, 49, range(1)),
    ],
)
def test_the_row_groups_to_rewrite(low: Any, high: Any, rows: int, expected: range) -> None:
    assert row_groups_to_rewrite(GROUPS, (low,), (high,), rows, row_group_rows=100) == expected


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (("a",), ("b", HIGHEST), True),
        (("b",), ("a", HIGHEST), False),
        (("a", 1), ("a", 2, HIGHEST), True),
        # An equal key may continue the run.
        (("a", 2), ("a", 2, HIGHEST), False),
        # Of the second column, one of the two knows nothing.
        (("a", 1), ("a", HIGHEST), False),
        (("a",), ("a", 2, HIGHEST), False),
        ((), (HIGHEST,), False),
    ],
)
def test_a_run_begins_where_a_key_is_surely_lower_than_the_one_before(
    low: tuple[Any, ...], high: tuple[Any, ...], expected: bool
) -> None:
    assert begins_run(low, high) is expected


def test_runs_are_ranges_of_row_groups() -> None:
    assert find_runs(GROUPS) == [range(4)]
    assert find_runs([*GROUPS, *GROUPS[:2], GROUPS[0]]) == [range(4), range(4, 6), range(6, 7)]
