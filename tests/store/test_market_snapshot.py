"""A market's rates in memory answer as the files do, within bounds, for many threads."""

import threading

import duckdb
import pytest

from core.queries.rules.rate_kinds import MACROS
from core.store.connection import QueryLimits, QueryTimeout, Snapshot
from core.store.generations.store import Store
from core.store.market import market_facts
from core.store.market.market_cache import MarketCache
from core.store.market.market_connection import MAX_BYTES
from core.store.market.market_months import MarketMonth
from core.store.market_snapshot import code_snapshot, market_snapshot
from tests.stores import ENDLESS, change, open_snapshot


def test_a_market_snapshot_keeps_its_facts_as_few_counted_rows(demo: Snapshot) -> None:
    ((code, some),) = demo.rows("SELECT code, count(*) FROM fact_rate GROUP BY code ORDER BY count(*) DESC LIMIT 1")
    ((every,),) = demo.rows("SELECT count(*) FROM fact_rate")
    with market_snapshot(demo, "f.code = $code", {"code": code}) as market:
        ((rows, rates, first, last),) = market.rows(
            "SELECT count(*), sum(rate_count), min(code), max(code) FROM counted_rate"
        )
        assert (rates, first, last) == (some, code, code)
        assert rows <= some
        assert market.market_values == {"code": code}
        assert market.rows("SELECT count(*) FROM fact_rate") == [(every,)]
        with market_snapshot(demo, "f.code = $code", {"code": code}) as another:
            assert another.rows("SELECT sum(rate_count) FROM counted_rate") == [(some,)]
    with market_snapshot(demo, "f.code = $code", {"code": "no such"}) as empty:
        assert empty.rows("SELECT count(*) FROM counted_rate") == [(0,)]
    with pytest.raises(duckdb.Error):
        demo.rows("SELECT * FROM counted_rate")


def test_the_facts_of_a_code_are_in_memory_with_all_columns(demo: Snapshot) -> None:
    ((state, month, system, code),) = demo.rows(
        """SELECT state, year_month, code_type, code FROM fact_rate GROUP BY ALL ORDER BY count(*) DESC, code LIMIT 1"""
    )
    asked = {"state": state, "year_month": month, "code_type": system, "code": code}
    where = " AND ".join(f"{name} = ${name}" for name in asked)
    values = {"state": state, "code_type": system, "code": code, "months": (MarketMonth(month),)}
    with market_snapshot(demo, "f.negotiated_rate > 100", asked, code_values=values) as market:
        assert market.code_values == values
        expected = demo.rows(f"SELECT * FROM fact_rate WHERE {where} ORDER BY fact_uid", asked)
        assert market.rows("SELECT * FROM market_fact ORDER BY fact_uid") == expected
        ((counted,),) = market.rows("SELECT sum(rate_count) FROM counted_rate")
        assert 0 < counted < len(expected)
    other = {"code": "no such"}
    with market_snapshot(demo, "true", {**asked, **other}, code_values={**values, **other}) as empty:
        assert empty.rows("SELECT count(*) FROM market_fact") == [(0,)]
        assert empty.rows("SELECT count(*) FROM counted_rate") == [(0,)]


def test_the_facts_of_a_code_with_too_many_are_read_from_the_files(
    demo: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {"state": "GA", "year_month": "2025-08", "code": "99213"}
    values = {"state": "GA", "code": "99213", "months": (MarketMonth("2025-08"),)}
    with market_snapshot(demo, "true", asked, code_values=values) as market:
        expected = market.rows("SELECT * FROM counted_rate ORDER BY ALL")
    monkeypatch.setattr(market_facts, "MAX_ROWS", 3)
    other = Snapshot(demo.root, demo.manifest, QueryLimits(seconds=5), MACROS)
    with market_snapshot(other, "true", asked, code_values=values) as market:
        assert market.code_values is None
        assert market.rows("SELECT * FROM counted_rate ORDER BY ALL") == expected


def test_market_snapshots_are_kept_within_bounds_and_not_after_an_error(demo: Snapshot) -> None:
    def ask(db: Snapshot, code: str) -> None:
        with market_snapshot(db, "f.code <> $code", {"code": code}) as market:
            market.rows("SELECT 1")

    measure = MarketCache()
    ask(Snapshot(demo.root, demo.manifest, QueryLimits(seconds=5), MACROS, measure), "x")
    few = Snapshot(demo.root, demo.manifest, QueryLimits(seconds=5), MACROS, MarketCache(3 * measure.bytes))
    for number in range(5):
        ask(few, str(number))
    assert few.markets.size == 3
    small = Snapshot(demo.root, demo.manifest, QueryLimits(seconds=5), MACROS, MarketCache(max_bytes=0))
    ask(small, "x")
    assert small.markets.size == 0
    with (
        pytest.raises(QueryTimeout),
        market_snapshot(demo, "f.code <> $code", {"code": "y"}) as market,
        market.cursor(0.05) as cursor,
    ):
        cursor.execute(ENDLESS).fetchall()
    ask(demo, "y")


def test_market_snapshots_serve_many_threads(demo: Snapshot) -> None:
    db = demo
    ((every,),) = db.rows("SELECT count(*) FROM fact_rate")
    wrong = []

    def ask() -> None:
        for number in range(20):
            with market_snapshot(db, "f.code <> $code", {"code": str(number % 3)}) as market:
                wrong.extend([1] * (market.rows("SELECT sum(rate_count) FROM counted_rate") != [(every,)]))

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_the_plans_of_many_questions_do_not_fill_the_memory(demo: Snapshot) -> None:
    # Each plan keeps the tables of its last answer. A site that is asked for anything would come to its limit.
    for number in range(120):
        with market_snapshot(demo, "true", {}) as market:
            market.rows(f"SELECT code, count(*), list(DISTINCT payee) AS n{number} FROM counted_rate GROUP BY ALL")
            market.rows(f"SELECT *, row_number() OVER (PARTITION BY code) AS n{number} FROM counted_rate LIMIT 9")
    with market_snapshot(demo, "true", {}) as market:
        assert market.shown.memory_in_use() < 2 * MAX_BYTES


def test_no_more_connections_are_kept_than_may_be_idle(store: Store) -> None:
    change(store, "a")
    db = open_snapshot(store, idle_connections=1)
    with market_snapshot(db, "true", {}) as one, market_snapshot(db, "true", {}) as another:
        assert one.shown is not another.shown
    with market_snapshot(db, "true", {}) as first, market_snapshot(db, "true", {}) as second:
        assert first.shown in {one.shown, another.shown}
        assert second.shown not in {one.shown, another.shown}


class _TakenByAnother(list):  # type: ignore[type-arg]
    """A list that another thread empties between looking and taking."""

    def __bool__(self) -> bool:
        return True


def test_idle_connections_that_another_thread_takes_are_no_error(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    change(store, "a")
    db = open_snapshot(store)
    monkeypatch.setattr("core.store.market.market_connections.MAX_BYTES", -1)
    db.market_connections.idle = _TakenByAnother()
    with code_snapshot(db, None) as market:
        assert market.rows("SELECT 1") == [(1,)]
    assert len(db.market_connections.idle) == 1
