"""Measure, after rates or schedules were loaded, how well the rates fit the schedules."""

from collections.abc import Callable

from core.quality.fit_record import update_fits
from core.quality.schedule_fit import FitScope
from core.runtime.errors import BeaconError
from core.store.generations.store import Store


def measure_fit(store: Store, scope: FitScope, warn: Callable[[str], object]) -> None:
    """Measure the rates of the scope, and keep the result. What was loaded stays loaded if that fails."""
    from core import open_store  # noqa: PLC0415 - takes half a second, too long for a command's help

    try:
        db = open_store.snapshot()
        if db is not None:
            update_fits(store, db, scope)
    except BeaconError as error:
        warn(f"how well the rates fit the fee schedules was not measured ({error.for_operator}); dq_check does it too")
    finally:
        # DuckDB's threads end here. At the end of the process, they may be in the way of its exit.
        open_store.close()
