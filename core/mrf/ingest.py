"""One payer's file into the store, all of it or nothing."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import duckdb
import numpy as np
import pyarrow.parquet as pq

from core.crew import cores
from core.mrf import filters as wanted
from core.mrf.errors import MrfError
from core.mrf.facts import Built, Scope, build
from core.mrf.filters import EVERYTHING, Filter
from core.mrf.group_masks import group_masks
from core.mrf.groups import Groups, write_groups
from core.mrf.header import Header, read_header
from core.mrf.keys import union
from core.mrf.merge_runs import merged
from core.mrf.read import Content, read
from core.mrf.shares import shares
from core.mrf.source import Progress, Source
from core.mrf.tables import FileTables, Members, named_keys
from core.mrf.timing import Stages
from core.store import ids
from core.store.append import append_segments
from core.store.connection import connect_for_writing
from core.store.known import write_known
from core.store.schema import DIM_BATCH
from core.store.segment import Segment
from core.store.store import Store, Transaction


@dataclass(frozen=True)
class Outcome:
    """What became of one file: the columns of its dim_batch row in `record`, and what else a summary tells."""

    record: dict[str, Any]
    loaded_before: bool
    """Whether all of it that is wanted was in the store for this state already; then nothing has changed."""
    rows_added: int
    duplicates: int
    members: Members | None
    seconds: float
    stages: Stages


@dataclass
class _Counts:
    """Fact rows of one file by what became of them."""

    facts: int = 0
    duplicates: int = 0
    filtered: int = 0
    known: int = 0
    used: list[Any] = field(default_factory=list)

    def add(self, built: Built) -> None:
        """Takes in what became of a share."""
        self.facts += built.segment.rows if built.segment else 0
        self.duplicates += built.duplicates
        self.filtered += built.filtered
        self.known += built.known
        if built.used is not None:
            self.used.append(built.used)


def ingest(
    store: Store,
    source: Source,
    state: str,
    *,
    year_month: str | None = None,
    only: Filter = EVERYTHING,
    progress: Progress | None = None,
    waiting: Callable[[], None] | None = None,
    memory: str = "300MB",
    processes: int | None = None,
) -> Outcome:
    """Loads one in-network file for a state, or those of its rates that `only` wants.

    `year_month` (YYYY-MM) takes the place of the month the file gives; `progress` is told how much of the file has
    been read, `waiting` is called when another writer has to end first; `memory` is what DuckDB may use, `processes`
    how many may share the work of a large file (one for each core where not given).
    Raises MrfError for a file that cannot be loaded and StoreError for a store that cannot be written; in both cases
    the store is as it was.
    """
    with store.write(waiting=waiting) as transaction:
        job = _Job(transaction, source, state, year_month, only, memory, processes or cores())
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
        only: Filter,
        memory: str,
        processes: int,
    ) -> None:
        self._transaction = transaction
        self._source = source
        self._state = state
        self._year_month = year_month
        self._only = only
        self._memory = memory
        self._processes = processes
        self._stages = Stages()
        self._started_at = datetime.now(UTC)
        self._started = time.monotonic()
        # A name of its own, so that a process left over by a killed writer can find nothing of ours.
        self._work = Path(mkdtemp(dir=transaction.work))
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
    def is_known(self) -> bool:
        """Whether all that is wanted of the file is in the store."""
        return self._before is not None and any(
            one.covers(self._only) for one in wanted.from_json(json.loads(self._before["filters"]))
        )

    def repeated(self) -> Outcome:
        """The outcome for a file of which nothing is to be added."""
        record = self.known[self._source.batch_id, self._state]
        self._refuse_other_month(self._year_month or record["year_month"])
        left_out = record["rows_rejected"] + record["rows_filtered"]
        return Outcome(record, True, 0, record["rows_read"] - left_out, None, self._seconds, self._stages)

    def load(self, progress: Progress | None) -> Outcome:
        """Reads the file and publishes its rows, unless they are in the store already."""
        filters = self._filters()
        content = self._read(filters, progress, "file")
        try:
            if self.is_known:
                return self.repeated()
            if self._filters() != filters:
                # Only now is it known which file this is, and that other rates of it are in the store.
                content.crew.close()
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
            content.crew.close()

    def _read(self, filters: tuple[Filter, ...], progress: Progress | None, name: str) -> Content:
        with self._stages.stage("read"):
            content = read(self._source, self._work / name, filters, self._processes, progress)
            self._stages.crew = content.crew
        return content

    def _filters(self) -> tuple[Filter, ...]:
        """What is wanted of the file by now: an earlier load may have wanted other rates of it."""
        before = wanted.from_json(json.loads(self._before["filters"])) if self._before else []
        return tuple(wanted.widened(before, self._only))

    def _add(
        self, connection: duckdb.DuckDBPyConnection, content: Content, header: Header, filters: tuple[Filter, ...]
    ) -> Outcome:
        """Makes every table's new file, and publishes them."""
        with self._stages.stage("groups"):
            scope = self._scope(connection, content, header, filters)
        counts = _Counts()
        with self._stages.stage("facts"):
            segments = self._segments(content, scope, counts)
            append_segments(self._transaction, self._state, header.year_month, segments, content.crew)
        content.crew.close()
        with self._stages.stage("tables"):
            groups = Groups(scope.groups)
            used = groups.frame[union(counts.used)] if groups.masks is not None else groups.frame
            tables = FileTables(
                connection, self._transaction, content.directory, header, self._source.batch_id, used, content.pieces
            )
            members = tables.add_groups()
            tables.add_codes()
            tables.add_places(content.pos_sets)
            tables.add_payer()
            tables.add_rejects()
            record = self._record(content, header, filters, counts, members)
            tables.add_batch(record)
        with self._stages.stage("publish"):
            self._transaction.commit()
        repeated = counts.duplicates + counts.known
        return Outcome(record, False, counts.facts, repeated, members, self._seconds, self._stages)

    def _scope(
        self, connection: duckdb.DuckDBPyConnection, content: Content, header: Header, filters: tuple[Filter, ...]
    ) -> Scope:
        """What all shares of the facts need to know."""
        batch_id, payer = self._source.batch_id, header.reporting_entity_name
        keys = union([each.used_keys for each in content.flattened])
        directory = self._work / "groups"
        write_groups(directory, batch_id, keys, named_keys(connection, content.directory))
        if any(one.of_providers for one in filters):
            np.save(
                directory / "masks.npy", group_masks(connection, self._transaction, content.directory, keys, filters)
            )
        known = None
        if self._before:
            known = write_known(connection, self._transaction, batch_id, self._state, header.year_month, self._work)
        columns = {"state": self._state, "year_month": header.year_month, "reporting_entity_name": payer}
        return Scope(columns, directory, self._work, filters, known)

    def _segments(self, content: Content, scope: Scope, counts: _Counts) -> Iterator[Segment]:
        """The facts, share by share, counted as they pass."""
        indexes = [run for each in content.flattened for run in each.runs]
        todo = shares(merged(indexes, self._work, content.crew), self._processes)
        for built in content.crew.map(build, ((scope, share) for share in todo)):
            counts.add(built)
            if built.segment:
                yield built.segment

    def _record(
        self, content: Content, header: Header, filters: tuple[Filter, ...], counts: _Counts, members: Members
    ) -> dict[str, Any]:
        """The batch's row of dim_batch."""
        notes = {**content.notes, **members.notes}
        every = [one.as_json() for one in filters]
        return {
            "batch_id": self._source.batch_id,
            "state": self._state,
            "source": self._source.name,
            "reporting_entity_name": header.reporting_entity_name,
            "payer_slug": ids.payer_slug(header.reporting_entity_name),
            "year_month": header.year_month,
            "last_updated_on": header.last_updated_on,
            "version": header.version,
            "bytes": self._source.bytes_read,
            "in_network_items": content.items,
            "rows_read": content.rows_read,
            "rows_added": counts.facts + counts.known,
            "duplicates": counts.duplicates,
            "rows_rejected": content.rejected.total(),
            "rows_filtered": content.rows_filtered + counts.filtered,
            "rejects": dict(content.rejected),
            "notes": {name: count for name, count in notes.items() if count},
            "started_at": self._started_at,
            "finished_at": datetime.now(UTC),
            "filters": every[0] if len(every) == 1 else every,
        }

    def _refuse_other_month(self, year_month: str) -> None:
        for (batch_id, state), record in self.known.items():
            if batch_id == self._source.batch_id and record["year_month"] != year_month:
                raise MrfError(
                    f"{self._source.name}: these rates are in the store already, as {record['year_month']} in {state}, "
                    f"and one file has one month; nothing was added for {year_month}"
                )

    @property
    def _seconds(self) -> float:
        return time.monotonic() - self._started


def _alike(record: dict[str, Any], source: Source) -> bool:
    """Whether a file may well be the one that a batch was loaded from."""
    return bool(record["source"] == source.name or record["bytes"] % 2**32 == source.json_size)


def rejects_of(record: dict[str, Any]) -> dict[str, int]:
    """The rejected rows of a batch's record by reason, whether it comes from the store or not."""
    rejects = record["rejects"]
    found: dict[str, int] = json.loads(rejects) if isinstance(rejects, str) else rejects
    return found
