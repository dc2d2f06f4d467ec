"""Write SQL that reads the store's files, where no parameter can be bound."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from core.store.generations.store import Store, Transaction
from core.store.schema.tables import Column, Table


def quote(text: str) -> str:
    """Return a text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def used_parameters(sql: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of the parameters that the SQL names: DuckDB accepts no others."""
    named = set(re.findall(r"\$(\w+)", sql))
    return {name: value for name, value in parameters.items() if name in named}


def parquet_rows(paths: Sequence[str], options: str = "") -> str:
    """Return SQL of the rows of the given files or globs. `options` are more arguments of `read_parquet`."""
    files = ", ".join(map(quote, paths))
    return f"read_parquet([{files}]{options and ', ' + options})"


def stored_rows(tables: Transaction | Store, table: Table) -> str:
    """Return SQL of a table's rows before the transaction: no rows, but its columns, if the store does not have it."""
    paths = tables.paths(table.name)
    return parquet_rows(paths) if paths else no_rows(table)


def current_rows(transaction: Transaction, table: Table) -> str | None:
    """Return SQL of a table's rows with the changes of the transaction so far, or None if it has none."""
    files = transaction.files(table.name)
    return parquet_rows([transaction.path(file) for file in files]) if sum(file.rows for file in files) else None


def no_rows(table: Table) -> str:
    """Return SQL of a table's columns without any row."""
    return f"(SELECT {null_columns(table.columns)} LIMIT 0)"


def null_columns(columns: Iterable[Column]) -> str:
    """Return SQL that selects null for each column, with the column's type and name."""
    return ", ".join(f"NULL::{column.sql_type} AS {column.name}" for column in columns)
