"""The functions that workers run for a load. Workers are forked from a process that has imported this module."""

from dataclasses import dataclass
from pathlib import Path

from core.load.facts.build_facts import build_facts
from core.load.facts.merge_price_runs import merge_into_one
from core.load.facts.route_runs import route_run
from core.load.flatten.file_pieces import FilePiece, Flattened
from core.load.flatten.file_traits import NO_TRAITS, FileTraits
from core.load.flatten.flatten_elements import Flattener
from core.load.load_sizes import DEFAULT_SIZES, LoadSizes
from core.load.providers.cross_references import write_range
from core.load.providers.wanted_groups import WantedGroups
from core.load.rate_filters import RateFilter
from core.runtime.worker_process import WorkerState
from core.runtime.workers import give_back_memory

__all__ = [
    "ReadTask", "build_facts", "finish_flattening", "flatten_piece", "leave_out_unwanted", "merge_into_one",
    "route_run", "write_definitions", "write_range",
]  # fmt: skip


@dataclass(frozen=True)
class ReadTask:
    """The file that is being read: its name, where its rows go, and which are wanted."""

    name: str
    directory: Path
    filters: tuple[RateFilter, ...]
    sizes: LoadSizes = DEFAULT_SIZES
    traits: FileTraits = NO_TRAITS


def flatten_piece(state: WorkerState, task: ReadTask, piece: FilePiece) -> int:
    """Flatten a piece of the file and return the number of its elements."""
    if "flattener" not in state:
        state["flattener"] = _flattener(state, task)
    flattener: Flattener = state["flattener"]
    return flattener.flatten(piece)


def write_definitions(state: WorkerState, task: ReadTask) -> None:
    """Write the definitions of provider groups that the worker still has in memory."""
    if "flattener" not in state:
        state["flattener"] = _flattener(state, task)
    state["flattener"].write_spools()


def finish_flattening(state: WorkerState, task: ReadTask) -> Flattened:
    """Write what the worker still has in memory, and return what it has made."""
    flattener: Flattener = state.pop("flattener", None) or _flattener(state, task)
    done = flattener.finish()
    del flattener
    give_back_memory()
    return done


def _flattener(state: WorkerState, task: ReadTask) -> Flattener:
    return Flattener(
        task.name,
        task.directory,
        writer=state["worker"],
        filters=task.filters,
        sizes=task.sizes,
        traits=task.traits,
    )


def leave_out_unwanted(state: WorkerState, task: ReadTask) -> None:
    """From now on, leave out rates of groups that no filter wants. Their definitions were written before."""
    flattener: Flattener = state["flattener"]
    flattener.leave_out_unwanted(WantedGroups.load(task.directory))
