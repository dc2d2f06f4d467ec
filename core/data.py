"""The store that the settings name, for commands and pages."""

from functools import cache

from django.conf import settings

from core.queries.kinds import MACROS
from core.store.connection import Limits, Reader, Snapshot
from core.store.store import Store


def store() -> Store:
    """The store, for writing."""
    return Store(settings.BEACONPOINT_DATA_DIR, settings.BEACONPOINT_FACT_LAYOUT, settings.BEACONPOINT_GRACE_SECONDS)


def snapshot() -> Snapshot | None:
    """The newest generation, to be asked questions; None where nothing has been loaded yet."""
    return _reader(store().root).snapshot()


@cache
def _reader(_root: object) -> Reader:
    return Reader(store(), limits(), MACROS)


def limits() -> Limits:
    """What one question may use."""
    return Limits(
        settings.BEACONPOINT_QUERY_MEMORY,
        settings.BEACONPOINT_QUERY_THREADS,
        str(settings.BEACONPOINT_TEMP_DIR),
        settings.BEACONPOINT_QUERY_TEMP_SIZE,
        settings.BEACONPOINT_QUERY_SECONDS,
    )
