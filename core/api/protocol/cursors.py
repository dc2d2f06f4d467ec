"""Cursors: where a walk through a table goes on. Each holds for one question to one generation of the data.

Within a generation nothing changes and every order is total, so a walk meets each row exactly once, whatever is loaded
meanwhile: that makes a new generation, which refuses the cursors of the old one.
"""

import base64
import hashlib
from typing import Any, get_type_hints

import msgspec

from core.api.protocol.problems import Problem
from core.queries.rules.keyset import RowKey, sort_terms
from core.store.connection import Snapshot


class Cursor(msgspec.Struct, array_like=True, frozen=True):
    """The place after a row: its key, or how many rows are before it; and the table's total, to count it once."""

    generation: str
    question: str
    total: int
    after: int | list[Any]


def write(db: Snapshot, question: Any, total: int, after: int | RowKey) -> str:
    """A cursor for the question, which is anything that JSON can hold."""
    place = after if isinstance(after, int) else list(after)
    cursor = Cursor(_short(_generation(db)), _short(question), total, place)
    return base64.urlsafe_b64encode(msgspec.json.encode(cursor)).decode().rstrip("=")


def read(db: Snapshot, question: Any, text: str) -> Cursor:
    """A cursor of that question and generation. Raises a Problem that says what to do."""
    try:
        cursor = msgspec.json.decode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), type=Cursor)
    except (ValueError, msgspec.MsgspecError):
        raise Problem("cursor-not-usable", "This is no cursor: expected the `next` of an answer, unchanged.") from None
    if cursor.generation != _short(_generation(db)):
        now = f"The data is generation {db.manifest.generation} now, and the walk began on another"
        raise Problem("cursor-of-other-data", f"{now}: begin again without `cursor`.")
    if cursor.question != _short(question):
        raise Problem(
            "cursor-not-usable",
            "This cursor is of another question: expected the address, filters and `sort` of the answer before.",
        )
    return cursor


def key(cursor: Cursor, order: str, row: type) -> RowKey:
    """The cursor's key in an order of rows of that dataclass, its values checked."""
    hints = get_type_hints(row)
    types = tuple(hints[term.name] for term in sort_terms(order))
    try:
        return msgspec.convert(cursor.after, tuple[types])  # type: ignore[valid-type]
    except msgspec.ValidationError:
        raise Problem("cursor-not-usable") from None


def place(cursor: Cursor) -> int:
    """How many rows are before the cursor's place."""
    if not isinstance(cursor.after, int) or not 0 <= cursor.after < 2**31:
        raise Problem("cursor-not-usable")
    return cursor.after


def _generation(db: Snapshot) -> list[Any]:
    return [db.manifest.generation, db.manifest.created_at]


def _short(value: Any) -> str:
    return hashlib.md5(msgspec.json.encode(value), usedforsecurity=False).hexdigest()[:12]
