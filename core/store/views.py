"""The views by which SQL sees a generation: one for each table, and one of the facts by provider group."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from core.store.generations.layout import layout_named
from core.store.generations.manifest import BY_GROUP, Manifest
from core.store.schema.tables import DIM_GROUP_AREA, FACT_RATE, RATE_BY_GROUP, TABLES, Column, Table
from core.store.sql import null_columns, parquet_rows

COUNTED_RATE_COLUMNS = tuple(column.name for column in FACT_RATE.columns if column.compared)
"""The fact's columns by which rates are counted, grouped and compared. The others identify the provider."""


def with_group_areas(facts: str, *, by_month: bool) -> str:
    """Return SQL of facts (`facts` is SQL of them) with `area`, that of their provider group; null where it has none.

    `by_month` says that the parameter `year_month` chooses the facts. A group has one area, so that no rate is
    multiplied.
    """
    in_month = "WHERE year_month = $year_month" if by_month else ""
    return f"""SELECT f.*, a.area FROM ({facts}) f
               LEFT JOIN (SELECT pg_uid, area FROM {DIM_GROUP_AREA.name} {in_month}) a ON a.pg_uid = f.pg_uid"""


def view_statements(root: Path, manifest: Manifest) -> Iterator[str]:
    """Yield the statements that create the views of a generation in the store at `root`."""
    for table in TABLES.values():
        yield _view(table, root, manifest)
    yield _by_group(root, manifest)


def _view(table: Table, root: Path, manifest: Manifest) -> str:
    paths = manifest.paths(root, table.name)
    if not paths:
        return f"CREATE VIEW {table.name} AS SELECT {null_columns(table.columns)} WHERE false"
    options = _hive_options(root, manifest) if table is FACT_RATE else ""
    columns = _select_columns(table.columns, manifest.format)
    return f"CREATE VIEW {table.name} AS SELECT {columns} FROM {parquet_rows(paths, options)}"


def _by_group(root: Path, manifest: Manifest) -> str:
    """Create a view of every fact once: from the file's copy if it has one, otherwise from the file."""
    files = manifest.tables.get(FACT_RATE.name, ())
    copies = manifest.copies(files)
    # Copies first: DuckDB takes the columns and types of the first file for all of them.
    paths = [str(root / file.path) for file in (*copies.values(), *(file for file in files if file not in copies))]
    if not paths:
        return f"CREATE VIEW {BY_GROUP} AS SELECT {', '.join(RATE_BY_GROUP.names)} FROM {FACT_RATE.name}"
    columns = _select_columns(RATE_BY_GROUP.columns, manifest.format)
    return f"CREATE VIEW {BY_GROUP} AS SELECT {columns} FROM {parquet_rows(paths, _hive_options(root, manifest))}"


def _hive_options(root: Path, manifest: Manifest) -> str:
    """Return how to read the facts' files so that a query for one state and month opens only theirs.

    Their paths name both, as in `state=GA/year_month=2025-08`.
    """
    by = layout_named(manifest.layout).by
    # DuckDB would take a data directory such as /data/version=2 for a partition as well.
    if not by or "=" in str(root):
        return ""
    types = "{" + ", ".join(f"{name}: VARCHAR" for name in by) + "}"
    return f"hive_partitioning = true, hive_types = {types}"


def _select_columns(columns: Iterable[Column], store_format: int) -> str:
    """Select columns from files of a store's format. Columns that came with a newer format are null."""
    return ", ".join(column.name if column.since <= store_format else null_columns([column]) for column in columns)
