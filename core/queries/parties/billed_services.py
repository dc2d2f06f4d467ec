"""What the members of a provider billed to Medicare, by code."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from core.store.connection import Snapshot
from core.store.schema.tables import PROVIDER_PROFILE, UTILIZATION
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


_LEADING_SHARE = 0.5
"""A specialty leads if at least this share of the number of the commonest specialty's providers have it."""


def list_leading_specialties(db: Snapshot, members: str, parameters: Mapping[str, Any]) -> list[str]:
    """Return the commonest specialties of some NPIs, and those that are about as common. `members` is SQL of them.

    They are those of persons, if there are some: a group has a hospital's NPI, and does not do all that hospitals do.
    """
    npis = (npi for (npi,) in db.rows(members, dict(parameters)))
    known = db.list_rows_of(PROVIDER_PROFILE.name, "npi", npis, ["specialty", "entity_type"])
    persons = [one for one in known if one["specialty"] and one["entity_type"] == "individual"]
    counts = Counter(one["specialty"] for one in persons or known if one["specialty"])
    least = _LEADING_SHARE * max(counts.values(), default=0)
    return sorted((one for one, n in counts.items() if n >= least), key=lambda one: (-counts[one], one))


def services_sql(db: Snapshot, members: str) -> str:
    """Return SQL of `code` and `services`: how often some NPIs billed it to Medicare in a year, each NPI once.

    `members` is SQL of the NPIs. There are no rows where Medicare's utilization is not loaded.
    """
    if not db.manifest.rows(UTILIZATION.name):
        return "SELECT NULL::VARCHAR AS code, NULL::DOUBLE AS services LIMIT 0"
    return f"SELECT code, sum(services) AS services FROM {UTILIZATION.name} WHERE npi IN ({members}) GROUP BY code"
