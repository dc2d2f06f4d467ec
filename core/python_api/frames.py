"""Rows of answers as Polars frames."""

import dataclasses
from collections.abc import Iterable
from datetime import date, datetime
from types import NoneType
from typing import Any, get_args, get_type_hints

import polars as pl


def frame_of(kind: type[Any], rows: Iterable[Any]) -> pl.DataFrame:
    """Return rows, which are instances of a dataclass, as a frame with its fields as columns."""
    hints = get_type_hints(kind)
    schema = {field.name: polars_type(hints[field.name]) for field in dataclasses.fields(kind)}
    return pl.DataFrame([[_cell(getattr(row, name)) for name in schema] for row in rows], schema=schema, orient="row")


_COUNTS_BY_NAME = pl.List(pl.Struct({"name": pl.String, "count": pl.Int64}))
_POLARS_TYPES: dict[Any, pl.DataType] = {
    str: pl.String(), int: pl.Int64(), float: pl.Float64(), bool: pl.Boolean(), date: pl.Date(),
    datetime: pl.Datetime("us"), list[str]: pl.List(pl.String), dict[str, int]: _COUNTS_BY_NAME,
}  # fmt: skip


def polars_type(hint: Any) -> pl.DataType:
    """Return the type of a column whose field has a type, which may be optional."""
    if hint in _POLARS_TYPES:
        return _POLARS_TYPES[hint]
    (plain,) = (part for part in get_args(hint) if part is not NoneType)
    return _POLARS_TYPES[plain]


def _cell(value: Any) -> Any:
    if isinstance(value, dict):
        return [{"name": name, "count": count} for name, count in value.items()]
    return value
