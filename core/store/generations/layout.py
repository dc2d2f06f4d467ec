"""How the facts lie in files: which files a state and month belong to, and the stable paths they are found by.

A shard is a set of files named by what it holds, as Hive names folders: `state=GA/year_month=2025-08`. The one shard of
`single` holds everything and is named by the empty text. Nothing but this module knows a layout's name.
"""

from dataclasses import dataclass

from core.runtime.errors import BeaconError


@dataclass(frozen=True)
class Layout:
    """A layout of the facts, see docs/decisions/0010-layouts.md."""

    name: str
    by: tuple[str, ...]
    """The columns that tell one shard from another, out of state and year_month, in this order."""
    path: str
    """The stable path of a shard below the data directory; where it `grows`, of the folder with all shards' folders."""
    grows: bool = False
    """Whether adding to a shard makes one more file of it, instead of one new file in place of the old one."""
    next: str | None = None
    """The layout to go to when this one is outgrown."""

    def shard(self, state: str, year_month: str) -> str:
        """The shard of a state's month."""
        values = {"state": state, "year_month": year_month}
        return "/".join(f"{name}={values[name]}" for name in self.by)

    def link(self, shard: str) -> str:
        """The stable path of a shard."""
        if self.grows:
            return f"{self.path}/{shard}"
        return self.path.format(**parts(shard))


def parts(shard: str) -> dict[str, str]:
    """The columns that a shard's name tells, with their values."""
    return dict(part.split("=") for part in shard.split("/") if part)


_LAYOUTS = {
    layout.name: layout
    for layout in (
        Layout("single", (), "gold/fact_rate.parquet", next="monthly"),
        Layout("monthly", ("year_month",), "gold/fact_rate_{year_month}.parquet", next="partitioned"),
        Layout(
            "state_month", ("state", "year_month"), "gold/fact_rate_{state}_{year_month}.parquet", next="partitioned"
        ),
        Layout("partitioned", ("state", "year_month"), "gold/fact_rate", grows=True),
    )
}

LAYOUTS = tuple(_LAYOUTS)
"""The names that BEACONPOINT_FACT_LAYOUT may have."""


def layout_named(name: str) -> Layout:
    """The layout of that name. Raises BeaconError where there is none."""
    if name not in _LAYOUTS:
        raise BeaconError(f"fact layout {name!r} is not known; expected one of: {', '.join(LAYOUTS)}")
    return _LAYOUTS[name]
