"""Orders of a table, and pages that begin after the values of a row: its key, rather than a number of rows to skip."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

RowKey = Sequence[Any]
"""A row's values in the terms of an order."""


@dataclass(frozen=True)
class SortTerm:
    """One term of an order: a column, and its direction. Nulls are last in either direction."""

    column: str
    descending: bool = False

    @property
    def name(self) -> str:
        """The attribute of a row that has the column's value: f.code is `code`."""
        return self.column.rpartition(".")[2]

    @property
    def sql(self) -> str:
        """The term as ORDER BY has it."""
        return f"{self.column}{' DESC' if self.descending else ''} NULLS LAST"


Order = tuple[SortTerm, ...]
"""An order of rows. It is total: its last terms identify a row."""


def ascending(*columns: str) -> Order:
    """Return the order by these columns, lowest first."""
    return tuple(SortTerm(column) for column in columns)


def descending(*columns: str) -> Order:
    """Return the order by these columns, highest first."""
    return tuple(SortTerm(column, descending=True) for column in columns)


def order_by(order: Order) -> str:
    """Return the terms of an order as ORDER BY has them."""
    return ", ".join(term.sql for term in order)


def row_key(order: Order, row: object) -> RowKey:
    """Return the key of a row, an instance of a table's dataclass."""
    return tuple(getattr(row, term.name) for term in order)


def rows_after(order: Order, last: RowKey | None) -> tuple[str, dict[str, Any]]:
    """Return a condition that only rows after a key meet, and its parameters; `true` for no key."""
    if last is None:
        return "true", {}
    values = {f"after_{position}": value for position, value in enumerate(last)}
    # Built from the last term to the first: a row is after the key if its first term is beyond the key's, or if the
    # first terms are equal and the rest is after. SQL compares nothing with null, so null has cases of its own.
    condition = "false"
    for term, (name, value) in reversed(list(zip(order, values.items(), strict=True))):
        if value is None:
            condition = f"({term.column} IS NULL AND {condition})"
        else:
            sign = "<" if term.descending else ">"
            beyond = f"{term.column} {sign} ${name} OR {term.column} IS NULL"
            condition = f"({beyond} OR ({term.column} = ${name} AND {condition}))"
    return condition, {name: value for name, value in values.items() if value is not None}
