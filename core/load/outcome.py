"""What became of one file."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from core.fields.payer_slug import make_payer_slug
from core.load.dimension_tables import MemberCounts
from core.load.facts.build_facts import BuiltFacts
from core.load.providers.group_key_set import union
from core.load.rate_filters import RateFilter
from core.load.read_file import FileContent
from core.load.remote.fetch_groups import FetchReport
from core.load.stage_timing import StageTimes
from core.tic.header import Header
from core.tic.source import Source


@dataclass(frozen=True)
class LoadOutcome:
    """What became of one file: the columns of its dim_batch row in `record`, and what else a summary tells."""

    record: dict[str, Any]
    loaded_before: bool
    """Whether all of it that is wanted was in the store for this state already; then nothing has changed."""
    rows_added: int
    duplicates: int
    members: MemberCounts | None
    seconds: float
    stages: StageTimes
    locations: FetchReport | None = None
    """What became of the members that are elsewhere on the web, where that was tried."""


@dataclass
class FactCounts:
    """Fact rows of one file by what became of them."""

    facts: int = 0
    duplicates: int = 0
    filtered: int = 0
    known: int = 0
    _used: list[npt.NDArray[np.int32]] = field(default_factory=list)

    def add(self, built: BuiltFacts) -> None:
        """Takes in what became of a share."""
        self.facts += built.segment.rows if built.segment else 0
        self.duplicates += built.duplicates
        self.filtered += built.filtered
        self.known += built.known
        if built.used is not None:
            self._used.append(built.used)

    @property
    def used(self) -> npt.NDArray[np.int32] | None:
        """The places of the groups that facts name; None where that is all groups that price rows name."""
        return union(self._used) if self._used else None


def batch_record(
    source: Source,
    state: str,
    header: Header,
    content: FileContent,
    counts: FactCounts,
    filters: tuple[RateFilter, ...],
    notes: dict[str, int],
    started_at: datetime,
) -> dict[str, Any]:
    """The batch's row of dim_batch; `rejects`, `notes` (oddities that are no rows) and `filters` are no text yet."""
    every = [one.as_json() for one in filters]
    return {
        "batch_id": source.batch_id,
        "state": state,
        "source": source.name,
        "reporting_entity_name": header.reporting_entity_name,
        "payer_slug": make_payer_slug(header.reporting_entity_name),
        "year_month": header.year_month,
        "last_updated_on": header.last_updated_on,
        "version": header.version,
        "bytes": source.bytes_read,
        "in_network_items": content.items,
        "rows_read": content.rows_read,
        "rows_added": counts.facts + counts.known,
        "duplicates": counts.duplicates,
        "rows_rejected": content.rejected.total(),
        "rows_filtered": content.rows_filtered + counts.filtered,
        "rejects": dict(content.rejected),
        "notes": {name: count for name, count in notes.items() if count},
        "started_at": started_at,
        "finished_at": datetime.now(UTC),
        "filters": every[0] if len(every) == 1 else every,
    }


def rejects_of(record: dict[str, Any]) -> dict[str, int]:
    """The rejected rows of a batch's record by reason, whether it comes from the store or not."""
    rejects = record["rejects"]
    found: dict[str, int] = json.loads(rejects) if isinstance(rejects, str) else rejects
    return found
