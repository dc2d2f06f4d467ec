"""The views by which SQL sees a generation: one for each table and lookup, and one of the facts by provider group."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from core.store.generations.layout import layout_named
from core.store.generations.manifest import BY_GROUP, Manifest
from core.store.lookup_sql import lookup_rows
from core.store.market.market_months import in_months
from core.store.remote_facts import locate
from core.store.schema.fit_tables import SCHEDULE_FIT, SURGICAL_CENTER_GROUP
from core.store.schema.ids import pos_set_id
from core.store.schema.lookups import LOOKUPS
from core.store.schema.tables import (
    DIM_GROUP_AREA,
    DIM_TIN,
    FACT_RATE,
    ORGANIZATION,
    RATE_BY_GROUP,
    TABLES,
    Column,
    Table,
)
from core.store.sql import null_columns, parquet_rows

COUNTED_RATE_COLUMNS = tuple(column.name for column in FACT_RATE.columns if column.compared)
"""The fact's columns by which rates are counted, grouped and compared. The others identify the provider."""


def with_group_areas(facts: str, month: str) -> str:
    """Return SQL of facts (`facts` is SQL of them) with `group_area`: the area of their provider group, null for none.

    `month` is what months_sql returns for the months of the facts. A group has one area, so that no rate is multiplied.
    """
    in_month = f"WHERE {in_months('year_month', month)}" if month else ""
    return f"""SELECT f.*, a.area AS group_area FROM ({facts}) f
               LEFT JOIN (SELECT pg_uid, area FROM {DIM_GROUP_AREA.name} {in_month}) a ON a.pg_uid = f.pg_uid"""


_SMALL_ROWS, _SMALL_BYTES = 10_000, 200_000
"""What a table may have that is kept in memory: a megabyte or two there."""

COUNTED_RATE = "counted_rate"
"""The table in memory of a market's rates. See Snapshot.market_snapshot."""

MARKET_FACT = "market_fact"
"""The table in memory of the facts of one code."""

RATE_WITH_PAYEE = "rate_with_payee"
"""The view of the facts with the column `payee`, see payee_sql."""

NAMED_TIN = "named_tin"
"""The view of the tax IDs, each in one row: its best name as `business_name`, the same as `shown_name` with a remark if
it is inferred, and the columns of its roll-up."""

_PLAN_FILES = """
    CREATE VIEW plan_file AS
    SELECT p.*, plan_key FROM xref_batch_plan p JOIN (
        SELECT *, payer_slug(concat_ws('_', nullif(plan_id_type, ''), nullif(plan_id, ''),
                                            nullif(plan_market_type, ''), nullif(plan_name, ''))) AS plan_key
        FROM (SELECT DISTINCT plan_name, plan_id_type, plan_id, plan_market_type FROM xref_batch_plan))
        USING (plan_name, plan_id_type, plan_id, plan_market_type)"""
"""The view of the plans of each file with a key of the plan. A table of contents lists a plan for hundreds of files, so
keys are made once for each plan."""

_ROLL_UP = tuple(name for name in ORGANIZATION.names if name not in DIM_TIN.names and not name.startswith("name"))

SURGICAL_CENTER_PAYEE = "(surgical center)"
"""The payee of a surgical center's rates. No payer has such a name."""


def payee_sql(manifest: Manifest) -> str:
    """Return SQL of who is paid a fact (AS f), where that and not its label decides what it is compared with.

    It is SURGICAL_CENTER_PAYEE, the name of a payer with a label that is overruled, or empty text, as of almost all
    facts. A store in which nothing is overruled pays nothing for it.
    """
    cases = []
    if manifest.rows(SURGICAL_CENTER_GROUP.name):
        cases.append(
            f"""WHEN (f.billing_class IN ('institutional', 'both')
                        OR f.billing_class = 'professional' AND f.pos_set_id = '{pos_set_id(["24"])}')
                    AND f.pg_uid IN (SELECT pg_uid FROM {SURGICAL_CENTER_GROUP.name}) THEN '{SURGICAL_CENTER_PAYEE}'"""
        )
    if manifest.rows(SCHEDULE_FIT.name):
        cases.append(
            f"""WHEN f.reporting_entity_name IN (
                    SELECT reporting_entity_name FROM {SCHEDULE_FIT.name} WHERE chosen AND NOT of_label)
                THEN f.reporting_entity_name"""
        )
    return f"CASE {' '.join(cases)} ELSE '' END" if cases else "''"


def counted_rates_sql(
    manifest: Manifest, facts: str, where: str, *, areas: bool, month: str, areas_in_memory: str | None = None
) -> str:
    """Return SQL of the rows of COUNTED_RATE, see Snapshot.market_snapshot and with_group_areas.

    `areas_in_memory` is a table of the areas of the facts' groups alone, if there is one.
    """
    rates = f"SELECT f.*, {payee_sql(manifest)} AS payee FROM {facts} f WHERE {where}"
    if areas and areas_in_memory:
        rates = f"SELECT f.*, a.area AS group_area FROM ({rates}) f LEFT JOIN {areas_in_memory} a USING (pg_uid)"
    elif areas:
        rates = with_group_areas(rates, month)
    columns = ", ".join((*COUNTED_RATE_COLUMNS, "payee"))
    area = "group_area" if areas else "NULL::VARCHAR AS group_area"
    return f"SELECT {columns}, {area}, count(*) AS rate_count FROM ({rates}) GROUP BY ALL"


def view_statements(root: Path, manifest: Manifest) -> Iterator[str]:
    """Yield the statements that create the views of a generation in the store at `root`."""
    for table in TABLES.values():
        yield _view(table, root, manifest)
    yield _by_group(root, manifest)
    yield _named_tins(manifest)
    for lookup in LOOKUPS:
        if lookup.query:
            yield f"CREATE VIEW {lookup.name} AS {lookup_rows(lookup, root, manifest)}"
    yield _PLAN_FILES
    yield f"CREATE VIEW {RATE_WITH_PAYEE} AS SELECT f.*, {payee_sql(manifest)} AS payee FROM {FACT_RATE.name} f"


def _view(table: Table, root: Path, manifest: Manifest) -> str:
    paths = [locate(root, file) for file in manifest.tables.get(table.name, ())]
    # Most tables of a store may be empty. Their files need not be opened, which is half of what a generation's costs.
    if not manifest.rows(table.name):
        return f"CREATE VIEW {table.name} AS SELECT {null_columns(table.columns)} WHERE false"
    options = _hive_options(root, manifest) if table is FACT_RATE else ""
    columns = _select_columns(table.columns, manifest.format)
    kind = "TABLE" if _is_small(table, manifest) else "VIEW"
    return f"CREATE {kind} {table.name} AS SELECT {columns} FROM {parquet_rows(paths, options)}"


def _is_small(table: Table, manifest: Manifest) -> bool:
    """Return whether a table is so small that reading it once is cheaper than opening its file for each question.

    The plan of a question that reads a file is not kept either, see market_connection.py.
    """
    size = sum(file.bytes for file in manifest.tables.get(table.name, ()))
    return table is not FACT_RATE and manifest.rows(table.name) <= _SMALL_ROWS and size <= _SMALL_BYTES


def _named_tins(manifest: Manifest) -> str:
    """Create NAMED_TIN. A store without the roll-up has the names that payers publish, and those only."""
    rolled_up = manifest.rows(ORGANIZATION.name) == manifest.rows(DIM_TIN.name)
    if rolled_up:
        names, rows = "name AS business_name, name_source, name_confidence", ORGANIZATION.name
    else:
        names = """coalesce(name, business_name) AS business_name,
                   if(coalesce(name, business_name) IS NULL, NULL, coalesce(name_source, 'payer file')) AS name_source,
                   if(coalesce(name, business_name) IS NULL, NULL, coalesce(name_confidence, 'high'))
                       AS name_confidence"""
        rows = f"{DIM_TIN.name} LEFT JOIN {ORGANIZATION.name} USING (tin_type, tin_value)"
    return f"""CREATE VIEW {NAMED_TIN} AS
               SELECT *, if(name_confidence = 'high', business_name, business_name || ' (inferred)') AS shown_name
               FROM (SELECT tin_type, tin_value, {names}, {", ".join(_ROLL_UP)} FROM {rows})"""


def _by_group(root: Path, manifest: Manifest) -> str:
    """Create a view of every fact once: from the file's copy if it has one, otherwise from the file."""
    files = manifest.tables.get(FACT_RATE.name, ())
    copies = manifest.copies(files)
    # Copies first: DuckDB takes the columns and types of the first file for all of them.
    paths = [locate(root, file) for file in (*copies.values(), *(file for file in files if file not in copies))]
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
