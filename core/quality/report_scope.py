"""What a report is about: the views that the checks ask, of all that is loaded or of one part of it."""

import duckdb

from core.quality.checks import MACROS


def create_scope_views(
    cursor: duckdb.DuckDBPyConnection,
    state: str | None = None,
    year_month: str | None = None,
    payer: str | None = None,
) -> None:
    """Gives a snapshot's cursor the checks' macros and views; what is None does not narrow them. `payer` is a slug."""
    for statement in MACROS:
        cursor.execute(statement)
    # A view's definition takes no parameters, so the values stand in a table of their own.
    cursor.execute(
        """CREATE OR REPLACE TEMP TABLE narrowed AS
           SELECT $state::VARCHAR AS state, $year_month::VARCHAR AS year_month, $payer::VARCHAR AS payer""",
        {"state": state, "year_month": year_month, "payer": payer},
    )
    conditions = {
        "state": ("t.state = (SELECT state FROM narrowed)", state),
        "year_month": ("t.year_month = (SELECT year_month FROM narrowed)", year_month),
        "name": (
            """t.reporting_entity_name IN (
                   SELECT reporting_entity_name_raw FROM dim_payer_bridge
                   WHERE payer_slug = (SELECT payer FROM narrowed))""",
            payer,
        ),
        "slug": ("t.payer_slug = (SELECT payer FROM narrowed)", payer),
        "group": ("t.pg_uid IN (SELECT pg_uid FROM facts)", state),
    }
    for view, table, names in (
        ("facts", "fact_rate", ("state", "year_month", "name")),
        ("batches", "dim_batch", ("state", "year_month", "slug")),
        # A group is of a month and a payer; of a state are those that its facts name.
        ("provider_groups", "dim_provider_group", ("year_month", "slug", "group")),
        ("npis", "xref_group_npi", ("year_month", "slug", "group")),
    ):
        where = " AND ".join(sql for sql, value in (conditions[name] for name in names) if value is not None)
        cursor.execute(f"CREATE OR REPLACE TEMP VIEW {view} AS SELECT t.* FROM {table} t WHERE {where or 'true'}")
