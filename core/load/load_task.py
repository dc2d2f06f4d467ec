"""What is loaded of a file, for which states, and what the store has of it already."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from core.load.batch.batch_record import BatchHistory, BatchRecord
from core.load.batch.provenance import Provenance
from core.load.load_sizes import LoadSizes
from core.load.rate_filters import MAX_FILTERS, StateFilters, StateLoad
from core.runtime.errors import PayerFileError
from core.store.generations.store import Transaction
from core.tic.source import Source


@dataclass(frozen=True)
class LoadTask:
    """A file that is to be loaded, and the transaction that it is loaded in."""

    transaction: Transaction
    work: Path
    """A directory of this load alone: workers that a killed load left behind cannot interfere."""
    source: Source
    loads: tuple[StateLoad, ...]
    year_month: str | None
    """The month to use in place of the file's own."""
    payer: str | None
    """The payer's name, for a file that has none."""
    provenance: Provenance
    history: BatchHistory
    started_at: datetime
    processes: int
    sizes: LoadSizes

    def find_finished(self, batch_id: str) -> dict[str, BatchRecord]:
        """Return the file's record for each state for which the store has everything that is wanted of the file."""
        found = ((one.state, self.history.find_finished(batch_id, one.state, one.only)) for one in self.loads)
        return {state: record for state, record in found if record}

    def is_finished(self, batch_id: str) -> bool:
        """Return whether the store has everything that is wanted of the file, for all states."""
        return len(self.find_finished(batch_id)) == len(self.loads)

    def find_loaded(self, batch_id: str, wanted: StateFilters) -> dict[str, BatchRecord]:
        """Return the file's record for each of the states that it was loaded for before."""
        found = ((state, self.history.of_state(batch_id, state)) for state in wanted.by_state)
        return {state: record for state, record in found if record}

    def combine_filters(self, batch_id: str) -> StateFilters:
        """Return the filters of this load and of earlier loads of the file, for the states that lack something.

        Raise PayerFileError for too many.
        """
        finished, name = self.find_finished(batch_id), self.source.name
        found = StateFilters(
            {
                one.state: self.history.combine_filters(name, batch_id, one.state, one.only)
                for one in self.loads
                if one.state not in finished
            }
        )
        if len(found.filters) > MAX_FILTERS:
            raise PayerFileError(
                f"{name}: earlier loads with other filters make {len(found.filters)} filters for {len(found.by_state)} "
                f"states, and one reading of a file can have {MAX_FILTERS}; load it for fewer states at a time"
            )
        return found
