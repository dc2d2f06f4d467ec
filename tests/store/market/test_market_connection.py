"""Plans that are kept answer from the tables that are shown now, not from those of the time when they were made."""

import duckdb
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.store.market.market_connection import MAX_PLANS, MarketConnection

ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "number": st.none() | st.integers(-3, 3) | st.integers(-(2**31), 2**31 - 1),
            "rate": st.none() | st.sampled_from([0.0, -1.0, 1e300]) | st.floats(0, 1, allow_nan=False),
            "name": st.none() | st.text("ab\0é", max_size=3) | st.just("x" * 40),
            "times": st.integers(0, 5),
        }
    ),
    max_size=30,
)
SCHEMA = {"number": pl.Int32, "rate": pl.Float64, "name": pl.String, "times": pl.Int64}
QUESTIONS = (
    "SELECT count(*) FROM t WHERE rate > 0",
    "SELECT count(*), count(name) FROM t WHERE number BETWEEN 1 AND 2",
    "SELECT count(*) FROM t WHERE name IS NULL",
    "SELECT number, name, sum(times), count(*) FROM t GROUP BY ALL ORDER BY ALL",
    "SELECT number % 3 AS n, min(rate), max(rate), count(DISTINCT name) FROM t GROUP BY n ORDER BY ALL",
    "SELECT * FROM t ORDER BY ALL LIMIT 7",
    "SELECT count(*) FROM t a JOIN t b ON a.number = b.number AND a.name IS NOT DISTINCT FROM b.name",
    "SELECT quantile_cont(rate, [0.1, 0.9]) FROM (SELECT *, unnest(range(times)) FROM t)",
    "SELECT name, row_number() OVER (PARTITION BY number ORDER BY rate, name, times) FROM t ORDER BY ALL",
)


def table(rows: list[dict[str, object]]) -> pa.Table:
    return pl.DataFrame(rows, SCHEMA).to_arrow(compat_level=pl.CompatLevel.oldest())


@pytest.fixture(scope="module")
def connection() -> MarketConnection:
    return MarketConnection(duckdb.connect().cursor())


@settings(max_examples=40, deadline=None)
@given(rows=ROWS)
def test_a_kept_plan_answers_from_the_table_shown_now(
    connection: MarketConnection, rows: list[dict[str, object]]
) -> None:
    connection.show({"t": table(rows)})
    fresh = duckdb.connect()
    fresh.register("t", table(rows))
    for question in QUESTIONS:
        assert connection.execute(question).fetchall() == fresh.execute(question).fetchall(), question


def test_a_table_that_is_shown_no_longer_is_empty(connection: MarketConnection) -> None:
    connection.show({"t": table([{"number": 1, "rate": 2.0, "name": "a", "times": 1}])})
    assert connection.execute("SELECT count(*) FROM t").fetchall() == [(1,)]
    connection.show({})
    assert connection.execute("SELECT count(*) FROM t").fetchall() == [(0,)]


def test_a_table_may_have_other_columns_under_the_same_name(connection: MarketConnection) -> None:
    for shown in (pa.table({"a": [1]}), pa.table({"b": ["x"], "a": [2.5]}), pa.table({"a": [3]})):
        connection.show({"other": shown})
        assert connection.execute("SELECT a FROM other").fetchall() == [(shown["a"][0].as_py(),)]


def test_parameters_are_bound_as_ever(connection: MarketConnection) -> None:
    assert connection.execute("SELECT $a::INT + 1", {"a": 1}).fetchall() == [(2,)]


def test_the_plans_used_last_are_kept() -> None:
    few = MarketConnection(duckdb.connect().cursor())
    for number in range(MAX_PLANS + 5):
        assert few.execute(f"SELECT {number}").fetchall() == [(number,)]
    assert few.execute("SELECT 0").fetchall() == [(0,)]
    assert few.execute("SELECT count(*) FROM duckdb_prepared_statements()").fetchall()[0][0] <= MAX_PLANS + 1
