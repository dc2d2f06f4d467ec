"""Load one payer's file into the store, all of it or nothing.

The path of a file: read → index groups → build facts → write tables → publish. Each stage is a function that takes what
the stages before it returned. Rows travel between stages on disk, so memory does not grow with the file.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import mkdtemp

import duckdb

from core.fields.payer_slug import make_payer_slug
from core.load.batch.batch_record import (
    BatchHistory,
    BatchRecord,
    add_register_hash,
    read_batch_history,
    refuse_other_month,
)
from core.load.batch.provenance import Provenance, write_provenance
from core.load.dimension_tables import write_batch, write_codes, write_payer, write_places, write_rejects
from core.load.facts.build_facts import BuiltFacts, FactScope, build_facts
from core.load.facts.merge_price_runs import merge_price_runs
from core.load.facts.partition import partition_price_runs
from core.load.flatten.file_traits import NO_TRAITS, FileTraits
from core.load.load_sizes import DEFAULT_SIZES, LoadSizes
from core.load.outcome import FactCounts, LoadOutcome, count_facts, make_batch_record
from core.load.providers.early_match import EarlyMatch
from core.load.providers.group_index import GroupIndex, read_named_keys, write_group_index, write_masks
from core.load.providers.group_tables import BatchScope, MemberCounts, write_group_tables
from core.load.providers.id_spellings import find_ids_in_two_spellings
from core.load.providers.provider_filter import match_provider_filters
from core.load.rate_filters import ALL_RATES, RateFilter
from core.load.read_file import FileContent, read_file
from core.load.remote.fetch_groups import GroupFetcher
from core.load.remote.remote_groups import RemoteGroups, fetch_remote_groups, record_unresolved
from core.load.stage_timing import StageClock
from core.load.staging.group_key_set import union
from core.load.table_writer import TableWriter, create_spool_views
from core.load.workers_on_demand import WorkersOnDemand
from core.runtime.progress import Progress
from core.runtime.workers import Workers, cpu_count, give_back_memory
from core.store.changes.append import append_segments
from core.store.changes.known_facts import write_known
from core.store.changes.segment import Segment
from core.store.generations.layout import StateMonth
from core.store.generations.store import Store, Transaction
from core.store.writer_connection import connect_for_writing
from core.tic.header import Header, read_header
from core.tic.lenient_json import REPEATED
from core.tic.source import Source


@dataclass(frozen=True)
class LoadTask:
    """A file that is to be loaded, and the transaction that it is loaded in."""

    transaction: Transaction
    work: Path
    """A directory of this load alone: workers that a killed load left behind cannot interfere."""
    source: Source
    state: str
    year_month: str | None
    """The month to use in place of the file's own."""
    payer: str | None
    """The payer's name, for a file that has none."""
    only: RateFilter
    provenance: Provenance
    history: BatchHistory
    started_at: datetime
    processes: int
    sizes: LoadSizes

    def find_finished(self, batch_id: str) -> BatchRecord | None:
        """Return the file's record if the store has everything that is wanted of the file."""
        return self.history.find_finished(batch_id, self.state, self.only)

    def combine_filters(self, batch_id: str) -> tuple[RateFilter, ...]:
        """Return the filters of this load and of earlier loads of the file."""
        return self.history.combine_filters(self.source.name, batch_id, self.state, self.only)


@dataclass(frozen=True)
class IndexedGroups:
    """The provider groups that price rows name, indexed on disk."""

    directory: Path
    """Where the GroupIndex is."""
    remote: RemoteGroups | None
    """What became of groups whose members are at another URL, None if there are none."""


def load_file(
    store: Store,
    source: Source,
    state: str,
    *,
    year_month: str | None = None,
    payer: str | None = None,
    only: RateFilter = ALL_RATES,
    provenance: Provenance | None = None,
    fetcher: GroupFetcher | None = None,
    progress: Progress | None = None,
    memory: str = "300MB",
    processes: int | None = None,
    sizes: LoadSizes = DEFAULT_SIZES,
) -> LoadOutcome:
    """Load one in-network file for a state, or the rates of it that `only` wants.

    `year_month` (YYYY-MM) takes the place of the month in the file. `payer` is the payer's name, for a file that does
    not name its payer. `provenance` is recorded with the batch. `fetcher` fetches the members of groups that are at
    another URL; without it they are not fetched. `progress` is called while the file is read. `memory` is DuckDB's
    limit. `processes` share the work of a large file (default: one per core).

    Raise PayerFileError for a file that cannot be loaded, BeaconError for a filter about which the store knows too
    little, and StoreError for a store that cannot be written. The store is then as it was.
    """
    count = processes or cpu_count()
    with store.write() as transaction, WorkersOnDemand(count, sizes.small_file_chunks) as workers:
        clock = StageClock(workers)
        work = Path(mkdtemp(dir=transaction.work))
        task = LoadTask(
            transaction=transaction,
            work=work,
            source=source,
            state=state,
            year_month=year_month,
            payer=payer,
            only=add_register_hash(only, transaction, work),
            provenance=provenance or Provenance(),
            history=read_batch_history(transaction),
            started_at=datetime.now(UTC),
            processes=count,
            sizes=sizes,
        )
        if finished := skim_loaded_file(task, progress):
            return _repeat(task, finished, clock)
        filters, content = read_wanted(task, workers, clock, progress)
        if finished := task.find_finished(content.batch_id):
            return _repeat(task, finished, clock)
        header = read_header(source.name, content.root, year_month, payer)
        refuse_other_month(source.name, task.history.of_file(content.batch_id), header.year_month)
        with closing(connect_for_writing(work, memory)) as connection:
            with clock.stage("groups"):
                groups = index_groups(task, connection, content, fetcher)
                scope = scope_facts(task, connection, content, header, filters, groups)
                give_back_memory()
            workers.renew()  # the next stage has no use for the caches of this one
            with clock.stage("facts"):
                counts = append_facts(task, content, scope, workers)
            workers.renew()
            with clock.stage("tables"):
                members, record = write_tables(task, connection, content, header, filters, groups, counts, workers)
            with clock.stage("publish"):
                transaction.commit()
    return LoadOutcome(
        record=record,
        loaded_before=False,
        rows_added=counts.facts,
        duplicates=counts.duplicates + counts.known,
        members=members,
        seconds=clock.seconds,
        stages=clock.stages,
        locations=groups.remote.fetched.report if groups.remote else None,
    )


# --- what the store has already -------------------------------------------------------------------------------


def skim_loaded_file(task: LoadTask, progress: Progress | None) -> BatchRecord | None:
    """Return the record of a file of which nothing is missing in the store, if it looks like one that was loaded.

    Reading a file for its id alone is far faster than loading it to find out.
    """
    if not task.history.may_include(task.source):
        return None
    for _ in task.source.read_blocks(progress):
        pass
    return task.find_finished(task.source.batch_id)


def _repeat(task: LoadTask, record: BatchRecord, clock: StageClock) -> LoadOutcome:
    """Return the outcome for a file from which nothing is added."""
    records = task.history.of_file(record["batch_id"])
    refuse_other_month(task.source.name, records, task.year_month or record["year_month"])
    left_out = record["rows_rejected"] + record["rows_filtered"]
    return LoadOutcome(
        record=record,
        loaded_before=True,
        rows_added=0,
        duplicates=record["rows_read"] - left_out,
        members=None,
        seconds=clock.seconds,
        stages=clock.stages,
    )


# --- read -----------------------------------------------------------------------------------------------------


def read_wanted(
    task: LoadTask, workers: Workers, clock: StageClock, progress: Progress | None
) -> tuple[tuple[RateFilter, ...], FileContent]:
    """Read the rates that this load or an earlier one of the same file wants. Return the filters and the content.

    A file's id is known only when it has been read. If it then turns out that other rates of it are in the store, the
    file is read again with the filters of both loads, unless it is finished anyway. So is a file that turns out to have
    unusual traits.
    """
    batch_id, filters, traits = task.source.batch_id, task.combine_filters(task.source.batch_id), NO_TRAITS
    for directory in ("file", "again"):
        match = EarlyMatch(task.transaction, task.work, filters, task.history.of_state(batch_id, task.state))
        with clock.stage("read"):
            content = read_file(
                task.source, task.work / directory, filters, workers, progress, task.sizes, traits, match.matcher
            )
        batch_id, combined, found = content.batch_id, task.combine_filters(content.batch_id), traits
        if traits == NO_TRAITS:
            found = FileTraits(find_ids_in_two_spellings(content.directory), bool(content.notes[REPEATED]))
        loaded = task.history.of_state(batch_id, task.state)
        if (combined == filters and found == traits and match.fits(loaded)) or task.find_finished(batch_id):
            break
        filters, traits = combined, found
        workers.renew()
    if traits.exact_ids:
        content.own_notes["provider_group_ids_in_two_spellings"] = len(traits.exact_ids)
    return filters, content


# --- index groups ---------------------------------------------------------------------------------------------


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
    filters: tuple[RateFilter, ...],
    groups: IndexedGroups,
) -> FactScope:
    """Return what every partition of the facts needs to know: which groups are wanted, and which facts are known."""
    if any(one.of_providers for one in filters):
        index = GroupIndex(groups.directory)
        masks = match_provider_filters(
            connection,
            task.transaction,
            content.directory,
            keys=index.keys,
            filters=filters,
            known_before=groups.remote.known_before if groups.remote else None,
        )
        write_masks(index, masks)
    period = StateMonth(task.state, header.year_month)
    known = None
    if task.history.of_state(content.batch_id, task.state):
        known = write_known(connection, task.transaction, content.batch_id, period, task.work)
    return FactScope(
        period=period,
        reporting_entity_name=header.reporting_entity_name,
        groups=groups.directory,
        directory=task.work,
        filters=filters,
        known=known,
        sizes=task.sizes,
    )


# --- build facts ----------------------------------------------------------------------------------------------


def append_facts(task: LoadTask, content: FileContent, scope: FactScope, workers: Workers) -> FactCounts:
    """Build the facts from the price runs, append them to the store's, and return their counts.

    Facts pass partition by partition: while one is appended, workers build the next ones.
    """
    runs = merge_price_runs([run for each in content.flattened for run in each.runs], task.work, workers, task.sizes)
    partitions = partition_price_runs(runs, task.processes, task.sizes)
    passed: list[BuiltFacts] = []

    def segments() -> Iterator[Segment]:
        for built in workers.map(build_facts, ((scope, partition) for partition in partitions)):
            passed.append(built)
            if built.segment:
                yield built.segment

    append_segments(task.transaction, scope.period, segments(), workers)
    return count_facts(passed)


# --- write tables ---------------------------------------------------------------------------------------------


def write_tables(
    task: LoadTask,
    connection: duckdb.DuckDBPyConnection,
    content: FileContent,
    header: Header,
    filters: tuple[RateFilter, ...],
    groups: IndexedGroups,
    counts: FactCounts,
    workers: Workers,
) -> tuple[MemberCounts, BatchRecord]:
    """Write everything but the facts into the store's tables. Return the counts of members and the batch record."""
    batch_id, payer_slug = content.batch_id, make_payer_slug(header.reporting_entity_name)
    writer = TableWriter(connection, task.transaction)
    create_spool_views(connection, content.directory)
    members = write_group_tables(
        writer,
        spools=content.directory,
        groups=GroupIndex(groups.directory),
        used=counts.used,
        scope=BatchScope(batch_id=batch_id, payer_slug=payer_slug, year_month=header.year_month),
        workers=workers,
        sizes=task.sizes,
    )
    workers.close()  # DuckDB can use their memory from here on
    write_codes(writer)
    write_places(writer, content.pos_sets)
    write_payer(writer, header, payer_slug)
    write_rejects(writer, batch_id, content.pieces)
    if groups.remote:
        keep = task.history.filtered_elsewhere(batch_id, task.state)
        record_unresolved(connection, task.transaction, batch_id, groups.remote.fetched, keep=keep)
    plans = task.provenance.plans | header.plans
    origin = (batch_id, replace(task.provenance, plans=plans))
    write_provenance(connection, task.transaction, task.state, [origin])
    fetch_notes = groups.remote.fetched.report.notes if groups.remote else {}
    record = make_batch_record(
        source=task.source,
        state=task.state,
        header=header,
        content=content,
        counts=counts,
        filters=filters,
        notes=sum(map(Counter, (header.notes, members.notes, fetch_notes)), content.notes),
        started_at=task.started_at,
    )
    write_batch(writer, record)
    return members, record
