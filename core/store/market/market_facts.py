"""Read the facts of one code in one state and month: all columns of its rows, in a few milliseconds.

The facts are sorted by code, so these rows are in one or two row groups of each file. Polars finds them by the
statistics of the row groups and decodes only them: 5 ms for a few hundred rows and 12 ms for 83,000, where DuckDB takes
11 and 47 (docs/decisions/0062).
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from core.store.generations.layout import layout_named, parts
from core.store.generations.manifest import DataFile, Manifest
from core.store.market.market_months import MarketMonth, facts_in_months
from core.store.schema.tables import FACT_RATE

MAX_ROWS = 150_000
"""The rows of a code that are kept in memory, some 350 bytes each. Questions about a code with more read the files."""

MONTHS = "months"
"""The name of what chooses the months, and in each of them the payers, among the values that choose facts."""

_CHOSEN_BY = ("state", "code_type", "code")
"""The columns by which rows are chosen besides the months, in the order in which they rule out most."""


def read_market_facts(root: Path, manifest: Manifest, values: Mapping[str, Any]) -> pa.Table | None:
    """Return the facts of a code with all columns, in the order of the files; None if they are more than MAX_ROWS.

    `values` are those of the columns state and code, and of code_type if it is known, and the months under MONTHS.
    """
    chosen = {name: values[name] for name in _CHOSEN_BY if name in values}
    found = pl.concat(
        [
            _read_file(root / file.path, manifest, chosen, month)
            for month in values[MONTHS]
            for file in _files(manifest, {**chosen, "year_month": month.year_month})
        ]
        or [_none()]
    )
    if len(found) > MAX_ROWS:
        return None
    # Newer types of text would not be copied here, but DuckDB lets Arrow filter the rows, and Arrow cannot filter them.
    return found.to_arrow(compat_level=pl.CompatLevel.oldest())


def has_remote_facts(manifest: Manifest, values: Mapping[str, Any]) -> bool:
    """Return whether some of those facts are not on this machine."""
    chosen = {name: values[name] for name in _CHOSEN_BY if name in values}
    months = [{**chosen, "year_month": month.year_month} for month in values[MONTHS]]
    return any(file.remote for month in months for file in _files(manifest, month))


def code_condition(values: Mapping[str, Any]) -> str:
    """Return the condition on fact_rate AS f that selects the same facts. month_parameters has the months' values."""
    columns = [f"f.{name} = ${name}" for name in _CHOSEN_BY if name in values]
    return " AND ".join([*columns, facts_in_months(values[MONTHS])])


def _files(manifest: Manifest, values: Mapping[str, Any]) -> Sequence[DataFile]:
    """Return the files that may have such facts, by the shards they are in."""
    by = layout_named(manifest.layout).by
    return [
        file
        for file in manifest.tables.get(FACT_RATE.name, ())
        if file.rows and all(parts(file.shard)[name] == values[name] for name in by)
    ]


def _read_file(path: Path, manifest: Manifest, values: Mapping[str, Any], month: MarketMonth) -> pl.DataFrame:
    columns = [
        pl.col(column.name) if column.since <= manifest.format else pl.lit(None, pl.String).alias(column.name)
        for column in FACT_RATE.columns
    ]
    facts = pl.scan_parquet(path, hive_partitioning=False, glob=False)
    for name, value in {"year_month": month.year_month, **values}.items():
        facts = facts.filter(pl.col(name) == value)
    if month.names is not None:
        facts = facts.filter(pl.col("reporting_entity_name").is_in(month.names))
    # One more row than may be kept tells the caller that there are more.
    return facts.head(MAX_ROWS + 1).select(columns).collect()


def _none() -> pl.DataFrame:
    return pl.from_arrow(FACT_RATE.arrow.empty_table())  # type: ignore[return-value]
