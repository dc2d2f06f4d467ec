"""What a workers does for an ingest: the functions that its members run."""

from dataclasses import dataclass
from pathlib import Path

from core.load.facts.build_facts import build_facts
from core.load.flatten.flatten_elements import FilePiece, Flattened, Flattener
from core.load.providers.cross_references import write_range
from core.load.rate_filters import RateFilter
from core.runtime.workers import WorkerState, give_back_memory

__all__ = ["ReadTask", "build_facts", "finish", "flatten", "write_range"]


@dataclass(frozen=True)
class ReadTask:
    """The file that is being read: its name, where its rows go, and which are wanted."""

    name: str
    directory: Path
    filters: tuple[RateFilter, ...]


def flatten(state: WorkerState, reading: ReadTask, piece: FilePiece) -> int:
    """Takes in a piece of the file; gives the number of its elements."""
    flattener = state.get("flattener")
    if flattener is None:
        flattener = Flattener(reading.name, reading.directory, state["worker"], reading.filters)
        state["flattener"] = flattener
    return flattener.add(piece)


def finish(state: WorkerState, reading: ReadTask) -> Flattened:
    """Writes what the member still has in memory, and tells what it has made."""
    flattener = state.pop("flattener", None) or Flattener(
        reading.name, reading.directory, state["worker"], reading.filters
    )
    done: Flattened = flattener.close()
    del flattener
    give_back_memory()
    return done
