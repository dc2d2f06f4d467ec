"""The layouts of the facts: which files a state and month belong to, and the stable paths they are found by.

A shard is a set of files named by what it contains, as Hive names folders: `state=GA/year_month=2025-08`. The one shard
of `single` contains everything, and its name is the empty text. Only this module knows the names of the layouts.
"""

from dataclasses import dataclass
from typing import NamedTuple

from core.runtime.errors import BeaconError


class StateMonth(NamedTuple):
    """A state and a month. Facts are sorted by these first."""

    state: str
    year_month: str


@dataclass(frozen=True)
class Layout:
    """A layout of the facts, see docs/decisions/0010-layouts.md."""

    name: str
    by: tuple[str, ...]
    """The columns that the shards are split by: some of state and year_month, in this order."""
    meaning: str
    """What it is good for, in a few words."""
    path: str
    """The stable path of a shard, below the data directory. If it `grows`, of the folder that contains all shards."""
    grows: bool = False
    """Whether an addition to a shard is one more file, rather than a new file in place of the old one."""
    next: str | None = None
    """The layout to move to when this one is outgrown."""

    def shard(self, period: StateMonth) -> str:
        """Return the shard of a state and month."""
        values = period._asdict()
        return "/".join(f"{name}={values[name]}" for name in self.by)

    def link(self, shard: str) -> str:
        """Return the stable path of a shard."""
        if self.grows:
            return f"{self.path}/{shard}"
        return self.path.format(**parts(shard))


def parts(shard: str) -> dict[str, str]:
    """Return the columns in a shard's name, with their values."""
    return dict(part.split("=") for part in shard.split("/") if part)


_LAYOUTS = {
    layout.name: layout
    for layout in (
        Layout("single", (), "simplest; up to 8 GB or 100 million rates", "gold/fact_rate.parquet", next="monthly"),
        Layout(
            "monthly",
            ("year_month",),
            "adding rewrites its month alone",
            "gold/fact_rate_{year_month}.parquet",
            next="partitioned",
        ),
        Layout(
            "state_month",
            ("state", "year_month"),
            "adding rewrites its state's month alone",
            "gold/fact_rate_{state}_{year_month}.parquet",
            next="partitioned",
        ),
        Layout(
            "partitioned",
            ("state", "year_month"),
            "adding writes new files only (see compact)",
            "gold/fact_rate",
            grows=True,
        ),
    )
}

LAYOUTS = tuple(_LAYOUTS)
"""The names that BEACONPOINT_FACT_LAYOUT may have."""


def layout_named(name: str) -> Layout:
    """Return the layout of that name. Raises BeaconError if there is none."""
    if name not in _LAYOUTS:
        raise BeaconError(f"fact layout {name!r} is not known; expected one of: {', '.join(LAYOUTS)}")
    return _LAYOUTS[name]
