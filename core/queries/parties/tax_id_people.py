"""Who is behind a tax ID: how many bill under it, where they practice, and an organization among them as an example.

Payers publish most tax IDs without a name. Their NPIs have names and addresses in the register.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any

from core.queries.rules.columns import NpiCount, described
from core.store.connection import Snapshot
from core.store.market_snapshot import MarketSnapshot
from core.store.schema.lookups import TIN_PEOPLE
from core.store.watched_cursor import WatchedCursor

TIN_IN_STATE = "tin_in_state"
"""The table in memory of the tax IDs under which somebody of a state bills, see `cursor_of_state`."""


@dataclass(frozen=True)
class TaxIdPeople:
    """Who bills under a tax ID, in any loaded month."""

    npis: NpiCount
    main_city: Annotated[
        str | None,
        described("City where most of its NPIs practice; null if no address is known.", "ATLANTA, GA"),
    ]
    example: Annotated[
        str | None,
        described(
            "The organization with most NPIs among those that bill under it: an example of who it is, not its name.",
            "Example Family Practice",
        ),
    ]


NOBODY = TaxIdPeople(0, None, None)
"""What is known of a tax ID without NPIs."""

TaxIdKey = tuple[str, str]
"""Type and value of a tax ID."""


def find_people(db: Snapshot, tax_ids: set[TaxIdKey]) -> dict[TaxIdKey, TaxIdPeople]:
    """Return who bills under each of some tax IDs. They are found by key: no table of members is read for it."""
    columns = ["tin_type", "npis", "main_city", "example"]
    found = db.list_rows_of(TIN_PEOPLE.name, "tin_value", {value for _, value in tax_ids}, columns)
    people = {
        (row["tin_type"], row["tin_value"]): TaxIdPeople(row["npis"], row["main_city"], row["example"]) for row in found
    }
    return {key: people.get(key, NOBODY) for key in tax_ids}


def find_elsewhere(db: Snapshot, tax_ids: set[TaxIdKey], state: str) -> dict[TaxIdKey, str]:
    """Return the main city of those of some tax IDs under which nobody bills who practices in a state.

    A tax ID of which no address is known is not among them.
    """
    columns = ["tin_type", "states", "main_city"]
    found = db.list_rows_of(TIN_PEOPLE.name, "tin_value", {value for _, value in tax_ids}, columns)
    cities = {
        (row["tin_type"], row["tin_value"]): row["main_city"]
        for row in found
        if row["states"] and state not in row["states"]
    }
    return {key: cities[key] for key in tax_ids & cities.keys()}


@contextmanager
def cursor_of_state(db: Snapshot, state: str) -> Iterator[WatchedCursor]:
    """Yield a cursor with TIN_IN_STATE, the tax IDs under which somebody bills who practices in a state.

    Its column `in_state` is false for those whose NPIs all practice elsewhere. A tax ID of which no address is known
    has no row. The table is made once for a state, and kept with the generation.
    """
    table: Any = db.ask_once(_InState(state))
    if isinstance(db, MarketSnapshot):
        db.shown.add(TIN_IN_STATE, table)
        with db.cursor() as cursor:
            yield cursor
        return
    with db.cursor() as cursor:
        cursor.plain.register(TIN_IN_STATE, table)
        yield cursor


@dataclass(frozen=True)
class _InState:
    """The question of a state's tax IDs: equal for equal states, so that it is asked once."""

    state: str

    def __call__(self, db: Snapshot) -> Any:
        return db.arrow_rows(
            f"""SELECT tin_type, tin_value, list_contains(states, $state) AS in_state FROM {TIN_PEOPLE.name}
                WHERE len(states) > 0""",
            {"state": self.state},
        )
