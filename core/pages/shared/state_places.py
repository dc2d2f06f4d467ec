"""Places of a state, and those of others: payers' files are national."""

import re
from collections.abc import Sequence
from typing import Protocol, TypeVar


class _Labeled(Protocol):
    @property
    def label(self) -> str: ...


L = TypeVar("L", bound=_Labeled)

_STATES_OF_LABEL = re.compile(r", ([A-Z]{2}(?:-[A-Z]{2})*)(?: \(division\))?$")
"""Dallas, TX; Fulton County, GA; Kansas City, MO-KS."""


def divide_by_state(rows: Sequence[L], state: str) -> tuple[Sequence[L], Sequence[L]]:
    """Return the places of a state and those of others, each in the order given.

    A place whose label names no state, such as a ZIP code, stays. If none is of the state, all of them do.
    """
    own: list[L] = []
    others: list[L] = []
    for row in rows:
        named = _STATES_OF_LABEL.search(row.label)
        (own if not named or state in named[1].split("-") else others).append(row)
    return (own, others) if own else (rows, [])
