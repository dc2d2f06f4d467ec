"""The kinds of benchmark. To add one, write a module with `load` and `HELP` and name it in BENCHMARK_KINDS."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from core.reference.benchmark_release import LoadedBenchmark
from core.reference.medicare.facilities import asc, ipps, opps
from core.reference.medicare.items import asp, clfs, dmepos
from core.reference.medicare.professional import ambulance, anesthesia, physician
from core.reference.spreadsheets import counting_altered_cells
from core.reference.workers_comp import load_schedule
from core.runtime.errors import ReferenceFileError
from core.store.generations.store import Store


class BenchmarkKind(Protocol):
    """A module that loads one kind of benchmark."""

    HELP: str
    """What the kind is and which files it takes, with an example: part of the command's help."""

    @property
    def load(self) -> Callable[..., LoadedBenchmark]:
        """`load(store, paths, **options)`. Its keyword-only parameters are the kind's options on the command line."""


BENCHMARK_KINDS: dict[str, BenchmarkKind] = {
    "medicare_prof": physician,
    "opps": opps,
    "asc": asc,
    "anesthesia": anesthesia,
    "ipps": ipps,
    "ambulance": ambulance,
    "wcfs": load_schedule,
    "clfs": clfs,
    "asp": asp,
    "dmepos": dmepos,
}
"""Each kind's module by the name it has on the command line and in the store."""


def load_benchmark(store: Store, kind: str, paths: list[Path], **options: Any) -> LoadedBenchmark:
    """Load the files of one of BENCHMARK_KINDS. An option that is None counts as not given.

    Raise ReferenceFileError or StoreError if that fails; the store is then unchanged.
    """
    given = {name: value for name, value in options.items() if value is not None}
    known = inspect.signature(BENCHMARK_KINDS[kind].load).parameters
    for name in given:
        if name not in known:
            raise ReferenceFileError(f"--{name.replace('_', '-')} is not an option of {kind}")
    with counting_altered_cells():
        return BENCHMARK_KINDS[kind].load(store, paths, **given)
