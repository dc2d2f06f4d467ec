"""Open the store that the settings name, for commands and pages."""

import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

from django.conf import settings

from core.queries.rules.rate_kinds import MACROS
from core.runtime.own_folder import own_folder
from core.runtime.request_notes import note_generation
from core.store.connection import QueryLimits, Snapshot
from core.store.generations.integrity.background_check import BackgroundCheck
from core.store.generations.layout import LAYOUTS
from core.store.generations.store import Store
from core.store.kept_reader import KeptReader
from core.store.reader import Reader

_FILE_CHECKS: dict[Path, BackgroundCheck] = {}


def store(wait: float = -1, waiting: Callable[[], None] | None = None, command: str = "") -> Store:
    """Return the store, for reading and writing.

    A write waits up to `wait` seconds for another writer (-1: as long as it takes); `waiting` is called once if so.
    """
    return Store(
        settings.BEACONPOINT_DATA_DIR,
        settings.BEACONPOINT_FACT_LAYOUT or LAYOUTS[0],
        grace=settings.BEACONPOINT_GRACE_SECONDS,
        wait=wait,
        waiting=waiting,
        keep_generations=settings.BEACONPOINT_KEEP_GENERATIONS,
        keep_days=settings.BEACONPOINT_KEEP_DAYS,
        command=command,
    )


def snapshot() -> Snapshot | None:
    """Return the newest generation, to be queried by a command; None if nothing is loaded yet. Raises StoreError."""
    return _reader(store().root, "command").snapshot()


def snapshot_for_site(*, heavy: bool = False, generation: int | None = None) -> Snapshot | None:
    """Return the newest generation, to be queried for a visitor; None if nothing is loaded yet. Raises StoreError.

    With `generation` return that one if it is still kept; otherwise raise GenerationNotKept.

    Heavy questions have a connection of their own with one thread, so that they take neither memory nor processors
    from the others.
    """
    found = _reader(store().root, "heavy" if heavy else "quick").snapshot()
    if found is not None and generation not in {None, found.manifest.generation}:
        found = _kept_reader(store().root).snapshot(generation or 0)
        note_generation(found.manifest.generation)
    elif found is not None:
        check = _FILE_CHECKS.get(found.root)
        if check:
            check.expect_sound(found.manifest)
        note_generation(found.manifest.generation)
    return found


def check_files_in_background() -> None:
    """Compare the files that the site answers from with their checksums from now on, and answer from no damaged one."""
    root = store().root
    _FILE_CHECKS[root] = BackgroundCheck(root)


def close() -> None:
    """Forget the snapshot that was opened, which closes the store's files."""
    _reader.cache_clear()
    _kept_reader.cache_clear()


@cache
def _reader(_root: object, use: str) -> Reader:
    beside = _reader(_root, "quick") if use == "heavy" else None
    return Reader(store(), _LIMITS[use](), MACROS, beside)


@cache
def _kept_reader(_root: object) -> KeptReader:
    return KeptReader(store(), _kept_limits(), MACROS)


def limits() -> QueryLimits:
    """Return what one query of a command may use."""
    return QueryLimits(
        memory=settings.BEACONPOINT_QUERY_MEMORY,
        threads=settings.BEACONPOINT_QUERY_THREADS,
        temp_directory=_temp_directory("command"),
        temp_size=settings.BEACONPOINT_QUERY_TEMP_SIZE,
        seconds=settings.BEACONPOINT_QUERY_SECONDS,
        whole_rates=settings.BEACONPOINT_WHOLE_RATES,
    )


def _site_limits() -> QueryLimits:
    return replace(limits(), log_after=settings.BEACONPOINT_SLOW_SECONDS, memory_setting="BEACONPOINT_SITE_MEMORY")


def _quick_limits() -> QueryLimits:
    return replace(_site_limits(), memory=_share_of_memory(0.4), temp_directory=_temp_directory("quick"))


def _heavy_limits() -> QueryLimits:
    # Several at a time may need it: a heavy question, and downloads, which are sorted before they are sent.
    return replace(
        _site_limits(),
        memory=_share_of_memory(0.6),
        threads=1,
        temp_directory=_temp_directory("heavy"),
        idle_connections=1,  # for small files; of what takes seconds, planning is little
    )


def _kept_limits() -> QueryLimits:
    # Few ask for an older generation, and they take little from those who ask for the newest.
    return replace(_site_limits(), memory=_share_of_memory(0.2), threads=1, temp_directory=_temp_directory("kept"))


_LIMITS = {"command": limits, "quick": _quick_limits, "heavy": _heavy_limits}


def _temp_directory(name: str) -> str:
    # Two connections of one process would use the same names of files, as would two processes.
    return str(own_folder(settings.BEACONPOINT_TEMP_DIR) / name)


def _share_of_memory(share: float) -> str:
    """Return a share of the site's memory as DuckDB writes sizes."""
    number, unit = re.fullmatch(r"(\d+)(\w+)", settings.BEACONPOINT_SITE_MEMORY).groups()  # type: ignore[union-attr]
    return f"{int(number) * share:g}{unit}"
