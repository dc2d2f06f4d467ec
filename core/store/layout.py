"""How the facts lie in files: which file a state and month belong to, and the stable path it is found by.

Only the `single` layout exists so far. Another is one more entry of `_LAYOUTS`: nothing else knows a layout's name.
"""

from collections.abc import Callable
from dataclasses import dataclass

from core.errors import BeaconError


@dataclass(frozen=True)
class Layout:
    """A layout: `shard` names the file of a state and month, `link` the shard's path below the data directory."""

    name: str
    shard: Callable[[str, str], str]
    link: Callable[[str], str]


_LAYOUTS = {
    layout.name: layout
    for layout in (Layout("single", lambda _state, _year_month: "", lambda _shard: "gold/fact_rate.parquet"),)
}

LAYOUTS = tuple(_LAYOUTS)
"""The names that BEACONPOINT_FACT_LAYOUT may have."""


def layout_named(name: str) -> Layout:
    """The layout of that name. Raises BeaconError where there is none."""
    if name not in _LAYOUTS:
        raise BeaconError(f"fact layout {name!r} is not known; expected one of: {', '.join(LAYOUTS)}")
    return _LAYOUTS[name]
