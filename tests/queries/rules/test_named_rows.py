"""Rows are read by the names of their columns."""

from dataclasses import dataclass

import pytest

from core.queries.rules.named_rows import read_by_key, read_page, read_rows
from core.queries.rules.percentiles import FIVE_PERCENTILES, median, percentile_columns, percentile_list
from core.store.connection import Snapshot


@dataclass(frozen=True)
class Pair:
    first: int
    second: str


def test_columns_may_be_in_any_order(demo: Snapshot) -> None:
    assert read_rows(demo, Pair, "SELECT 'b' AS second, $n AS first", {"n": 1}) == [Pair(1, "b")]


@pytest.mark.parametrize("columns", ["1 AS first", "1 AS first, 'b' AS second, 3 AS third", "1 AS first, 'b' AS other"])
def test_columns_that_are_not_the_fields_are_an_error(demo: Snapshot, columns: str) -> None:
    with pytest.raises(TypeError, match=r"Pair: the query's columns are not the fields; look at (second|third|other)"):
        read_rows(demo, Pair, f"SELECT {columns}")


def test_a_page_has_the_total_of_all_pages(demo: Snapshot) -> None:
    sql = """SELECT count(*) OVER () AS total, n AS first, 'x' AS second FROM range(5) t(n)
             ORDER BY n LIMIT $limit OFFSET $offset"""
    assert read_page(demo, Pair, sql, {"limit": 2, "offset": 1}) == (5, [Pair(1, "x"), Pair(2, "x")])
    assert read_page(demo, Pair, sql, {"limit": 2, "offset": 5}) == (5, [])
    empty = sql.replace("range(5)", "range(0)")
    assert [read_page(demo, Pair, empty, {"limit": 2, "offset": n}) for n in (0, 1)] == [(0, [])] * 2


def test_rows_by_key_leave_the_key_out_of_the_row(demo: Snapshot) -> None:
    sql = "SELECT 7 AS k, 1 AS first, 'b' AS second, NULL AS other"
    assert read_by_key(demo, ("k", "other"), Pair, sql) == {(7, None): Pair(1, "b")}


def test_percentiles_interpolate(demo: Snapshot) -> None:
    sql = f"""SELECT {percentile_columns("p", FIVE_PERCENTILES)}, m FROM (
                  SELECT {percentile_list("n")} AS p, {median("n", "n > 5")} AS m FROM range(11) t(n))"""
    assert demo.rows(sql) == [(1.0, 2.5, 5.0, 7.5, 9.0, 8.0)]
