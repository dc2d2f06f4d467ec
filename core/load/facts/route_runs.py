"""Route price rows to the states where their provider groups practice, so that one reading of a file serves them all.

A routed run has the rows of one state only: those that name a group of the state, with the groups of that state alone.
From there on a state's rows are what they would be if the file had been read for it alone: partitions, facts, and
memory are those of one state at a time. A group that practices in several states is in the runs of each.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from core.load.facts.partition import partition_price_runs
from core.load.facts.run_slices import read_group_keys
from core.load.load_sizes import DEFAULT_SIZES, LoadSizes
from core.load.providers.group_index import GroupIndex
from core.load.staging.group_key_set import Keys
from core.load.staging.price_runs import RUN_SCHEMA, PriceRun, RunSubsetWriter, list_keys
from core.runtime.files import delete_file
from core.runtime.worker_process import WorkerState
from core.runtime.workers import Workers

StateMasks = npt.NDArray[np.uint64]
"""For each group of an index a bit for each state."""


@dataclass(frozen=True)
class Routes:
    """Which groups belong to which states."""

    groups: Path
    """The directory of the group index."""
    masks: Path
    """The file of the groups' StateMasks."""
    states: tuple[str, ...]
    """The states, in the order of their bits."""


@dataclass(frozen=True)
class _StateRows:
    """Some rows of a state: their positions among those that were routed, and the keys of the state's groups."""

    state: str
    rows: npt.NDArray[np.int64]
    keys: Keys
    sizes: npt.NDArray[np.int64]
    """How many of the keys each row has."""


def write_routes(groups: Path, masks: StateMasks, states: Sequence[str]) -> Routes:
    """Write which groups belong to which states, for workers to look it up."""
    path = groups / "routes.npy"
    np.save(path, masks)
    return Routes(groups, path, tuple(states))


def route_price_runs(
    runs: Sequence[PriceRun], routes: Routes, directory: Path, workers: Workers, sizes: LoadSizes = DEFAULT_SIZES
) -> dict[str, list[PriceRun]]:
    """Return each state's runs, whose files go below `directory`, which is new. The order of the runs stays."""
    directory.mkdir()
    tasks = ((run, routes, directory / f"{number:06}", sizes) for number, run in enumerate(runs))
    found: dict[str, list[PriceRun]] = {state: [] for state in routes.states}
    for routed in workers.map(route_run, tasks):
        for state, run in routed.items():
            found[state].append(run)
    return found


def route_run(state: WorkerState, run: PriceRun, routes: Routes, path: Path, sizes: LoadSizes) -> dict[str, PriceRun]:
    """Write a run for each state that a run has rows of, and delete the run's rows. Workers run this.

    A partition's rows are in memory at a time, and a writer for each state. So memory depends neither on the size of
    the run nor on how many states a group is in.
    """
    groups: GroupIndex = state.setdefault("groups", None) or GroupIndex(routes.groups)
    state["groups"] = groups
    masks: StateMasks = np.load(routes.masks, mmap_mode="r" if len(groups) else None)
    starts = run.table("codes").column("start").to_numpy()
    writers: dict[str, RunSubsetWriter] = {}
    with ExitStack() as stack:
        for partition in partition_price_runs([run], 1, sizes):
            for part in partition.slices:
                table = run.read(part.start, part.end)
                columns = {name: table.column(name).to_numpy() for name in RUN_SCHEMA.names if name != "keys"}
                code_of = np.searchsorted(starts, np.arange(part.start, part.end), side="right") - 1
                for found in _route_rows(table, groups, masks, routes.states):
                    if found.state not in writers:
                        target = path.with_name(f"{path.name}-{found.state}")
                        writers[found.state] = stack.enter_context(RunSubsetWriter(target, run))
                    writers[found.state].add(
                        {name: column[found.rows] for name, column in columns.items()},
                        list_keys(found.keys, found.sizes),
                        code_of[found.rows],
                    )
                del table, columns
    delete_file(run.path)
    return {name: writer.finish() for name, writer in writers.items()}


def _route_rows(table: pa.Table, groups: GroupIndex, masks: StateMasks, states: Sequence[str]) -> Iterator[_StateRows]:
    """Yield the rows of each state that some rows of a run belong to."""
    keys, sizes = read_group_keys([table], np.arange(table.num_rows))
    row_of = np.repeat(np.arange(table.num_rows), sizes)
    mask_of = masks[groups.positions(keys)]
    present = int(np.bitwise_or.reduce(mask_of)) if len(mask_of) else 0
    for bit, state in enumerate(states):
        if present >> bit & 1:
            here = np.flatnonzero(mask_of & np.uint64(1 << bit))
            rows = row_of[here]
            starts = np.flatnonzero(np.diff(rows, prepend=-1))  # where the keys of the next row begin
            yield _StateRows(state, rows[starts], keys[here], np.diff(starts, append=len(rows)))
