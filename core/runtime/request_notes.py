"""What is known of the request that is being answered: its id, and what its log line will say.

The notes belong to a context (`contextvars`), so they follow the request into another thread only if that thread runs
in a copy of the context. Outside of a request there are none, and every function here does nothing.
"""

import threading
from contextvars import ContextVar
from dataclasses import dataclass, field


@dataclass
class RequestNotes:
    """The notes of one request."""

    request_id: str
    generation: int | None = None
    """The generation of the store that answered it."""
    rows: int = 0
    """How many rows the questions of the request returned."""
    kept: bool = False
    """Whether the answer had been made before."""
    private: bool = False
    """Whether it contains what must not be logged: the values of its questions are left out."""
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def add_rows(self, rows: int) -> None:
        """Add the rows of one question. A request may ask two at a time."""
        with self._lock:
            self.rows += rows


_CURRENT: ContextVar[RequestNotes | None] = ContextVar("request_notes", default=None)


def start_notes(request_id: str) -> RequestNotes:
    """Begin the notes of a request."""
    notes = RequestNotes(request_id)
    _CURRENT.set(notes)
    return notes


def end_notes() -> None:
    """End the notes: what this thread does next belongs to no request."""
    _CURRENT.set(None)


def current_notes() -> RequestNotes | None:
    """Return the notes of the request that is being answered."""
    return _CURRENT.get()


def current_request_id() -> str:
    """Return the id of the request that is being answered; empty text outside of a request."""
    notes = _CURRENT.get()
    return notes.request_id if notes else ""


def note_rows(rows: int) -> None:
    """Note how many rows a question returned."""
    if notes := _CURRENT.get():
        notes.add_rows(rows)


def note_generation(generation: int) -> None:
    """Note which generation of the store answers."""
    if notes := _CURRENT.get():
        notes.generation = generation


def note_private() -> None:
    """Note that the request contains what must not be logged."""
    if notes := _CURRENT.get():
        notes.private = True


def note_kept() -> None:
    """Note that the answer had been made before."""
    if notes := _CURRENT.get():
        notes.kept = True
