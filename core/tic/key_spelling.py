"""Recognize the keys of the standard however payers spell them: `negotiated_price`, `BillingCode`, `plan_sponser_name`.

A key spelled as in the standard always counts before another spelling of it.
"""

from collections.abc import Mapping
from difflib import get_close_matches
from functools import lru_cache
from typing import Any, TypeVar

_LONGEST_KEY = 64
_SHORTEST_TYPO = 8
"""Shorter keys are not corrected letter by letter: too many words are close to `name` or `type`."""

_SIMILARITY = 0.88
"""How alike two keys must be (difflib's ratio). `plan_sponser_name` reaches 0.94; `provider_groups` and
`provider_group_id`, which are two keys, 0.86."""

V = TypeVar("V")


@lru_cache(maxsize=4096)
def standard_key(key: str, names: tuple[str, ...]) -> str | None:
    """Return which of the standard's `names` a key is, or None. Case, separators, plurals, and typos are forgiven."""
    if key in names:
        return key
    squashed = _squash(key)
    if not squashed or len(key) > _LONGEST_KEY:
        return None
    known = {_squash(name): name for name in reversed(names)}
    for spelling in (squashed, squashed.removesuffix("s"), f"{squashed}s"):
        if spelling in known:
            return known[spelling]
    if len(squashed) < _SHORTEST_TYPO:
        return None
    close = get_close_matches(squashed, list(known), n=1, cutoff=_SIMILARITY)
    return known[close[0]] if close else None


def respell(element: Mapping[str, V], names: tuple[str, ...]) -> tuple[dict[str, V], int]:
    """Return an object with the standard's keys in the standard's spelling, and how many were spelled otherwise."""
    found = dict(element)
    respelled = 0
    for key, value in element.items():
        name = None if key in names else standard_key(key, names)
        if name and found.get(name) is None:
            found[name] = value
            respelled += 1
    return found, respelled


def is_misspelt(element: Mapping[str, Any], names: tuple[str, ...]) -> bool:
    """Return whether one of the standard's keys is in an object, but only in another spelling."""
    return any(
        key not in names and (name := standard_key(key, names)) is not None and name not in element for key in element
    )


def _squash(key: str) -> str:
    return "".join(filter(str.isalnum, key.lower()))
