"""Going on after a row: the next page begins after the values of the last row, not after so many rows."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

RowKey = Sequence[Any]
"""A row's values of an order's terms."""

_TERM = re.compile(r"((?:\w+\.)?(\w+))( DESC)?( NULLS LAST)?")


@dataclass(frozen=True)
class SortTerm:
    """One term of an order: its SQL, the row's attribute that has its value, and its direction."""

    sql: str
    name: str
    descending: bool


def sort_terms(order: str) -> list[SortTerm]:
    """The terms of an ORDER BY of ours: `column [DESC] [NULLS LAST]`, joined by commas."""
    found = [_TERM.fullmatch(text.strip()) for text in order.split(",")]
    return [SortTerm(match[1], match[2], match[3] is not None) for match in found if match]


def row_key(order: str, row: object) -> RowKey:
    """The key of a row, an instance of a table's dataclass."""
    return tuple(getattr(row, term.name) for term in sort_terms(order))


def rows_after(order: str, last: RowKey | None) -> tuple[str, dict[str, Any]]:
    """A condition that only rows after that key fulfil, and its parameters; `true` where there is no key.

    Nulls are last in either direction, as DuckDB sorts.
    """
    if last is None:
        return "true", {}
    values = {f"after_{place}": value for place, value in enumerate(last)}
    condition = "false"
    for term, (name, value) in reversed(list(zip(sort_terms(order), values.items(), strict=True))):
        if value is None:
            condition = f"({term.sql} IS NULL AND {condition})"
        else:
            sign = "<" if term.descending else ">"
            beyond = f"{term.sql} {sign} ${name} OR {term.sql} IS NULL"
            condition = f"({beyond} OR ({term.sql} = ${name} AND {condition}))"
    return condition, {name: value for name, value in values.items() if value is not None}
