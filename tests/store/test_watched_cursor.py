"""Slow questions are logged, if a visitor asked them."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.queries.rules.rate_kinds import MACROS
from core.runtime.request_notes import RequestNotes, end_notes, start_notes
from core.store.connection import QueryLimits, QueryTimeout, Snapshot
from core.store.generations.store import Store
from core.store.market_snapshot import market_snapshot
from core.store.reader import Reader
from tests.stores import ENDLESS, change


@pytest.fixture
def notes(caplog: pytest.LogCaptureFixture) -> Iterator[RequestNotes]:
    caplog.set_level(logging.WARNING, "beaconpoint.question")
    yield start_notes("abc")
    end_notes()


def watched(store: Store, log_after: float | None, seconds: float = 60) -> Snapshot:
    change(store, "a")
    found = Reader(store, QueryLimits(seconds, log_after=log_after), MACROS).snapshot()
    assert found is not None
    return found


def logged(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [vars(record) for record in caplog.records if record.name == "beaconpoint.question"]


def test_a_question_is_logged_with_what_it_asked(
    store: Store, notes: RequestNotes, caplog: pytest.LogCaptureFixture
) -> None:
    db = watched(store, 0)
    db.rows("SELECT *\n   FROM range(3) WHERE 'x' = $text", {"text": "x"})
    ((line),) = logged(caplog)
    assert (line["sql"], line["parameters"]) == ("SELECT *\nFROM range(3) WHERE 'x' = $text", {"text": "x"})
    assert (line["outcome"], line["levelname"]) == ("answered", "WARNING")
    assert notes.rows == 3


def test_each_question_of_a_cursor_is_logged_alone(
    store: Store, notes: RequestNotes, caplog: pytest.LogCaptureFixture
) -> None:
    with watched(store, 0).cursor() as cursor:
        cursor.execute("SELECT 1").fetchall()
        cursor.execute("SELECT * FROM range(10)")
        assert [len(cursor.fetchmany(6)) for _ in range(3)] == [6, 4, 0]
    assert [line["sql"] for line in logged(caplog)] == ["SELECT 1", "SELECT * FROM range(10)"]
    assert notes.rows == 11


def test_a_quick_question_is_not_logged(store: Store, notes: RequestNotes, caplog: pytest.LogCaptureFixture) -> None:
    watched(store, 600).rows("SELECT 1")
    watched(store, None).rows("SELECT 1")
    assert logged(caplog) == []


def test_a_command_s_question_is_not_logged(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    watched(store, 0).rows("SELECT 1")
    assert logged(caplog) == []


def test_a_question_that_is_stopped_is_logged(
    store: Store, notes: RequestNotes, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(QueryTimeout):
        watched(store, 600, seconds=0.2).rows(ENDLESS)
    assert [line["outcome"] for line in logged(caplog)] == ["stopped"]


def test_long_values_are_cut(store: Store, notes: RequestNotes, caplog: pytest.LogCaptureFixture) -> None:
    parameters = {"text": "x" * 5_000, "list": list(range(500)), "number": float("nan"), "none": None}
    watched(store, 0).rows("SELECT $text, $list, $number, $none" + ", 1" * 9_000, parameters)
    ((line),) = logged(caplog)
    assert line["parameters"] == {
        "text": "x" * 200 + "…",
        "list": [*range(20), "… 480 more"],
        "number": "nan",
        "none": None,
    }
    assert len(line["sql"]) == 4_001


def test_counting_the_rates_of_a_market_is_a_question(
    demo_root: Path, notes: RequestNotes, caplog: pytest.LogCaptureFixture
) -> None:
    db = Reader(Store(demo_root), QueryLimits(60, log_after=0), MACROS).snapshot()
    assert db is not None
    with market_snapshot(db, "code = $code", {"code": "99213"}):
        pass
    ((line),) = logged(caplog)
    assert "count(*) AS rate_count" in line["sql"]
    assert line["parameters"] == {"code": "99213"}
