"""Whether Medicare pays a hospital or a surgical center an amount of its own for a code."""

from core.store.connection import Snapshot


def pays_facilities(db: Snapshot, state: str, code: str) -> bool:
    """Return whether OPPS or ASC has an amount for a code in a state: a facility sends its own bill for it then."""
    rows = db.rows(
        """SELECT 1 WHERE EXISTS (
               SELECT 1 FROM bench_opps WHERE state = $state AND code = $code AND opps_mar_stateavg > 0)
           OR EXISTS (SELECT 1 FROM bench_asc WHERE state = $state AND code = $code AND asc_mar_stateavg > 0)""",
        {"state": state, "code": code},
    )
    return bool(list(rows))
