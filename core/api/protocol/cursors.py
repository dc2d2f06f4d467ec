"""Cursors: where the next page of a table begins. A cursor belongs to one query and one generation of the data.

Within a generation nothing changes, and every order is total, so following the cursors returns each row exactly once.
Loading data makes a new generation, which refuses the cursors of the old one.
"""

import base64
import hashlib
from typing import Any, get_type_hints

import msgspec

from core.api.protocol.problems import Problem
from core.queries.rules.keyset import Order, RowKey
from core.store.connection import Snapshot

MAX_OFFSET = 2**31


class Cursor(msgspec.Struct, array_like=True, frozen=True):
    """The end of a page: the key of its last row, or the number of rows up to it.

    `total` is the number of rows of the table, counted for the first page only.
    """

    generation: str
    query: str
    total: int
    after: int | list[Any]


def write_cursor(db: Snapshot, query: Any, total: int, after: int | RowKey) -> str:
    """Return the cursor after a row of a query. The query is anything that JSON can represent."""
    position = after if isinstance(after, int) else list(after)
    cursor = Cursor(_digest(_generation(db)), _digest(query), total, position)
    return base64.urlsafe_b64encode(msgspec.json.encode(cursor)).decode().rstrip("=")


def read_cursor(db: Snapshot, query: Any, text: str) -> Cursor:
    """Return the cursor that a client sent. Raise a Problem if it is not one of this query and generation."""
    try:
        cursor = msgspec.json.decode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), type=Cursor)
    except (ValueError, msgspec.MsgspecError):
        raise Problem("cursor-not-usable", "This is not a cursor. Send `next` of an answer, unchanged.") from None
    if cursor.generation != _digest(_generation(db)):
        now = f"New data was loaded (generation {db.manifest.generation}) after the first page"
        raise Problem("cursor-of-other-data", f"{now}. Start again without `cursor`.")
    if cursor.query != _digest(query):
        raise Problem(
            "cursor-not-usable",
            "This cursor does not belong to this query. Keep the address, the filters and `sort`, or start again "
            "without `cursor`.",
        )
    return cursor


def key_of(cursor: Cursor, order: Order, row_type: type) -> RowKey:
    """Return the key of the last row in an order. Raise a Problem if it does not have the types of such rows."""
    hints = get_type_hints(row_type)
    types = tuple(hints[term.name] for term in order)
    try:
        return msgspec.convert(cursor.after, tuple[types])  # type: ignore[valid-type]
    except msgspec.ValidationError:
        raise Problem("cursor-not-usable") from None


def offset_of(cursor: Cursor) -> int:
    """Return the number of rows up to the cursor. Raise a Problem if it is not such a number."""
    if not isinstance(cursor.after, int) or not 0 <= cursor.after < MAX_OFFSET:
        raise Problem("cursor-not-usable")
    return cursor.after


def _generation(db: Snapshot) -> list[Any]:
    # A store that was made again starts over at generation 1; the moment tells the two apart.
    return [db.manifest.generation, db.manifest.created_at]


def _digest(value: Any) -> str:
    return hashlib.md5(msgspec.json.encode(value), usedforsecurity=False).hexdigest()[:12]
