"""Load one payer's file into the store, all of it or nothing.

The path of a file: read → index groups → build facts → write tables → publish. Each stage is a function that takes what
the stages before it returned. Rows travel between stages on disk, so memory does not grow with the file.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import mkdtemp
from typing import TypedDict, Unpack

import duckdb

from core.fields.providers.payer_slug import make_payer_slug
from core.load.batch.batch_record import BatchRecord, add_register_hashes, read_batch_history, refuse_other_month
from core.load.batch.provenance import KnownOrigin, Provenance, write_provenance
from core.load.dimension_tables import write_batches, write_codes, write_payer, write_places, write_rejects
from core.load.fact_stages import IndexedGroups, append_facts, index_groups, scope_facts
from core.load.flatten.file_traits import NO_TRAITS, FileTraits
from core.load.load_sizes import DEFAULT_SIZES, LoadSizes
from core.load.load_task import LoadTask
from core.load.outcome import FactCounts, LoadOutcome, make_batch_record
from core.load.providers.early_match import EarlyMatch
from core.load.providers.group_index import GroupIndex
from core.load.providers.group_tables import BatchScope, MemberCounts, write_group_tables
from core.load.providers.id_spellings import find_ids_in_two_spellings
from core.load.rate_filters import ALL_RATES, RateFilter, StateFilters, StateLoad
from core.load.read_file import FileContent, read_file
from core.load.remote.fetch_groups import GroupFetcher
from core.load.remote.remote_groups import record_unresolved
from core.load.stage_timing import StageClock
from core.load.table_writer import TableWriter, create_spool_views
from core.load.workers_on_demand import WorkersOnDemand
from core.runtime.progress import Progress
from core.runtime.workers import Workers, cpu_count, give_back_memory
from core.store.generations.store import Store
from core.store.writer_connection import connect_for_writing
from core.tic.header import Header, read_header
from core.tic.lenient_json import REPEATED
from core.tic.source import Source


class LoadSettings(TypedDict, total=False):
    """How a file is loaded."""

    year_month: str | None
    """Takes the place of the month in the file (YYYY-MM)."""
    payer: str | None
    """The payer's name, for a file that does not name its payer."""
    provenance: Provenance | None
    """Is recorded with the batch."""
    fetcher: GroupFetcher | None
    """Fetches the members of groups that are at another URL; without it they are not fetched."""
    progress: Progress | None
    """Is called while the file is read."""
    memory: str
    """DuckDB's limit (default: 300MB)."""
    processes: int | None
    """How many share the work of a large file (default: one per core)."""
    sizes: LoadSizes


def load_file(
    store: Store, source: Source, state: str, *, only: RateFilter = ALL_RATES, **settings: Unpack[LoadSettings]
) -> LoadOutcome:
    """Load one in-network file for a state, or the rates of it that `only` wants. See load_for_states."""
    (outcome,) = load_for_states(store, source, (StateLoad(state, only),), **settings)
    return outcome


def load_for_states(
    store: Store, source: Source, loads: Sequence[StateLoad], **settings: Unpack[LoadSettings]
) -> list[LoadOutcome]:
    """Load one in-network file for states, reading it once and publishing it once. Return the outcome of each state.

    A state gets the rows, counts, and ids that it would get if the file were loaded for it alone.

    Raise PayerFileError for a file that cannot be loaded, BeaconError for a filter about which the store knows too
    little, and StoreError for a store that cannot be written. The store is then as it was.
    """
    year_month, payer, progress = settings.get("year_month"), settings.get("payer"), settings.get("progress")
    sizes, count = settings.get("sizes", DEFAULT_SIZES), settings.get("processes") or cpu_count()
    with store.write() as transaction, WorkersOnDemand(count, sizes.small_file_chunks) as workers:
        clock = StageClock(workers)
        work = Path(mkdtemp(dir=transaction.work))
        filters = add_register_hashes([one.only for one in loads], transaction, work)
        task = LoadTask(
            transaction=transaction,
            work=work,
            source=source,
            loads=tuple(replace(one, only=only) for one, only in zip(loads, filters, strict=True)),
            year_month=year_month,
            payer=payer,
            provenance=settings.get("provenance") or Provenance(),
            history=read_batch_history(transaction),
            started_at=datetime.now(UTC),
            processes=count,
            sizes=sizes,
        )
        if skim_loaded_file(task, progress):
            return _repeat(task, source.batch_id, clock)
        filters_read, content = read_wanted(task, workers, clock, progress)
        if task.is_finished(content.batch_id):
            return _repeat(task, content.batch_id, clock)
        header = read_header(source.name, content.root, year_month, payer)
        refuse_other_month(source.name, task.history.of_file(content.batch_id), header.year_month)
        with closing(connect_for_writing(work, settings.get("memory", "300MB"))) as connection:
            with clock.stage("groups"):
                groups = index_groups(task, connection, content, settings.get("fetcher"))
                scopes = scope_facts(task, connection, content, header, filters_read, groups)
                give_back_memory()
            workers.renew()  # the next stage has no use for the caches of this one
            with clock.stage("facts"):
                counts = append_facts(task, content, scopes, workers)
            workers.renew()
            with clock.stage("tables"):
                loaded = write_tables(task, connection, content, header, filters_read, groups, counts, workers)
            with clock.stage("publish"):
                transaction.commit()
    outcomes = [
        LoadOutcome(
            record=one.record,
            loaded_before=False,
            rows_added=counts[state].facts,
            duplicates=counts[state].duplicates + counts[state].known,
            members=one.members,
            seconds=clock.seconds,
            stages=clock.stages,
            locations=groups.remote.fetched.report if groups.remote else None,
        )
        for state, one in loaded.items()
    ]
    every = {outcome.record["state"]: outcome for outcome in (*outcomes, *_repeat(task, content.batch_id, clock))}
    return [every[one.state] for one in loads]


# --- what the store has already -------------------------------------------------------------------------------


def skim_loaded_file(task: LoadTask, progress: Progress | None) -> bool:
    """Return whether nothing of a file is missing in the store, for a file that looks like one that was loaded.

    Reading a file for its id alone is far faster than loading it to find out.
    """
    if not task.history.may_include(task.source):
        return False
    for _ in task.source.read_blocks(progress):
        pass
    return task.is_finished(task.source.batch_id)


def _repeat(task: LoadTask, batch_id: str, clock: StageClock) -> list[LoadOutcome]:
    """Return the outcomes of the states for which nothing is added from a file."""
    finished, records = task.find_finished(batch_id), task.history.of_file(batch_id)
    for record in finished.values():
        refuse_other_month(task.source.name, records, task.year_month or record["year_month"])
    return [
        LoadOutcome(
            record=record,
            loaded_before=True,
            rows_added=0,
            duplicates=record["rows_read"] - record["rows_rejected"] - record["rows_filtered"],
            members=None,
            seconds=clock.seconds,
            stages=clock.stages,
        )
        for record in finished.values()
    ]


# --- read -----------------------------------------------------------------------------------------------------


def read_wanted(
    task: LoadTask, workers: Workers, clock: StageClock, progress: Progress | None
) -> tuple[StateFilters, FileContent]:
    """Read the rates that this load or an earlier one of the same file wants. Return the filters and the content.

    A file's id is known only when it has been read. If it then turns out that other rates of it are in the store, the
    file is read again with the filters of both loads, unless it is finished anyway. So is a file that turns out to have
    unusual traits.
    """
    batch_id, wanted, traits = task.source.batch_id, task.combine_filters(task.source.batch_id), NO_TRAITS
    for directory in ("file", "again"):
        match = EarlyMatch(task.transaction, task.work, wanted, task.find_loaded(batch_id, wanted))
        with clock.stage("read"):
            content = read_file(
                task.source, task.work / directory, wanted.filters, workers, progress, task.sizes, traits, match.matcher
            )
        batch_id, combined, found = content.batch_id, task.combine_filters(content.batch_id), traits
        if traits == NO_TRAITS:
            found = FileTraits(find_ids_in_two_spellings(content.directory), bool(content.notes[REPEATED]))
        fits = wanted.serve(combined) and found == traits and match.fits(task.find_loaded(batch_id, combined))
        if fits or task.is_finished(batch_id):
            break
        wanted, traits = combined, found
        workers.renew()
    if traits.exact_ids:
        content.own_notes["provider_group_ids_in_two_spellings"] = len(traits.exact_ids)
    return wanted, content


# --- write tables ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LoadedState:
    """What was written for one state besides its facts."""

    members: MemberCounts
    record: BatchRecord


def write_tables(
    task: LoadTask,
    connection: duckdb.DuckDBPyConnection,
    content: FileContent,
    header: Header,
    filters: StateFilters,
    groups: IndexedGroups,
    counts: Mapping[str, FactCounts],
    workers: Workers,
) -> dict[str, LoadedState]:
    """Write everything but the facts into the store's tables. Return what was written for each state."""
    batch_id, payer_slug = content.batch_id, make_payer_slug(header.reporting_entity_name)
    writer = TableWriter(connection, task.transaction)
    create_spool_views(connection, content.directory)
    members = write_group_tables(
        writer,
        spools=content.directory,
        groups=GroupIndex(groups.directory),
        used=[each.used for each in counts.values()],
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
        keep = task.history.filtered_elsewhere(batch_id, counts)
        record_unresolved(connection, task.transaction, batch_id, groups.remote.fetched, keep=keep)
    provenance = replace(task.provenance, plans=task.provenance.plans | header.plans)
    origins = [KnownOrigin(batch_id, state, provenance) for state in counts]
    write_provenance(connection, task.transaction, origins)
    fetch_notes = groups.remote.fetched.report.notes if groups.remote else {}
    loaded = {
        state: LoadedState(
            members=each,
            record=make_batch_record(
                source=task.source,
                state=state,
                header=header,
                content=content,
                counts=counts[state],
                filters=filters.by_state[state],
                bits=filters.bits[state],
                notes=sum(map(Counter, (header.notes, each.notes, fetch_notes)), content.notes),
                started_at=task.started_at,
            ),
        )
        for state, each in zip(counts, members, strict=True)
    }
    write_batches(writer, [each.record for each in loaded.values()])
    return loaded
