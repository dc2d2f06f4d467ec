"""One payer's file into the store, all of it or nothing."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pyarrow.parquet as pq

from core.mrf.errors import MrfError
from core.mrf.facts import FactBuilder
from core.mrf.flatten import Flattener
from core.mrf.header import Header, read_header, refuse_other_kinds
from core.mrf.located import Located
from core.mrf.locations import Locations, Report
from core.mrf.provenance import Provenance, write
from core.mrf.source import Progress, Source
from core.mrf.split import STREAMED, RootValue, Run, Splitter
from core.mrf.tables import FileTables, Members, named_keys
from core.store import ids
from core.store.append import append_facts
from core.store.connection import connect_for_writing
from core.store.schema import DIM_BATCH
from core.store.store import Store, Transaction


@dataclass(frozen=True)
class Outcome:
    """What became of one file: the columns of its dim_batch row in `record`, and what else a summary tells."""

    record: dict[str, Any]
    loaded_before: bool
    """Whether these JSON bytes were in the store for this state already; then nothing has changed."""
    rows_added: int
    duplicates: int
    members: Members | None
    seconds: float
    locations: Report | None = None
    """What became of the members that are elsewhere on the web, where that was tried."""


def ingest(
    store: Store,
    source: Source,
    state: str,
    *,
    year_month: str | None = None,
    provenance: Provenance | None = None,
    locations: Locations | None = None,
    progress: Progress | None = None,
    waiting: Callable[[], None] | None = None,
    memory: str = "512MB",
) -> Outcome:
    """Loads one in-network file for a state.

    `year_month` (YYYY-MM) takes the place of the month the file gives; `provenance` is kept with the batch;
    `locations` fetches the members of groups that are elsewhere on the web (without it they are not fetched);
    `progress` is told how much of the file has been read, `waiting` is called when another writer has to end first;
    `memory` is what DuckDB may use.
    Raises MrfError for a file that cannot be loaded and StoreError for a store that cannot be written; in both cases
    the store is as it was.
    """
    with store.write(waiting=waiting) as transaction:
        job = _Job(transaction, source, state, year_month, provenance or Provenance(), locations, progress, memory)
        if any(_alike(record, source) for record in job.known.values()):
            # Probably loaded already. To read it for its id alone is far faster than to load it and find out.
            for _ in source.chunks(progress):
                pass
            if (source.batch_id, state) in job.known:
                return job.repeated()
        return job.load()


class _Job:
    """The loading of one file within a transaction."""

    def __init__(
        self,
        transaction: Transaction,
        source: Source,
        state: str,
        year_month: str | None,
        provenance: Provenance,
        locations: Locations | None,
        progress: Progress | None,
        memory: str,
    ) -> None:
        self._transaction = transaction
        self._source = source
        self._state = state
        self._year_month = year_month
        self._provenance = provenance
        self._locations = locations
        self._progress = progress
        self._memory = memory
        self._started_at = datetime.now(UTC)
        self._started = time.monotonic()
        self.known = {
            (record["batch_id"], record["state"]): record
            for path in transaction.paths(DIM_BATCH.name)
            for record in pq.read_table(path).to_pylist()
        }

    def repeated(self) -> Outcome:
        """The outcome for a file that is in the store already."""
        record = self.known[self._source.batch_id, self._state]
        self._refuse_other_month(self._year_month or record["year_month"])
        left_out = record["rows_rejected"] + record["rows_filtered"]
        return Outcome(record, True, 0, record["rows_read"] - left_out, None, self._seconds)

    def load(self) -> Outcome:
        """Reads the file and publishes its rows, unless it is in the store already."""
        flattener = Flattener(self._source.name, self._transaction.work)
        header = self._read(flattener)
        if (self._source.batch_id, self._state) in self.known:
            return self.repeated()
        self._refuse_other_month(header.year_month)
        connection = connect_for_writing(self._transaction.work, self._memory)
        try:
            record, members, report = self._build(connection, flattener, header)
        finally:
            connection.close()
        self._transaction.commit()
        return Outcome(record, False, record["rows_added"], record["duplicates"], members, self._seconds, report)

    def _read(self, flattener: Flattener) -> Header:
        """Reads the file into the flattener's spools."""
        name = self._source.name
        root: dict[str, bytes | None] = {}
        for part in Splitter(name, self._source.chunks(self._progress)).parts():
            if isinstance(part, RootValue):
                refuse_other_kinds(name, part.key)
                root[part.key] = part.text
                if part.key not in STREAMED:
                    continue
                part = _as_run(name, part)  # noqa: PLW2901 - an object or null that stands for a list
            if isinstance(part, Run):
                root.setdefault(part.array, b"[]")
                flattener.add(part)
        if "in_network" not in root:
            raise MrfError(f"{name}: has no in_network array; expected an in-network file")
        flattener.close()
        return read_header(name, root, self._year_month)

    def _build(
        self, connection: Any, flattener: Flattener, header: Header
    ) -> tuple[dict[str, Any], Members, Report | None]:
        """Makes every table's new file, and the batch's record."""
        batch_id, payer = self._source.batch_id, header.reporting_entity_name
        scope = {"state": self._state, "year_month": header.year_month, "reporting_entity_name": payer}
        facts = FactBuilder(scope, batch_id, named_keys(connection, flattener.spools))
        blocks = facts.blocks(flattener.runs.merged())
        append_facts(self._transaction, self._state, header.year_month, blocks)
        keys = facts.used_keys
        raws = facts.raw_ids(keys)
        located = Located(connection, self._transaction, flattener.spools, batch_id)
        report = located.fetch(self._locations, keys, raws)
        tables = FileTables(connection, self._transaction, flattener.spools, header, batch_id, keys, raws)
        members = tables.add_groups()
        tables.add_codes()
        tables.add_places(flattener.pos_sets)
        tables.add_payer()
        tables.add_rejects()
        located.add_unresolved()
        plans = self._provenance.plans | ({header.plan} if header.plan else frozenset())
        write(connection, self._transaction, batch_id, self._state, replace(self._provenance, plans=plans))
        unfetched = {"locations_not_fetched": report.failed} if report else {}
        record = {
            "batch_id": batch_id,
            "state": self._state,
            "source": self._source.name,
            "reporting_entity_name": payer,
            "payer_slug": ids.payer_slug(payer),
            "year_month": header.year_month,
            "last_updated_on": header.last_updated_on,
            "version": header.version,
            "bytes": self._source.bytes_read,
            "in_network_items": flattener.items,
            "rows_read": flattener.rows_read,
            "rows_added": facts.rows,
            "duplicates": facts.duplicates,
            "rows_rejected": flattener.rejected.total(),
            "rows_filtered": 0,
            "rejects": dict(flattener.rejected),
            "notes": {
                name: count for name, count in {**flattener.notes, **members.notes, **unfetched}.items() if count
            },
            "started_at": self._started_at,
            "finished_at": datetime.now(UTC),
            "filters": {},
        }
        tables.add_batch(record)
        return record, members, report

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


def _as_run(name: str, value: RootValue) -> Run | RootValue:
    """A streamed array that is no array: null is an empty one, an object the one element of one."""
    if value.text is None:
        raise MrfError(f"{name}: {value.key} is one large object; expected an array")
    found = value.text.strip()
    if found == b"null":
        return value
    if not found.startswith(b"{"):
        raise MrfError(f"{name}: {value.key} is {found[:20].decode('utf-8', 'replace')}; expected an array")
    return Run(value.key, found, 0)


def rejects_of(record: dict[str, Any]) -> dict[str, int]:
    """The rejected rows of a batch's record by reason, whether it comes from the store or not."""
    rejects = record["rejects"]
    found: dict[str, int] = json.loads(rejects) if isinstance(rejects, str) else rejects
    return found
