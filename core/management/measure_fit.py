"""Measure, after rates or schedules were loaded, how well the rates fit the schedules."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pyarrow.parquet as pq

from core.runtime.errors import BeaconError
from core.store.generations.store import Store
from core.store.schema.benchmark_tables import BENCHMARK_TABLES
from core.store.schema.fit_tables import FIT_TABLES
from core.store.schema.tables import DIM_NPI

if TYPE_CHECKING:
    from core.quality.schedule_fit import FitScope


def may_find_fits(store: Store) -> bool:
    """Return whether there is anything that rates could be measured by.

    Without schedules and without providers' specialties there is not, and importing the comparison to find that out
    would take longer than loading a small file.
    """
    manifest = store.manifest()
    if manifest is None:
        return False
    if any(manifest.rows(table.name) for table in (*BENCHMARK_TABLES, *FIT_TABLES)):
        return True
    paths = manifest.paths(store.root, DIM_NPI.name)
    specialties = (pq.read_table(path, columns=["taxonomy_code"]).column(0) for path in paths)
    return any(column.null_count < len(column) for column in specialties)


def measure_fit(store: Store, scope: "FitScope", warn: Callable[[str], object]) -> None:
    """Measure the rates of the scope, and keep the result. What was loaded stays loaded if that fails."""
    from core import open_store  # noqa: PLC0415 - takes half a second, too long for a command's help
    from core.quality.fit_record import update_fits  # noqa: PLC0415

    try:
        db = open_store.snapshot()
        if db is not None:
            update_fits(store, db, scope)
    except BeaconError as error:
        warn(f"how well the rates fit the fee schedules was not measured ({error.for_operator}); dq_check does it too")
    finally:
        # DuckDB's threads end here. At the end of the process, they may be in the way of its exit.
        open_store.close()
