"""Rows of answers as Polars frames."""

import dataclasses
from collections.abc import Iterable
from typing import Any, get_type_hints

import polars as pl
import pyarrow as pa

from core.store.schema.field_types import arrow_type_of

ALL_ROWS = 2**62
"""A limit that no table reaches."""


def frame_of(kind: type[Any], rows: Iterable[Any]) -> pl.DataFrame:
    """Return rows, which are instances of a dataclass, as a frame with its fields as columns."""
    hints = get_type_hints(kind)
    schema = {field.name: polars_type(hints[field.name]) for field in dataclasses.fields(kind)}
    return pl.DataFrame([[_cell(getattr(row, name)) for name in schema] for row in rows], schema=schema, orient="row")


_COUNTS_BY_NAME = pl.List(pl.Struct({"name": pl.String, "count": pl.Int64}))


def polars_type(hint: Any) -> pl.DataType:
    """Return the type of a column whose field has a type, which may be optional."""
    if hint == dict[str, int]:
        return _COUNTS_BY_NAME
    found = pl.Series(values=pa.array([], arrow_type_of(hint))).dtype
    # The store's moments are UTC, and rows have them without a zone.
    return pl.Datetime("us") if isinstance(found, pl.Datetime) else found


def _cell(value: Any) -> Any:
    if isinstance(value, dict):
        return [{"name": name, "count": count} for name, count in value.items()]
    return value
