"""The kinds of benchmark: each a module with a function `load` that reads the agency's files into the store."""

import inspect
from pathlib import Path
from types import ModuleType
from typing import Any

from core.reference.benchmark_release import LoadedBenchmark
from core.reference.medicare import asc, opps, physician
from core.reference.workers_comp import load_schedule
from core.runtime.errors import ReferenceFileError
from core.store.generations.store import Store

BENCHMARK_KINDS: dict[str, ModuleType] = {"medicare_prof": physician, "opps": opps, "asc": asc, "wcfs": load_schedule}
"""Name to module. A module has HELP, lines on its files for the command's help, and `load(store, paths, **options)`.

The keyword-only parameters of `load` are the kind's options.
"""


def load_benchmark(store: Store, kind: str, paths: list[Path], **options: Any) -> LoadedBenchmark:
    """Loads files of one of KINDS; options that are None were not given.

    Raises ReferenceFileError and StoreError; the store is then as it was.
    """
    given = {name: value for name, value in options.items() if value is not None}
    known = inspect.signature(BENCHMARK_KINDS[kind].load).parameters
    for name in given:
        if name not in known:
            raise ReferenceFileError(f"--{name.replace('_', '-')} is no option of {kind}")
    loaded: LoadedBenchmark = BENCHMARK_KINDS[kind].load(store, paths, **given)
    return loaded
