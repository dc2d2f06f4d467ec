"""The names of what filters have keys of."""

from core.queries.parties.roll_ups import name_of_key
from core.queries.payers.plans import find_plan
from core.store.connection import Snapshot


def name_of_value(db: Snapshot, name: str, value: str) -> str | None:
    """Return the name of a filter's organization, health system, or plan; None for other filters."""
    if name == "organization":
        return name_of_key(db, "organization", value)
    if name == "system":
        return name_of_key(db, "system", value)
    plan = find_plan(db, value) if name == "plan" else None
    return (plan.plan_name or plan.plan_id) if plan else None
