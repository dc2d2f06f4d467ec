"""The type of a column by the type of the field of a row class: one list for downloads, the API, and Polars frames."""

from datetime import date, datetime
from types import NoneType
from typing import Any, get_args

import pyarrow as pa

from core.store.schema.columns import ARROW_TYPES, Type

_BY_FIELD: dict[Any, Type] = {
    str: "text", int: "integer", float: "number", bool: "flag", date: "date", datetime: "moment", list[str]: "texts",
}  # fmt: skip


def arrow_type_of(hint: Any) -> pa.DataType:
    """Return the Arrow type of a field with a type, which may be optional."""
    (plain,) = [hint] if hint in _BY_FIELD else [part for part in get_args(hint) if part is not NoneType]
    return ARROW_TYPES[_BY_FIELD[plain]]
