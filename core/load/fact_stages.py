"""From price rows to facts: index the groups they name, find out which groups count, build facts, and append them.

These are the middle stages of `load_for_states`. With several states, price rows are routed to the states first, and
then one state after another is built, so memory is that of one state.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import numpy as np

from core.load.facts.build_facts import BuiltFacts, FactScope, build_facts
from core.load.facts.merge_price_runs import merge_price_runs
from core.load.facts.partition import partition_price_runs
from core.load.facts.route_runs import Routes, route_price_runs, write_routes
from core.load.facts.run_slices import Partition
from core.load.load_task import LoadTask
from core.load.outcome import FactCounts, count_facts
from core.load.providers.group_index import GroupIndex, read_named_keys, write_group_index, write_masks
from core.load.providers.provider_filter import match_provider_filters
from core.load.rate_filters import StateFilters
from core.load.read_file import FileContent
from core.load.remote.fetch_groups import GroupFetcher
from core.load.remote.remote_groups import RemoteGroups, fetch_remote_groups
from core.load.staging.group_key_set import union
from core.load.staging.price_runs import PriceRun
from core.runtime.workers import Workers
from core.store.changes.append import append_segments
from core.store.changes.known_facts import known_groups, write_known
from core.store.changes.segment import Segment
from core.store.generations.layout import StateMonth
from core.tic.header import Header


@dataclass(frozen=True)
class IndexedGroups:
    """The provider groups that price rows name, indexed on disk."""

    directory: Path
    """Where the GroupIndex is."""
    remote: RemoteGroups | None
    """What became of groups whose members are at another URL, None if there are none."""


@dataclass(frozen=True)
class FactScopes:
    """What all partitions of the facts need to know."""

    by_state: dict[str, FactScope]
    """For each state that lacks facts of the file, in the order of the store."""
    routes: Routes | None
    """Which groups belong to which state, None if there is one state only."""


def index_groups(
    task: LoadTask, connection: duckdb.DuckDBPyConnection, content: FileContent, fetcher: GroupFetcher | None
) -> IndexedGroups:
    """Index the groups that price rows name, and fetch the members that are at other URLs."""
    directory = task.work / "groups"
    keys = union([each.used_keys for each in content.flattened])
    write_group_index(directory, content.batch_id, keys, read_named_keys(content.directory))
    remote = fetch_remote_groups(
        connection,
        task.transaction,
        spools=content.directory,
        batch_id=content.batch_id,
        groups=GroupIndex(directory),
        fetcher=fetcher,
        sizes=task.sizes,
    )
    return IndexedGroups(directory, remote)


def scope_facts(
    task: LoadTask,
    connection: duckdb.DuckDBPyConnection,
    content: FileContent,
    header: Header,
    filters: StateFilters,
    groups: IndexedGroups,
) -> FactScopes:
    """Return what every partition of the facts needs to know: which groups are wanted, and which facts are known."""
    index = GroupIndex(groups.directory)
    masks = np.full(len(index), sum(filters.bits.values()), np.uint64)
    if any(one.of_providers for one in filters.filters):
        masks = match_provider_filters(
            connection,
            task.transaction,
            content.directory,
            keys=index.keys,
            filters=filters.filters,
            known_before=groups.remote.known_before if groups.remote else None,
        )
        write_masks(index, masks)
    states = sorted(task.combine_filters(content.batch_id).by_state)
    routes = np.zeros(len(index), np.uint64)
    scopes: dict[str, FactScope] = {}
    for number, state in enumerate(states):
        period, bit, known = StateMonth(state, header.year_month), np.uint64(1 << number), None
        routes[masks & np.uint64(filters.bits[state]) != 0] |= bit
        if task.history.of_state(content.batch_id, state):
            known = write_known(connection, task.transaction, content.batch_id, period, task.work)
            if len(states) > 1:
                # Facts of an earlier load are found again, even if no filter wants them any longer.
                before = known_groups(connection, task.transaction, content.batch_id, period)
                routes[index.frame["pg_uid"].is_in(sorted(before)).to_numpy()] |= bit
        scopes[state] = FactScope(
            period=period,
            reporting_entity_name=header.reporting_entity_name,
            groups=groups.directory,
            directory=task.work,
            filters=filters.filters,
            bits=filters.bits[state],
            known=known,
            sizes=task.sizes,
        )
    return FactScopes(scopes, write_routes(groups.directory, routes, states) if len(states) > 1 else None)


def append_facts(task: LoadTask, content: FileContent, scopes: FactScopes, workers: Workers) -> dict[str, FactCounts]:
    """Build the facts from the price runs, append them to the store's, and return the counts of each state.

    Facts pass partition by partition: while one is appended, workers build the next ones.
    """
    runs = merge_price_runs([run for each in content.flattened for run in each.runs], task.work, workers, task.sizes)
    rows = _count_fact_rows(runs)
    if scopes.routes:
        routed = route_price_runs(runs, scopes.routes, task.work / "routed", workers, task.sizes)
    else:
        routed = {state: list(runs) for state in scopes.by_state}
    passed: dict[str, list[BuiltFacts]] = {state: [] for state in scopes.by_state}

    def tasks() -> Iterator[tuple[FactScope, Partition]]:
        for state, scope in scopes.by_state.items():
            for partition in partition_price_runs(routed[state], task.processes, task.sizes):
                yield scope, partition

    def segments() -> Iterator[Segment]:
        for built in workers.map(build_facts, tasks()):
            passed[built.state].append(built)
            if built.segment:
                # The keys of one state's segments fit in memory, those of fifty states' may not.
                yield replace(built.segment, keys=None) if scopes.routes else built.segment

    append_segments(task.transaction, segments(), workers)
    return {
        state: count_facts(passed[state], scope, rows - _count_fact_rows(routed[state]))
        for state, scope in scopes.by_state.items()
    }


def _count_fact_rows(runs: Sequence[PriceRun]) -> int:
    """Return how many fact rows the rows of runs unfold to."""
    return sum(int(run.table("codes").column("fact_rows").to_numpy().sum()) for run in runs)
