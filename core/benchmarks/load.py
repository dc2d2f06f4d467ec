"""Benchmark files into the store's benchmark tables."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from core.benchmarks.medicare_prof import MODIFIERS, Locality, RelativeValue, RelativeValues, cents_table, read_files
from core.store.connection import connect_for_writing, parquet_list
from core.store.schema import BENCH_MEDICARE_PROF
from core.store.store import Store
from core.store.upsert import write_query


@dataclass(frozen=True)
class Loaded:
    """What was loaded: the file's release, the months its amounts are now in force, and counts."""

    release: str
    months: tuple[str, ...]
    rows_read: int
    priced: int
    not_payable: int
    states: int
    localities: int
    conversion_factor: float


def load_medicare_prof(store: Store, paths: list[Path]) -> Loaded:
    """Loads a relative value file and the GPCI file of its year.

    The amounts are in force from the release's month until the month before the next release that is loaded, or the
    end of its year, whichever order the releases are loaded in. Loading a release again replaces it. Raises
    BenchmarkError and StoreError; the store is then as it was.
    """
    values, places = read_files(paths)
    amounts = state_amounts(values, places)
    with store.write() as transaction:
        connection = connect_for_writing(transaction.work)
        try:
            old = transaction.paths(BENCH_MEDICARE_PROF.name)
            before = parquet_list(old) if old else f"(SELECT * FROM {_EMPTY})"
            released = connection.execute(f"SELECT DISTINCT year_month, release FROM {before}").fetchall()
            months = _months_in_force(values.release, {month: str(release) for month, release in released})
            connection.register("amounts", amounts)
            connection.register("months", pl.DataFrame({"year_month": months}, schema={"year_month": pl.String}))
            path = transaction.new_file(BENCH_MEDICARE_PROF.name)
            columns = ", ".join(BENCH_MEDICARE_PROF.names)
            rows = write_query(
                connection,
                path,
                BENCH_MEDICARE_PROF,
                f"""SELECT {columns} FROM {before} WHERE year_month NOT IN (SELECT year_month FROM months)
                    UNION ALL
                    SELECT {columns} FROM amounts, months
                    ORDER BY {", ".join(BENCH_MEDICARE_PROF.order)}""",
            )
        finally:
            connection.close()
        transaction.put(BENCH_MEDICARE_PROF.name, path, rows)
        transaction.commit()
    return Loaded(
        values.release,
        tuple(months),
        values.rows_read,
        len(values.rows),
        values.not_payable,
        amounts["state"].n_unique(),
        len(places),
        values.conversion_factor / 10_000,
    )


def state_amounts(values: RelativeValues, places: list[Locality]) -> pl.DataFrame:
    """The columns of bench_medicare_prof but year_month: one row per state and code that has any amount."""
    states = sorted({place.state for place in places})
    codes = sorted({(row.code_type, row.code) for row in values.rows})
    count = np.array([sum(place.state == state for place in places) for state in states])
    columns: dict[str, npt.NDArray[np.float64]] = {}
    for modifier, names in _COLUMNS.items():
        of_code = {(row.code_type, row.code): row for row in values.rows if row.modifier == modifier}
        rows = [of_code.get(code, _NOTHING) for code in codes]
        for name, facility in zip(names, (False, True), strict=True):
            table = cents_table(rows, places, values.conversion_factor, facility=facility)
            by_state = [table[:, [place.state == state for place in places]] for state in states]
            columns[name] = np.stack([amounts.sum(axis=1) for amounts in by_state]) / (100 * count[:, None])
            if name == "medicare_prof_rate":
                columns[f"{name}_min"] = np.stack([amounts.min(axis=1) for amounts in by_state]) / 100
                columns[f"{name}_max"] = np.stack([amounts.max(axis=1) for amounts in by_state]) / 100
    statuses = {row.code: row.status for row in values.rows if not row.modifier}
    keys = pl.DataFrame(
        [(code_type, code, statuses.get(code)) for code_type, code in codes],
        schema={"code_type": pl.String, "code": pl.String, "status": pl.String},
        orient="row",
    )
    frame = (
        pl.DataFrame({"state": states, "localities": count})
        .join(keys, how="cross")
        .with_columns([pl.Series(name, amounts.ravel()).replace(0.0, None) for name, amounts in columns.items()])
    )
    return frame.filter(pl.any_horizontal(pl.col(list(columns)).is_not_null())).with_columns(
        pl.lit(values.release).alias("release"), pl.lit(values.conversion_factor / 10_000).alias("conversion_factor")
    )


_COLUMNS = {
    "": ("medicare_prof_rate", "facility_rate"),
    **{m: (f"nonfacility_rate_{m.lower()}", f"facility_rate_{m.lower()}") for m in MODIFIERS if m},
}
_NOTHING = RelativeValue("", "", "", 0, None, None, 0)
_EMPTY = "(SELECT " + ", ".join(f"NULL::{c.sql_type} AS {c.name}" for c in BENCH_MEDICARE_PROF.columns) + " LIMIT 0)"


def _months_in_force(release: str, released: dict[str, str]) -> list[str]:
    """The months from the release's to December of its year in which no later release is in force."""
    year, first = release.split("-")
    months = [f"{year}-{month:02}" for month in range(int(first), 13)]
    return [month for month in months if released.get(month, "") <= release]
