"""What became of one file."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from core.fields.providers.payer_slug import make_payer_slug
from core.load.batch.batch_record import BatchRecord
from core.load.facts.build_facts import BuiltFacts, FactScope
from core.load.providers.group_tables import MemberCounts
from core.load.rate_filters import RateFilter
from core.load.read_file import FileContent
from core.load.remote.fetch_groups import FetchReport
from core.load.stage_timing import StageTime
from core.load.staging.group_key_set import union
from core.tic.header import Header
from core.tic.source import Source


@dataclass(frozen=True)
class LoadOutcome:
    """What became of one file: its row of dim_batch, and what else a summary says."""

    record: BatchRecord
    loaded_before: bool
    """Whether everything wanted of it was in the store already. Then nothing has changed."""
    rows_added: int
    duplicates: int
    members: MemberCounts | None
    seconds: float
    stages: tuple[StageTime, ...]
    locations: FetchReport | None = None
    """What became of members at other URLs, if the file has any."""


@dataclass(frozen=True)
class FactCounts:
    """The fact rows of one file by what became of them."""

    facts: int
    """New facts."""
    duplicates: int
    filtered: int
    known: int
    """Facts that the store has already, or that were taken out of it for good."""
    used: npt.NDArray[np.int32] | None
    """The positions of the groups that facts name, None if those are all groups that price rows name."""


def count_facts(built: Sequence[BuiltFacts], scope: FactScope, left_out: int) -> FactCounts:
    """Return the counts of all partitions of a state together. `left_out` rows were routed to other states alone."""
    used = [each.used for each in built if each.used is not None]
    by_provider = any(one.of_providers for one in scope.filters)
    return FactCounts(
        facts=sum(each.segment.rows for each in built if each.segment),
        duplicates=sum(each.duplicates for each in built),
        filtered=sum(each.filtered for each in built) + left_out,
        known=sum(each.known for each in built),
        used=union(used) if used or by_provider else None,
    )


def make_batch_record(
    *,
    source: Source,
    state: str,
    header: Header,
    content: FileContent,
    counts: FactCounts,
    filters: tuple[RateFilter, ...],
    bits: int,
    notes: Mapping[str, int],
    started_at: datetime,
) -> BatchRecord:
    """Return the file's row of dim_batch for a state. `rejects`, `notes`, and `filters` are not JSON text yet.

    `filters` are the state's, and `bits` are their bits among those that the file was read with.
    """
    rejected = content.rejected_for(bits)
    of_others = content.rejected.total() - rejected.total()
    every = [one.as_json() for one in filters]
    return {
        "batch_id": content.batch_id,
        "state": state,
        "source": source.name,
        "reporting_entity_name": header.reporting_entity_name,
        "payer_slug": make_payer_slug(header.reporting_entity_name),
        "year_month": header.year_month,
        "last_updated_on": header.last_updated_on,
        "version": header.version,
        "bytes": content.bytes_read,
        "in_network_items": content.items,
        "rows_read": content.rows_read,
        "rows_added": counts.facts + counts.known,
        "duplicates": counts.duplicates,
        "rows_rejected": rejected.total(),
        "rows_filtered": content.rows_filtered + of_others + counts.filtered,
        "rejects": dict(rejected),
        "notes": {name: count for name, count in notes.items() if count},
        "started_at": started_at,
        "finished_at": datetime.now(UTC),
        "filters": every[0] if len(every) == 1 else every,
    }


def rejects_of(record: BatchRecord) -> dict[str, int]:
    """Return the rejected rows of a file by reason, whether or not its record comes from the store."""
    rejects: Any = record["rejects"]
    found: dict[str, int] = json.loads(rejects) if isinstance(rejects, str) else rejects
    return found
