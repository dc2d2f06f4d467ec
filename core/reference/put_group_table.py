"""Make tables of what follows from the members of provider groups."""

from collections.abc import Callable

import duckdb

from core.store.changes.upsert import write_query
from core.store.generations.store import Transaction
from core.store.schema.tables import Table
from core.store.sql import no_rows


def put_group_table(
    connection: duckdb.DuckDBPyConnection,
    transaction: Transaction,
    table: Table,
    pairs: str,
    rows_of: Callable[[str], str],
) -> None:
    """Put a table in place of the one there is. `pairs` is SQL of rows of xref_group_npi.

    `rows_of` returns SQL of the table's rows for some of the pairs, which are all those of their groups.
    """
    connection.execute(f"CREATE OR REPLACE TEMP TABLE group_rows AS {no_rows(table)}")
    # One payer's month at a time: the pairs are sorted by these, and memory is that of the largest.
    periods = connection.execute(f"SELECT DISTINCT year_month, payer_slug FROM {pairs} ORDER BY ALL").fetchall()
    for month, payer in periods:
        of_period = f"(FROM {pairs} WHERE year_month = $month AND payer_slug = $payer)"
        connection.execute(f"INSERT INTO group_rows BY NAME {rows_of(of_period)}", {"month": month, "payer": payer})
    path = transaction.new_file(table.name)
    query = f"FROM group_rows ORDER BY {', '.join(table.order)}"
    transaction.put(table.name, path, write_query(connection, path, table, query, transaction.sizes))
    connection.execute("DROP TABLE group_rows")
