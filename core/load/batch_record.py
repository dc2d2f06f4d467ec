"""What the store's record of a file says: whether all that is wanted of it is there, and of which month it is."""

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.load.rate_filters import RateFilter, from_json
from core.reference.nppes.provider_names import hash_npis_in_state
from core.runtime.errors import PayerFileError
from core.store.connection import connect_for_writing
from core.store.generations.store import Store, Transaction

FOUND_LATER = "groups_found_later"
"""The note of groups whose members became known after a filter on providers had left their rates out."""

BatchRecord = dict[str, Any]
"""A row of dim_batch."""


def filters_of(record: BatchRecord) -> list[RateFilter]:
    """The filters that a batch was loaded with, whether its record comes from the store or not."""
    filters = record["filters"]
    return from_json(json.loads(filters) if isinstance(filters, str) else filters)


def is_finished(record: BatchRecord, only: RateFilter) -> bool:
    """Whether the store has all that `only` wants of a file, as far as is known of its providers by now."""
    found_later = json.loads(record["notes"]).get(FOUND_LATER)
    return any(
        one.covers(only)
        and not (one.of_providers and found_later)
        and (not one.in_state or one.register == only.register)
        for one in filters_of(record)
    )


def marked(only: RateFilter, tables: Store | Transaction, work: Path) -> RateFilter:
    """The filter with the mark of what is known by now of where providers are. Raises BeaconError if that is nothing.

    `work` is a directory for what does not fit in memory.
    """
    if not only.in_state:
        return only
    connection = connect_for_writing(work)
    try:
        return replace(only, register=hash_npis_in_state(connection, tables, only.in_state))
    finally:
        connection.close()


def refuse_other_month(name: str, records: Iterable[BatchRecord], year_month: str) -> None:
    """Raises PayerFileError where a file is in the store as another month's; `records` are those of its batch."""
    for record in records:
        if record["year_month"] != year_month:
            raise PayerFileError(
                f"{name}: these rates are in the store already, as {record['year_month']} in {record['state']}, "
                f"and one file has one month; nothing was added for {year_month}"
            )
