"""Which schedules a question needs to ask: each costs a page some milliseconds, and few codes are on more than one."""

from core.queries.rules.schedules import OWN_SCHEDULES, SCHEDULES, Schedule
from core.store.connection import Snapshot


def schedules_to_ask(db: Snapshot, code: str | None = None) -> tuple[Schedule, ...]:
    """Return the schedules that rates of the code, or of any code, may be compared with, in the order of SCHEDULES.

    A schedule that follows others and does not list the code has no amount for it, and its reason (code not found)
    tells less than theirs: without it, the answer is the same.
    """
    listed = db.ask_once(_codes_by_schedule)
    return tuple(
        one
        for one in SCHEDULES
        if one.kind in OWN_SCHEDULES or (bool(listed[one.kind]) if code is None else code in listed[one.kind])
    )


def _codes_by_schedule(db: Snapshot) -> dict[str, frozenset[str]]:
    """Return the codes of each schedule that is not a rate's own: a few thousand, whichever releases list them."""
    tables = {one.kind: f"bench_{one.kind}" for one in SCHEDULES if one.kind not in OWN_SCHEDULES}
    return {
        kind: frozenset(code for (code,) in db.rows(f"SELECT DISTINCT code FROM {table}"))
        if db.manifest.rows(table)
        else frozenset()
        for kind, table in tables.items()
    }
