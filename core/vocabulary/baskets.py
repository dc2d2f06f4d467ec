"""Named baskets: the usual services of a specialty, to compare payers by one figure. See baskets.toml."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_FILE = Path(__file__).with_name("baskets.toml")


@dataclass(frozen=True)
class NamedBasket:
    """The codes that a specialty bills most, and the specialties whose services to Medicare weigh them."""

    key: str
    title: str
    specialties: tuple[str, ...]
    codes: tuple[str, ...]
    also_called: tuple[str, ...] = ()
    """Other specialties that a search for the services may name: those that bill the same codes."""

    @property
    def called(self) -> tuple[str, ...]:
        """All specialties by which a search finds it."""
        return (*self.specialties, *self.also_called)


@cache
def named_baskets() -> dict[str, NamedBasket]:
    """Return the named baskets by key, in the order of their file."""
    return {
        key: NamedBasket(
            key,
            one["title"],
            tuple(one["specialties"]),
            tuple(one["codes"].split()),
            tuple(one.get("also_called", ())),
        )
        for key, one in tomllib.loads(_FILE.read_text(encoding="utf-8")).items()
    }
