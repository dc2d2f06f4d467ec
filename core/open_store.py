"""Open the store that the settings name, for commands and pages."""

from collections.abc import Callable
from functools import cache

from django.conf import settings

from core.queries.rules.rate_kinds import MACROS
from core.store.connection import QueryLimits, Reader, Snapshot
from core.store.generations.layout import LAYOUTS
from core.store.generations.store import Store


def store(wait: float = -1, waiting: Callable[[], None] | None = None) -> Store:
    """Return the store, for reading and writing.

    A write waits up to `wait` seconds for another writer (-1: as long as it takes); `waiting` is called once if so.
    """
    return Store(
        settings.BEACONPOINT_DATA_DIR,
        settings.BEACONPOINT_FACT_LAYOUT or LAYOUTS[0],
        grace=settings.BEACONPOINT_GRACE_SECONDS,
        wait=wait,
        waiting=waiting,
    )


def snapshot() -> Snapshot | None:
    """Return the newest generation, to be queried; None if nothing has been loaded yet. Raises StoreError."""
    return _reader(store().root).snapshot()


@cache
def _reader(_root: object) -> Reader:
    return Reader(store(), limits(), MACROS)


def limits() -> QueryLimits:
    """Return what one query may use."""
    return QueryLimits(
        memory=settings.BEACONPOINT_QUERY_MEMORY,
        threads=settings.BEACONPOINT_QUERY_THREADS,
        temp_directory=str(settings.BEACONPOINT_TEMP_DIR),
        temp_size=settings.BEACONPOINT_QUERY_TEMP_SIZE,
        seconds=settings.BEACONPOINT_QUERY_SECONDS,
    )
