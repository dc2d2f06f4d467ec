"""What a load left out: the values as published, and the batch's file of rejects."""

from pathlib import Path
from typing import Any

import duckdb

from core.fields.texts.clean_text import FORBIDDEN
from core.store.changes.upsert import write_query
from core.store.generations.store import Transaction
from core.store.schema.tables import REJECTS
from core.store.sql import parquet_rows
from core.tic import lenient_json

MAX_VALUE_CHARACTERS = 200
"""A rejected value is cut to this length. Payers publish whole documents where a number belongs."""


LEFT_OUT = {
    "no_object": "elements_that_are_not_objects",
    "no_rates": "items_without_rates",
    "no_prices": "rates_without_prices",
    "no_group_id": "provider_groups_without_an_id",
}
"""What is left out and has no rows, by the reason that rejects state, with the note that counts it."""


def published_text(value: Any) -> str:
    """Return a rejected value as the file has it, cut to MAX_VALUE_CHARACTERS, with � for each control character."""
    text = value if isinstance(value, str) else bytes(lenient_json.encode_raw(_cut(value))).decode()
    return FORBIDDEN.sub("\ufffd", text[:MAX_VALUE_CHARACTERS])


def _cut(value: Any) -> Any:
    """Return a value with its long texts cut: they may have megabytes, and each price that is rejected writes one."""
    if isinstance(value, list):
        return [_cut(each) for each in value[:MAX_VALUE_CHARACTERS]]
    return value[:MAX_VALUE_CHARACTERS] if isinstance(value, str) else value


def put_rejects(
    connection: duckdb.DuckDBPyConnection, transaction: Transaction, batch_id: str, rejects_sql: str
) -> None:
    """Add rejects to a batch's file of them. `rejects_sql` is SQL with the columns of REJECTS.

    Rejects of an earlier load of the same file, for another state or with another filter, still hold and stay.
    """
    old = transaction.base.rejects.get(batch_id)
    before = f"UNION BY NAME FROM {parquet_rows([transaction.path(old)])}" if old else ""
    path: Path = transaction.new_file(f"rejects.{batch_id}")
    rows = write_query(connection, path, REJECTS, f"{rejects_sql} {before} ORDER BY {', '.join(REJECTS.names)}")
    transaction.put_rejects(batch_id, path, rows)
