"""The store's records of files: whether it has everything wanted of a file, and of which month the file is."""

import json
from collections.abc import Collection, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from core.load.rate_filters import MAX_FILTERS, RateFilter, filters_from_json, widen
from core.reference.nppes.provider_names import hash_npis_by_state
from core.runtime.errors import PayerFileError
from core.store.generations.store import Store, Transaction
from core.store.schema.tables import DIM_BATCH
from core.store.writer_connection import connect_for_writing
from core.tic.source import Source

FOUND_LATER = "groups_found_later"
"""The note of groups whose members became known after a filter on providers had left their rates out."""

BatchRecord = dict[str, Any]
"""A row of dim_batch."""


@dataclass(frozen=True)
class BatchHistory:
    """The records of all files in the store, before a load."""

    records: tuple[BatchRecord, ...]

    def may_include(self, source: Source) -> bool:
        """Return whether a file looks like one that was loaded: the same name, or the same size.

        A gzip file tells its size only modulo 2**32.
        """
        return any(
            record["source"] == source.name or record["bytes"] % 2**32 == source.json_size for record in self.records
        )

    def of_file(self, batch_id: str) -> tuple[BatchRecord, ...]:
        """Return the records of one file, one for each state it was loaded for."""
        return tuple(record for record in self.records if record["batch_id"] == batch_id)

    def of_state(self, batch_id: str, state: str) -> BatchRecord | None:
        """Return the record of one file for one state."""
        return next((record for record in self.of_file(batch_id) if record["state"] == state), None)

    def find_finished(self, batch_id: str, state: str, only: RateFilter) -> BatchRecord | None:
        """Return a file's record if the store has everything that `only` wants of the file."""
        record = self.of_state(batch_id, state)
        return record if record and is_finished(record, only) else None

    def combine_filters(self, name: str, batch_id: str, state: str, only: RateFilter) -> tuple[RateFilter, ...]:
        """Return the filters of earlier loads of the file `name`, and `only`. Raise PayerFileError for too many."""
        record = self.of_state(batch_id, state)
        filters = tuple(widen(filters_of(record) if record else [], only))
        if len(filters) > MAX_FILTERS:
            raise PayerFileError(
                f"{name}: loaded with {MAX_FILTERS} different filters already, which is the most a file can have; "
                "load it without a filter, or with one filter that has all their values"
            )
        return filters

    def filtered_elsewhere(self, batch_id: str, states: Collection[str]) -> bool:
        """Return whether a file was loaded for a state that is not among `states` with a filter on providers.

        That load may have left out rates of groups whose members become known only now.
        """
        others = (record for record in self.of_file(batch_id) if record["state"] not in states)
        return any(one.of_providers for record in others for one in filters_of(record))


def read_batch_history(transaction: Transaction) -> BatchHistory:
    """Return the records of all files in the store."""
    paths = transaction.paths(DIM_BATCH.name)
    return BatchHistory(tuple(record for path in paths for record in pq.read_table(path).to_pylist()))


def filters_of(record: BatchRecord) -> list[RateFilter]:
    """Return the filters that a file was loaded with, whether or not its record comes from the store."""
    filters = record["filters"]
    return filters_from_json(json.loads(filters) if isinstance(filters, str) else filters)


def is_finished(record: BatchRecord, only: RateFilter) -> bool:
    """Return whether the store has everything that `only` wants of a file, given what is known of its providers."""
    found_later = json.loads(record["notes"]).get(FOUND_LATER)
    return any(
        one.covers(only)
        and not (one.of_providers and found_later)
        and (not one.in_state or one.register == only.register)
        for one in filters_of(record)
    )


def add_register_hashes(
    filters: Sequence[RateFilter], tables: Store | Transaction, work: Path
) -> tuple[RateFilter, ...]:
    """Return the filters, those by state with a hash of what the store knows about providers in that state.

    `work` is a directory for what does not fit in memory. Raise BeaconError if nothing is known about states.
    """
    states = {only.in_state for only in filters if only.in_state}
    if not states:
        return tuple(filters)
    with closing(connect_for_writing(work)) as connection:
        hashes = hash_npis_by_state(connection, tables, states)
    return tuple(replace(only, register=hashes[only.in_state]) if only.in_state else only for only in filters)


def refuse_other_month(name: str, records: Iterable[BatchRecord], year_month: str) -> None:
    """Raise PayerFileError if one of the records of a file has another month."""
    for record in records:
        if record["year_month"] != year_month:
            raise PayerFileError(
                f"{name}: these rates are in the store already, as {record['year_month']} in {record['state']}, "
                f"and one file has one month; nothing was added for {year_month}"
            )
