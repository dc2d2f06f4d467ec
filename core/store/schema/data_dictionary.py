"""Write the data dictionary as Markdown, from the declarations of the tables."""

from core.store.schema.tables import REJECTS, TABLES, Table

_INTRODUCTION = """\
# Data dictionary

Made from `core/store/schema/` by `manage.py data_dictionary > docs/data-dictionary.md`; a test keeps it in step.

Paths are relative to the data directory (`BEACONPOINT_DATA_DIR`, else `core/data`). Each always opens the newest
complete file of its table. The facts' path is that of the layout `single`; the others are in
[operating.md](operating.md#layouts). Every file is plain Parquet (zstd) that DuckDB, Polars, pyarrow, Spark and Trino
read alike.
How values are normalized is described in [normalization.md](normalization.md), how the ids are made in
[decisions/0002-fact-uid.md](decisions/0002-fact-uid.md).
"""


def write_markdown() -> str:
    """Return the whole dictionary."""
    return "\n".join([_INTRODUCTION, *(_table(table) for table in (*TABLES.values(), REJECTS))])


def _table(table: Table) -> str:
    key = ", ".join(f"`{name}`" for name in table.key) or "none"
    lines = [
        f"## {table.name}",
        "",
        f"`{table.path}`. {table.meaning}",
        "",
        f"Key: {key}." + ("" if table.order == table.key else f" Sorted by {', '.join(table.order)}."),
        "",
        "| column | type | meaning |",
        "|---|---|---|",
    ]
    for column in table.columns:
        meaning = column.meaning.replace("|", r"\|")
        if column.max_length is not None:
            each = "each of " if column.max_items else ""
            most = f"at most {column.max_items:,}, " if column.max_items else ""
            meaning += f" ({most}{each}at most {column.max_length:,} characters)"
        lines.append(f"| `{column.name}` | {column.sql_type} | {meaning} |")
    return "\n".join([*lines, ""])
