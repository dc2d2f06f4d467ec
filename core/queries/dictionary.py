"""What each table and column means, from the store's declarations, with what the present generation has of it."""

from dataclasses import dataclass

from core.store.connection import Snapshot
from core.store.generations.layout import layout_named
from core.store.generations.manifest import DataFile
from core.store.schema.tables import FACT_RATE, REJECTS, TABLES
from core.store.schema.tables import Column as Declared
from core.store.schema.tables import Table as DeclaredTable


@dataclass(frozen=True)
class TableEntry:
    """A table: where it is found below the data directory, its key and order, and what is there of it now."""

    name: str
    path: str
    meaning: str
    key: tuple[str, ...]
    order: tuple[str, ...]
    columns: tuple[Declared, ...]
    rows: int
    files: int
    bytes: int


@dataclass(frozen=True)
class ColumnEntry:
    """A column, for the dictionary as one table. `place` is its place in the key, or None if it is not in the key."""

    in_table: str
    column: str
    type: str
    place: int | None
    meaning: str


def list_tables(db: Snapshot) -> list[TableEntry]:
    """Every table, in the order of docs/data-dictionary.md."""
    manifest = db.manifest
    there: dict[str, tuple[DataFile, ...]] = {**manifest.tables, REJECTS.name: tuple(manifest.rejects.values())}
    return [_table(table, there.get(table.name, ()), db) for table in (*TABLES.values(), REJECTS)]


def list_columns(db: Snapshot) -> list[ColumnEntry]:
    """Every column of every table."""
    return [
        ColumnEntry(
            table.name,
            column.name,
            column.sql_type,
            table.key.index(column.name) + 1 if column.name in table.key else None,
            column.meaning,
        )
        for table in list_tables(db)
        for column in table.columns
    ]


def _table(table: DeclaredTable, files: tuple[DataFile, ...], db: Snapshot) -> TableEntry:
    path = table.path
    if table is FACT_RATE:
        layout = layout_named(db.manifest.layout)
        path = f"{layout.path}/" if layout.grows else layout.path
    return TableEntry(
        table.name,
        path,
        table.meaning,
        table.key,
        table.order,
        table.columns,
        sum(file.rows for file in files),
        len(files),
        sum(file.bytes for file in files),
    )
