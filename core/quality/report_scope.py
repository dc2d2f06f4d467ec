"""The views that the checks read: all that is loaded, or one part of it."""

from core.quality.checks import MACROS
from core.store.views import RATE_WITH_PAYEE
from core.store.watched_cursor import WatchedCursor


def create_scope_views(
    cursor: WatchedCursor,
    state: str | None = None,
    year_month: str | None = None,
    payer: str | None = None,
) -> None:
    """Create the checks' macros and views on a snapshot's cursor, of one state, month and payer (a slug) or of all."""
    for statement in MACROS:
        cursor.execute(statement)
    # A view's definition takes no parameters, so the values are in a table.
    cursor.execute(
        """CREATE OR REPLACE TEMP TABLE report_scope AS
           SELECT $state::VARCHAR AS state, $year_month::VARCHAR AS year_month, $payer::VARCHAR AS payer""",
        {"state": state, "year_month": year_month, "payer": payer},
    )
    conditions = {
        "state": ("t.state = (SELECT state FROM report_scope)", state),
        "year_month": ("t.year_month = (SELECT year_month FROM report_scope)", year_month),
        "name": (
            """t.reporting_entity_name IN (
                   SELECT reporting_entity_name_raw FROM dim_payer_bridge
                   WHERE payer_slug = (SELECT payer FROM report_scope))""",
            payer,
        ),
        "slug": ("t.payer_slug = (SELECT payer FROM report_scope)", payer),
        "group": ("t.pg_uid IN (SELECT pg_uid FROM facts)", state),
    }
    for view, table, names in (
        ("facts", RATE_WITH_PAYEE, ("state", "year_month", "name")),
        ("batches", "dim_batch", ("state", "year_month", "slug")),
        # A group belongs to a month and a payer, and to a state only through the state's facts.
        ("provider_groups", "dim_provider_group", ("year_month", "slug", "group")),
        ("npis", "xref_group_npi", ("year_month", "slug", "group")),
        ("tins", "xref_group_tin", ("year_month", "slug", "group")),
    ):
        where = " AND ".join(sql for sql, value in (conditions[name] for name in names) if value is not None)
        cursor.execute(f"CREATE OR REPLACE TEMP VIEW {view} AS SELECT t.* FROM {table} t WHERE {where or 'true'}")
