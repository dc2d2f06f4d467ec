"""Rows found by their keys in memory are those that SQL finds."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.store import keyed_rows
from core.store.connection import Snapshot
from core.store.keyed_rows import KeyedRows

LOOKUPS = (
    ("xref_group_npi", "pg_uid", ["npi"], True),
    ("xref_group_tin", "pg_uid", ["tin_type", "tin_value"], True),
    ("dim_provider_group", "pg_uid", ["batch_id", "network_names"], True),
    ("dim_tin", "tin_value", ["tin_type", "business_name"], False),
    ("named_tin", "tin_value", ["tin_type", "shown_name"], False),
    ("xref_group_npi", "npi", ["pg_uid", "payer_slug"], False),
    ("group_profile", "pg_uid", ["zip", "city", "specialty", "entity_type", "latitude"], True),
    ("tin_people", "tin_value", ["tin_type", "npis", "main_city", "example", "states"], False),
    ("dim_code", "code", ["code_type", "name"], False),
)


@settings(max_examples=30, deadline=None)
@given(data=st.data(), lookup=st.sampled_from(LOOKUPS))
def test_they_are_those_that_sql_finds(
    demo: Snapshot, data: st.DataObject, lookup: tuple[str, str, list[str], bool]
) -> None:
    table, key, columns, by_month = lookup
    there = [value for (value,) in demo.rows(f"SELECT DISTINCT {key} FROM {table} ORDER BY 1")]
    wanted = data.draw(st.lists(st.sampled_from(there) | st.sampled_from(["", "no such"]), unique=True, max_size=20))
    month = data.draw(st.sampled_from(["2025-07", "2025-08", "1999-01"])) if by_month else None
    part = {"year_month": month} if month else {}
    found = demo.keyed_rows.find(table, key, pa.chunked_array([pa.array(wanted, pa.string())]), columns, part)
    assert found is not None
    names = ", ".join([key, *columns])
    of_month = "AND year_month = $month" if by_month else ""
    expected = demo.rows(
        f"SELECT {names} FROM {table} WHERE list_contains($wanted::VARCHAR[], {key}) {of_month}",
        {"wanted": wanted, **({"month": month} if by_month else {})},
    )
    assert found.column_names == [key, *columns]
    assert sorted(map(str, zip(*found.to_pydict().values(), strict=True))) == sorted(map(str, expected))


def test_a_table_with_too_many_rows_is_not_kept(demo: Snapshot, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = pa.chunked_array([pa.array(["x"])])
    assert KeyedRows(demo.arrow_rows, max_bytes=10).find("dim_tin", "tin_value", wanted, ["tin_type"]) is None
    monkeypatch.setattr(keyed_rows, "MAX_ROWS", 1)
    assert KeyedRows(demo.arrow_rows).find("dim_tin", "tin_value", wanted, ["tin_type"]) is None


def test_rows_in_use_are_not_pushed_out(demo: Snapshot) -> None:
    """Months that do not fit together would be read for each page that asks for another one."""
    asked, clock = [], [0.0]

    def ask(sql: str, parameters: Mapping[str, Any]) -> pa.Table:
        asked.append(parameters["year_month"])
        return demo.arrow_rows(sql, parameters)

    wanted = pa.chunked_array([pa.array(["x"])])

    def find(rows: KeyedRows, month: str) -> pa.Table | None:
        return rows.find("group_profile", "pg_uid", wanted, ["zip", "city"], {"year_month": month})

    whole = KeyedRows(ask)
    assert find(whole, "2025-08") is not None
    (size,) = [rows.size for rows in whole._kept.values()]
    asked.clear()
    rows = KeyedRows(ask, max_bytes=size * 3 // 2, clock=lambda: clock[0])
    assert find(rows, "2025-08") is not None
    clock[0] = keyed_rows.IN_USE_SECONDS / 2
    assert find(rows, "2025-07") is not None  # read, as its size was not known, but not kept
    for _ in range(3):
        assert find(rows, "2025-08") is not None
        assert find(rows, "2025-07") is None
    assert asked == ["2025-08", "2025-07"]
    clock[0] += 2 * keyed_rows.IN_USE_SECONDS
    assert find(rows, "2025-07") is not None
    assert find(rows, "2025-07") is not None
    assert asked == ["2025-08", "2025-07", "2025-07"]
    assert find(rows, "2025-08") is None


def test_an_empty_table_has_no_rows(demo: Snapshot) -> None:
    assert demo.manifest.rows("xref_group_location") == 0
    wanted = pa.chunked_array([pa.array(["x"])])
    found = demo.keyed_rows.find("xref_group_location", "pg_uid", wanted, ["location"])
    assert found is not None
    assert found.column_names == ["pg_uid", "location"]
    assert not len(found)
