"""Answers as Arrow tables."""

import sys
from pathlib import Path

import duckdb
import pytest

from core.store.read_arrow import BATCH_ROWS, read_arrow


def _address_space() -> int:
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    (kilobytes,) = [line.split()[1] for line in status.splitlines() if line.startswith("VmSize")]
    return int(kilobytes) << 10


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_small_answers_take_little_room() -> None:
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE t AS SELECT i, i::DOUBLE d, i::VARCHAR s, i::DOUBLE e FROM range(10) r(i)")
        read_arrow(connection, "SELECT * FROM t")
        before = _address_space()
        kept = [read_arrow(connection, "SELECT * FROM t") for _ in range(200)]
        assert _address_space() - before < 1 << 30, "with room for a million rows each, it is 5 GB"
        assert {table.num_rows for table in kept} == {10}


def test_all_rows_of_an_answer_are_read() -> None:
    rows = 3 * BATCH_ROWS + 7
    with duckdb.connect() as connection:
        found = read_arrow(connection, "SELECT * FROM range($rows) r(i)", {"rows": rows})
    assert found["i"].to_pylist() == list(range(rows))
