"""Rows of an answer by the names of their columns: a query may list its columns in any order."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from operator import itemgetter
from typing import Any, TypeVar

from core.store.connection import Snapshot
from core.store.watched_cursor import WatchedCursor

Row = TypeVar("Row")

STREAMED_ROWS = 1_000
"""How many rows of a streamed answer are in memory at once. While DuckDB hands them over, no other thread runs."""


def read_rows(db: Snapshot, row_class: type[Row], sql: str, parameters: Mapping[str, Any] | None = None) -> list[Row]:
    """Return a query's rows as instances of a dataclass, whose fields are the query's columns."""
    with db.cursor() as cursor:
        cursor.execute(sql, dict(parameters or {}))
        make, found = row_maker(row_class, column_names(cursor)), cursor.fetchall()
    # Outside the cursor: its time limit is for DuckDB's work.
    return [make(row) for row in found]


def read_row(db: Snapshot, row_class: type[Row], sql: str, parameters: Mapping[str, Any] | None = None) -> Row:
    """Return the row of a query that always has exactly one."""
    with db.cursor() as cursor:
        return fetch_row(cursor, row_class, sql, parameters or {})


def read_by_key(
    db: Snapshot, key: Sequence[str], row_class: type[Row], sql: str, parameters: Mapping[str, Any] | None = None
) -> dict[tuple[Any, ...], Row]:
    """Return a query's rows by the values of the columns `key`; the other columns are the dataclass's fields."""
    with db.cursor() as cursor:
        cursor.execute(sql, dict(parameters or {}))
        names = column_names(cursor)
        make, positions = row_maker(row_class, names, ignored=key), [names.index(name) for name in key]
        return {tuple(row[position] for position in positions): make(row) for row in cursor.fetchall()}


def read_page(
    db: Snapshot, row_class: type[Row], sql: str, parameters: Mapping[str, Any], *, total: str = "total"
) -> tuple[int, list[Row]]:
    """Return the rows of one page, and how many rows all pages have.

    The query has a further column, named by `total`, and takes the parameters `limit` and `offset`.
    """
    with db.cursor() as cursor:
        return fetch_page(cursor, row_class, sql, parameters, total=total)


def fetch_page(
    cursor: WatchedCursor,
    row_class: type[Row],
    sql: str,
    parameters: Mapping[str, Any],
    *,
    total: str = "total",
) -> tuple[int, list[Row]]:
    """Return the same as `read_page`, from a cursor that has tables of its own."""
    cursor.execute(sql, dict(parameters))
    names = column_names(cursor)
    position = names.index(total)
    make = row_maker(row_class, names, ignored=(total,))
    found = cursor.fetchall()
    if found:
        return int(found[0][position]), [make(row) for row in found]
    if not parameters["offset"]:
        return 0, []
    # A page beyond the last has no row that could carry the total: the first page does.
    cursor.execute(sql, {**parameters, "limit": 1, "offset": 0})
    first = cursor.fetchall()
    return (int(first[0][position]) if first else 0), []


def fetch_row(cursor: WatchedCursor, row_class: type[Row], sql: str, parameters: Mapping[str, Any]) -> Row:
    """Return the same as `read_row`, from a cursor that has tables of its own."""
    cursor.execute(sql, dict(parameters))
    (row,) = stream_rows(cursor, row_class)
    return row


def stream_rows(cursor: WatchedCursor, row_class: type[Row]) -> Iterator[Row]:
    """Yield the rows of the query that the cursor has executed, a few thousand in memory at a time."""
    make = row_maker(row_class, column_names(cursor))
    while rows := cursor.fetchmany(STREAMED_ROWS):
        yield from map(make, rows)


def row_maker(
    row_class: type[Row], columns: Sequence[str], ignored: Sequence[str] = ()
) -> Callable[[tuple[Any, ...]], Row]:
    """Return a function that makes an instance of the dataclass of a row with these columns.

    Raise TypeError unless the columns, apart from those ignored, are exactly the fields.
    """
    make: Callable[..., Row] = row_class
    names = [field.name for field in fields(row_class)]  # type: ignore[arg-type]
    found = [column for column in columns if column not in ignored]
    if sorted(found) != sorted(names):
        wrong = sorted(set(found) ^ set(names)) or found
        raise TypeError(f"{row_class.__name__}: the query's columns are not the fields; look at {', '.join(wrong)}")
    # Fields are matched to columns once per answer. A download has 100,000 rows, and a dictionary for each costs a
    # third of its time.
    if len(names) == 1:
        (position,) = (columns.index(name) for name in names)
        return lambda row: make(row[position])
    pick = itemgetter(*(columns.index(name) for name in names))
    return lambda row: make(*pick(row))


def column_names(cursor: WatchedCursor) -> list[str]:
    """Return the names of the columns of the query that the cursor has executed."""
    return [str(column[0]) for column in cursor.description or ()]
