"""The store that the settings name, for commands and pages."""

from collections.abc import Callable
from functools import cache

from django.conf import settings

from core.queries.rules.rate_kinds import MACROS
from core.store.connection import QueryLimits, Reader, Snapshot
from core.store.generations.layout import LAYOUTS
from core.store.generations.store import Store


def store(wait: float = -1, waiting: Callable[[], None] | None = None) -> Store:
    """The store, for writing: waits `wait` seconds for another writer (-1: as long as it takes), told by `waiting`."""
    return Store(
        settings.BEACONPOINT_DATA_DIR,
        settings.BEACONPOINT_FACT_LAYOUT or LAYOUTS[0],
        settings.BEACONPOINT_GRACE_SECONDS,
        wait,
        waiting,
    )


def snapshot() -> Snapshot | None:
    """The newest generation, to be asked questions; None where nothing has been loaded yet."""
    return _reader(store().root).snapshot()


@cache
def _reader(_root: object) -> Reader:
    return Reader(store(), limits(), MACROS)


def limits() -> QueryLimits:
    """What one question may use."""
    return QueryLimits(
        settings.BEACONPOINT_QUERY_MEMORY,
        settings.BEACONPOINT_QUERY_THREADS,
        str(settings.BEACONPOINT_TEMP_DIR),
        settings.BEACONPOINT_QUERY_TEMP_SIZE,
        settings.BEACONPOINT_QUERY_SECONDS,
    )
