"""Watch the questions of a cursor: count their rows, and log slow ones with their SQL and parameters."""

import inspect
import logging
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import duckdb
import pyarrow as pa

from core.runtime import metrics, request_notes
from core.store.market.market_connection import MarketConnection
from core.store.read_arrow import read_arrow

_log = logging.getLogger("beaconpoint.question")

_SQL_CHARACTERS = 4_000
_VALUE_CHARACTERS = 200
_LIST_VALUES = 20


AskedCursor = duckdb.DuckDBPyConnection | MarketConnection
"""What answers questions: a cursor of DuckDB, or the connection of a market."""


class WatchedCursor:
    """A DuckDB cursor whose questions are timed: the time in DuckDB, not the time its caller takes between rows.

    A question of a request that takes `log_after` seconds or more is logged, and so is one that is stopped. A command's
    questions are not: they may take as long as they need.
    """

    def __init__(self, cursor: AskedCursor, log_after: float | None) -> None:
        self._cursor = cursor
        self._log_after = log_after
        self._sql = ""
        self._parameters: Any = ()
        self._seconds = 0.0
        self._outcome = "answered"

    def execute(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> "WatchedCursor":
        """Ask a question."""
        self._begin(sql, parameters)
        with self._timed():
            self._cursor.execute(sql, parameters)
        return self

    def read_arrow(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> pa.Table:
        """Return all rows of a question's answer as an Arrow table.

        They are not noted: tables in memory are what answers are made of, not answers.
        """
        self._begin(sql, parameters)
        with self._timed():
            if isinstance(self._cursor, MarketConnection):
                return self._cursor.read_arrow(sql, parameters)
            return read_arrow(self._cursor, sql, parameters)

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Return the remaining rows of the question."""
        with self._timed():
            rows = self._cursor.fetchall()
        request_notes.note_rows(len(rows))
        return rows

    def fetchmany(self, size: int) -> list[tuple[Any, ...]]:
        """Return the next rows of the question."""
        with self._timed():
            rows = self._cursor.fetchmany(size)
        request_notes.note_rows(len(rows))
        return rows

    @property
    def description(self) -> list[Any]:
        """The columns of the question: a tuple for each, which begins with its name and type."""
        return list(self._cursor.description or ())

    @property
    def plain(self) -> Any:
        """The cursor itself, whose questions nobody watches."""
        return self._cursor

    def end_question(self) -> None:
        """Log the question if it was slow or stopped."""
        seconds, outcome = self._seconds, self._outcome
        self._seconds, self._outcome = 0.0, "answered"
        notes = request_notes.current_notes()
        if self._log_after is None or notes is None or not self._sql:
            return
        if seconds >= self._log_after or outcome != "answered":
            metrics.SLOW_QUESTIONS.labels(outcome).inc()
            fields = {
                "seconds": round(seconds, 3),
                "outcome": outcome,
                "sql": _cut(inspect.cleandoc(self._sql), _SQL_CHARACTERS),
                "parameters": "not logged" if notes.private else _cut_values(self._parameters),
            }
            _log.warning("slow question", extra=fields)
        self._sql, self._parameters = "", ()

    def _begin(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any]) -> None:
        self.end_question()
        self._sql, self._parameters = sql, parameters

    @contextmanager
    def _timed(self) -> Iterator[None]:
        began = time.perf_counter()
        try:
            yield
        except duckdb.InterruptException:
            self._outcome = "stopped"
            raise
        except duckdb.OutOfMemoryException:
            self._outcome = "out of memory"
            raise
        finally:
            self._seconds += time.perf_counter() - began


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}…"


def _cut_values(value: Any) -> Any:
    """Return parameters as they are logged: long texts and long lists are cut."""
    if isinstance(value, Mapping):
        return {str(name): _cut_values(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        shown = [_cut_values(one) for one in value[:_LIST_VALUES]]
        return [*shown, f"… {len(value) - _LIST_VALUES} more"] if len(value) > _LIST_VALUES else shown
    if value is None or isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return _cut(str(value), _VALUE_CHARACTERS)
