"""One payer's file into the store, all of it or nothing."""

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import duckdb
import numpy as np
import pyarrow.parquet as pq

from core.load.batch_record import BatchRecord, filters_of, is_finished, marked, refuse_other_month
from core.load.dimension_tables import FileTables, named_keys
from core.load.facts.build_facts import FactScope, build_facts
from core.load.facts.merge_price_runs import merge_price_runs
from core.load.facts.partition import partition_price_runs
from core.load.outcome import FactCounts, LoadOutcome, batch_record
from core.load.provenance import Provenance, write
from core.load.providers.group_index import GroupIndex, write_groups
from core.load.providers.group_key_set import union
from core.load.providers.provider_filter import match_provider_filters
from core.load.rate_filters import ALL_RATES, MAX_FILTERS, RateFilter, widened
from core.load.read_file import FileContent, read_file
from core.load.remote.fetch_groups import GroupFetcher
from core.load.remote.remote_groups import RemoteGroups
from core.load.stage_timing import StageTimes
from core.runtime.errors import PayerFileError
from core.runtime.progress import Progress
from core.runtime.workers import cpu_count, give_back_memory
from core.store.changes.append import append_segments
from core.store.changes.known_facts import write_known
from core.store.changes.segment import Segment
from core.store.connection import connect_for_writing
from core.store.generations.store import Store, Transaction
from core.store.schema.tables import DIM_BATCH
from core.tic.header import Header, read_header
from core.tic.source import Source


def load_file(
    store: Store,
    source: Source,
    state: str,
    *,
    year_month: str | None = None,
    only: RateFilter = ALL_RATES,
    provenance: Provenance | None = None,
    locations: GroupFetcher | None = None,
    progress: Progress | None = None,
    memory: str = "300MB",
    processes: int | None = None,
) -> LoadOutcome:
    """Loads one in-network file for a state, or those of its rates that `only` wants.

    `year_month` (YYYY-MM) takes the place of the month the file gives; `provenance` is kept with the batch;
    `locations` fetches the members of groups that are elsewhere on the web (without it they are not fetched);
    `progress` is told how much of the file has been read; `memory` is what DuckDB may use, `processes` how many may
    share the work of a large file (one for each core where not given).
    Raises PayerFileError for a file that cannot be loaded, BeaconError for a filter that the store knows too little
    for, and StoreError for a store that cannot be written; the store is then as it was.
    """
    with store.write() as transaction:
        job = _Job(transaction, source, state, year_month, only, memory, processes or cpu_count())
        job.provenance, job.locations = provenance or Provenance(), locations
        if any(_alike(record, source) for record in job.known.values()):
            # Probably loaded already. To read it for its id alone is far faster than to load it and find out.
            for _ in source.chunks(progress):
                pass
            if job.is_known:
                return job.repeated()
        return job.load(progress)


class _Job:
    """The loading of one file within a transaction."""

    def __init__(
        self,
        transaction: Transaction,
        source: Source,
        state: str,
        year_month: str | None,
        only: RateFilter,
        memory: str,
        processes: int,
    ) -> None:
        self._transaction = transaction
        self._source = source
        self._state = state
        self._year_month = year_month
        self._memory = memory
        self._processes = processes
        self.provenance = Provenance()
        self.locations: GroupFetcher | None = None
        self._stages = StageTimes()
        self._started_at = datetime.now(UTC)
        self._started = time.monotonic()
        # A name of its own, so that a process left over by a killed writer can find nothing of ours.
        self._work = Path(mkdtemp(dir=transaction.work))
        self._only = marked(only, transaction, self._work)
        self.known = {
            (record["batch_id"], record["state"]): record
            for path in transaction.paths(DIM_BATCH.name)
            for record in pq.read_table(path).to_pylist()
        }

    @property
    def _before(self) -> dict[str, Any] | None:
        """The record of this file where it is in the store."""
        return self.known.get((self._source.batch_id, self._state))

    @property
    def _records(self) -> list[BatchRecord]:
        """The records of this file for all states."""
        return [record for (batch, _), record in self.known.items() if batch == self._source.batch_id]

    @property
    def _filtered_elsewhere(self) -> bool:
        """Whether the file is in the store for another state with a filter on providers.

        That may have left out what only now becomes known: `resolve`, which sees all states, is to look at it.
        """
        others = (record for record in self._records if record["state"] != self._state)
        return any(one.of_providers for record in others for one in filters_of(record))

    @property
    def is_known(self) -> bool:
        """Whether all that is wanted of the file is in the store."""
        return self._before is not None and is_finished(self._before, self._only)

    def repeated(self) -> LoadOutcome:
        """The outcome for a file of which nothing is to be added."""
        record = self.known[self._source.batch_id, self._state]
        self._refuse_other_month(self._year_month or record["year_month"])
        left_out = record["rows_rejected"] + record["rows_filtered"]
        return LoadOutcome(record, True, 0, record["rows_read"] - left_out, None, self._seconds, self._stages)

    def load(self, progress: Progress | None) -> LoadOutcome:
        """Reads the file and publishes its rows, unless they are in the store already."""
        filters = self._filters()
        content = self._read(filters, progress, "file")
        try:
            if self.is_known:
                return self.repeated()
            if self._filters() != filters:
                # Only now is it known which file this is, and that other rates of it are in the store.
                content.workers.close()
                filters = self._filters()
                content = self._read(filters, progress, "again")
            header = read_header(self._source.name, content.root, self._year_month)
            self._refuse_other_month(header.year_month)
            connection = connect_for_writing(self._work, self._memory)
            try:
                return self._add(connection, content, header, filters)
            finally:
                connection.close()
        finally:
            content.workers.close()

    def _read(self, filters: tuple[RateFilter, ...], progress: Progress | None, name: str) -> FileContent:
        with self._stages.stage("read"):
            content = read_file(self._source, self._work / name, filters, self._processes, progress)
            self._stages.workers = content.workers
        return content

    def _filters(self) -> tuple[RateFilter, ...]:
        """What is wanted of the file by now: an earlier load may have wanted other rates of it."""
        filters = tuple(widened(filters_of(self._before) if self._before else [], self._only))
        if len(filters) > MAX_FILTERS:
            raise PayerFileError(
                f"{self._source.name}: loaded with {MAX_FILTERS} different filters already, and no more can be told "
                "apart; load it without a filter, or with one that has all their values"
            )
        return filters

    def _add(
        self,
        connection: duckdb.DuckDBPyConnection,
        content: FileContent,
        header: Header,
        filters: tuple[RateFilter, ...],
    ) -> LoadOutcome:
        """Makes every table's new file, and publishes them."""
        batch_id = self._source.batch_id
        located = RemoteGroups(connection, self._transaction, content.directory, batch_id)
        with self._stages.stage("groups"):
            groups = self._write_groups(content)
            report = located.fetch(self.locations, GroupIndex(groups))
            scope = self._scope(connection, content, header, filters, groups, located)
            give_back_memory()
        counts = FactCounts()
        # Each stage has members of its own: what they have learnt in the one before is of no use in the next.
        content.workers.renew()
        with self._stages.stage("facts"):
            segments = self._segments(content, scope, counts)
            append_segments(self._transaction, self._state, header.year_month, segments, content.workers)
        content.workers.renew()
        with self._stages.stage("tables"):
            where = connection, self._transaction, content.directory, header, batch_id
            tables = FileTables(*where, GroupIndex(scope.groups), counts.used, content.pieces)
            members = tables.add_groups(content.workers)
            content.workers.close()
            tables.add_codes()
            tables.add_places(content.pos_sets)
            tables.add_payer()
            tables.add_rejects()
            located.add_unresolved(keep=self._filtered_elsewhere)
            plans = self.provenance.plans | ({header.plan} if header.plan else frozenset())
            write(connection, self._transaction, batch_id, self._state, replace(self.provenance, plans=plans))
            notes = {**content.notes, **members.notes, **(report.notes if report else {})}
            batch = self._source, self._state, header, content, counts
            record = batch_record(*batch, filters, notes, self._started_at)
            tables.add_batch(record)
        with self._stages.stage("publish"):
            self._transaction.commit()
        repeated = counts.duplicates + counts.known
        return LoadOutcome(record, False, counts.facts, repeated, members, self._seconds, self._stages, report)

    def _write_groups(self, content: FileContent) -> Path:
        """Writes the groups that price rows name, and fetches members that are elsewhere."""
        directory = self._work / "groups"
        keys = union([each.used_keys for each in content.flattened])
        write_groups(directory, self._source.batch_id, keys, named_keys(content.directory))
        return directory

    def _scope(
        self,
        connection: duckdb.DuckDBPyConnection,
        content: FileContent,
        header: Header,
        filters: tuple[RateFilter, ...],
        groups: Path,
        located: RemoteGroups,
    ) -> FactScope:
        """What all shares of the facts need to know."""
        if any(one.of_providers for one in filters):
            keys = GroupIndex(groups).keys
            where = connection, self._transaction, content.directory
            masks = match_provider_filters(*where, keys, filters, located.known_before)
            np.save(groups / "masks.npy", masks)
        known = None
        if self._before:
            batch = self._source.batch_id, self._state, header.year_month
            known = write_known(connection, self._transaction, *batch, self._work)
        payer = header.reporting_entity_name
        columns = {"state": self._state, "year_month": header.year_month, "reporting_entity_name": payer}
        return FactScope(columns, groups, self._work, filters, known)

    def _segments(self, content: FileContent, scope: FactScope, counts: FactCounts) -> Iterator[Segment]:
        """The facts, share by share, counted as they pass."""
        runs = [run for each in content.flattened for run in each.runs]
        todo = partition_price_runs(merge_price_runs(runs, self._work, content.workers), self._processes)
        for built in content.workers.map(build_facts, ((scope, share) for share in todo)):
            counts.add(built)
            if built.segment:
                yield built.segment

    def _refuse_other_month(self, year_month: str) -> None:
        refuse_other_month(self._source.name, self._records, year_month)

    @property
    def _seconds(self) -> float:
        return time.monotonic() - self._started


def _alike(record: dict[str, Any], source: Source) -> bool:
    """Whether a file may well be the one that a batch was loaded from."""
    return bool(record["source"] == source.name or record["bytes"] % 2**32 == source.json_size)
