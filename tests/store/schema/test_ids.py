"""Each id has one definition: Python, SQL and Polars say the same of any text."""

import hashlib
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.fields.providers.payer_slug import make_payer_slug
from core.store.schema import ids

ITEM_COLUMNS = {"code_type", "code", "negotiation_arrangement", "severity_of_illness"}
PRICE_COLUMNS = set(ids.RATE_PART) - ITEM_COLUMNS - {"negotiated_rate"}

text = st.text(st.characters(exclude_categories=["Cs"]))
"""Any Unicode but halves of surrogate pairs, which neither UTF-8 nor a Parquet file can hold."""

rates = st.floats(min_value=0, allow_nan=False, allow_infinity=False)
GRAIN = (*ids.SCOPE_PART, *ids.RATE_PART, *ids.PROVIDER_PART)
grains = st.fixed_dictionaries(
    {name: rates if name == "negotiated_rate" else st.one_of(text, st.none()) for name in GRAIN}
)


@pytest.fixture(scope="module")
def sql() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    for statement in ids.SQL_MACROS:
        connection.execute(statement)
    return connection


def one(sql: duckdb.DuckDBPyConnection, query: str, *values: Any) -> Any:
    row = sql.execute(query, values).fetchone()
    assert row is not None
    return row[0]


@given(text)
@example("İK Å – Health, Inc.")
@example("")
@example("K")
def test_payer_slug(sql: duckdb.DuckDBPyConnection, name: str) -> None:
    expected = make_payer_slug(name)
    assert one(sql, "SELECT payer_slug(?)", name) == expected
    assert pl.DataFrame({"name": [name]}).select(ids.payer_slug_expr(pl.col("name"))).item() == expected


def test_payer_slug_of_every_character(sql: duckdb.DuckDBPyConnection) -> None:
    names = [f"a{chr(n)}b" for n in range(1, 0x110000) if not 0xD800 <= n <= 0xDFFF]
    frame = pl.DataFrame({"name": names})
    expected = [make_payer_slug(name) for name in names]
    assert frame.select(ids.payer_slug_expr(pl.col("name"))).to_series().to_list() == expected
    assert [row[0] for row in sql.execute("SELECT payer_slug(name) FROM frame").fetchall()] == expected


def test_payer_slug_is_the_contract_s() -> None:
    assert make_payer_slug("  Blue Cross & Blue-Shield of GA, Inc. ") == "blue_cross_blue_shield_of_ga_inc"


@given(st.lists(text, max_size=5))
def test_pos_set_id(sql: duckdb.DuckDBPyConnection, codes: list[str]) -> None:
    expected = ids.pos_set_id(codes)
    assert expected == hashlib.md5(",".join(sorted(set(codes))).encode()).hexdigest()
    assert one(sql, "SELECT pos_set_id(?::VARCHAR[])", codes) == expected
    frame = pl.DataFrame({"codes": [codes]}, schema={"codes": pl.List(pl.String)})
    assert frame.select(ids.pos_set_id_expr(pl.col("codes"))).item() == expected


@given(text, text)
def test_pg_uid(sql: duckdb.DuckDBPyConnection, batch_id: str, group_id: str) -> None:
    expected = hashlib.md5(f"{batch_id}|{group_id}".encode()).hexdigest()
    assert ids.pg_uid(batch_id, group_id) == expected
    assert one(sql, "SELECT pg_uid(?, ?)", batch_id, group_id) == expected
    frame = pl.DataFrame({"batch": [batch_id], "group": [group_id]})
    assert frame.select(ids.pg_uid_expr(pl.col("batch"), pl.col("group"))).item() == expected


@given(st.lists(grains, min_size=1, max_size=4))
def test_fact_uid(sql: duckdb.DuckDBPyConnection, rows: list[dict[str, Any]]) -> None:
    expected = [ids.fact_uid(row) for row in rows]
    schema = {name: pl.Float64 if name == "negotiated_rate" else pl.String for name in GRAIN}
    frame = pl.DataFrame(rows, schema=schema)
    assert ids.fact_uid_of_frame(frame).to_list() == expected
    found = sql.execute(f"SELECT fact_uid({', '.join(GRAIN)}) FROM frame").fetchall()
    assert [row[0] for row in found] == expected


@given(grains, st.sampled_from(GRAIN), st.one_of(text, st.none()))
def test_fact_uid_changes_with_every_field(row: dict[str, Any], name: str, other: str | None) -> None:
    value: Any = other
    if name == "negotiated_rate":
        value = len(other or "") + 0.5
    if value != row[name]:
        assert ids.fact_uid({**row, name: value}) != ids.fact_uid(row)


def test_fact_uid_is_written_down() -> None:
    """The figure of docs/decisions/0002-fact-uid.md: a store made today is appended to by every later version."""
    row = dict.fromkeys(GRAIN) | {
        "state": "GA",
        "year_month": "2025-08",
        "reporting_entity_name": "Example | Health",
        "code_type": "CPT",
        "code": "99213",
        "pos_set_id": ids.pos_set_id(["11"]),
        "negotiated_type": "negotiated",
        "negotiation_arrangement": "ffs",
        "negotiated_rate": 104.5,
        "billing_class": "professional",
        "billing_code_modifier": "",
        "pg_uid": ids.pg_uid("0" * 32, "12"),
        "provider_group_id_raw": "12",
    }
    scope = hashlib.md5(rb"GA|2025-08|Example \| Health").hexdigest()
    rate = hashlib.md5(
        rb"CPT|99213|6512bd43d9caa6e02c990b0a82652dca|negotiated|ffs|\N|104.5|professional|\N||\N"
    ).hexdigest()
    provider = hashlib.md5(f"{ids.pg_uid('0' * 32, '12')}|12".encode()).hexdigest()
    combined = int(scope, 16) ^ int(rate, 16) ^ int(provider, 16)
    assert ids.fact_uid(row) == f"{combined:032x}" == "d71e506852528695194cb4fd7abf6876"


@pytest.mark.parametrize(
    ("rate", "text"),
    [(1e16, "1e+16"), (9999999999999998.0, "9999999999999998.0"), (5e-05, "5e-05"), (0.0001, "0.0001"), (0.0, "0.0")],
)
def test_rates_at_the_edges_of_exponents_are_hashed_as_python_writes_them(rate: float, text: str) -> None:
    row: dict[str, Any] = {**dict.fromkeys(ids.RATE_PART), "negotiated_rate": rate}
    frame = pl.DataFrame([row], schema_overrides={"negotiated_rate": pl.Float64})
    expected = "|".join(text if name == "negotiated_rate" else r"\N" for name in ids.RATE_PART)
    assert ids.part_hash(frame, ids.RATE_PART).tobytes() == hashlib.md5(expected.encode()).digest()


@given(st.lists(rates, min_size=1, max_size=20))
def test_a_rate_s_text_reads_back(values: list[float]) -> None:
    texts = ids._rate_text(pl.Series(values)).to_list()
    assert texts == [repr(value) for value in values]


def test_20_000_rates_hash_like_one_by_one() -> None:
    """Rates are hashed some thousands at a time: the rows on both sides of each seam get their own hash."""
    count, step = 20_000, 16_384
    items = pa.table({name: ["a", None] for name in ids.RATE_PART if name in ITEM_COLUMNS})
    prices = pa.table({name: ["b", "c", None] for name in ids.RATE_PART if name in PRICE_COLUMNS})
    item_of = np.arange(count, dtype=np.uint32) % 2
    price_of = np.arange(count, dtype=np.uint32) % 3
    amounts = np.arange(count, dtype=np.float64) / 8
    found = ids.rate_hash(items, item_of, prices, price_of, amounts)
    assert found.shape == (count, 2)
    assert len(np.unique(found, axis=0)) == count
    for row in (0, 1, step - 1, step, step + 1, count - 1):
        one_row = slice(row, row + 1)
        alone = ids.rate_hash(items, item_of[one_row], prices, price_of[one_row], amounts[one_row])
        assert (found[row] == alone).all()
