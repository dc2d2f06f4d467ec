"""What the members of a provider billed to Medicare, by code."""

from core.store.connection import Snapshot
from core.store.schema.tables import UTILIZATION
from core.store.views import NAMED_TIN

MEMBERS = {
    "npi": "SELECT $npi AS npi",
    "tin": "SELECT DISTINCT npi FROM npi_by_tin WHERE tin_value = $tin",
    **{
        level: f"""SELECT DISTINCT npi FROM npi_by_tin
            SEMI JOIN (FROM {NAMED_TIN} WHERE {level}_id = ${level}) USING (tin_type, tin_value)"""
        for level in ("organization", "system")
    },
}
"""SQL of the NPIs of a provider, by what names it, which is also the parameter."""


def services_sql(db: Snapshot, members: str) -> str:
    """Return SQL of `code` and `services`: how often some NPIs billed it to Medicare in a year, each NPI once.

    `members` is SQL of the NPIs. There are no rows where Medicare's utilization is not loaded.
    """
    if not db.manifest.rows(UTILIZATION.name):
        return "SELECT NULL::VARCHAR AS code, NULL::DOUBLE AS services LIMIT 0"
    return f"SELECT code, sum(services) AS services FROM {UTILIZATION.name} WHERE npi IN ({members}) GROUP BY code"
