"""The publication log: numbered entries that say which batches are published. It decides what the store contains.

Entry n is written with a conditional PUT, so that one of several writers gets the number. A batch is in one entry only,
because a writer adds what no entry up to n - 1 has. Everything else follows from the log: the tables of the catalog
catch up with it, generations are its numbers, and a local copy is made from it.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from core.cluster.files.receipts import ClusterFile, Receipt
from core.cluster.place import StorePlace
from core.store.schema.tables import FACT_RATE

FOLDER = "_log"


class ReplacedFiles(msgspec.Struct, frozen=True):
    """Files of facts, and the files that replace them."""

    old: tuple[str, ...]
    new: tuple[ClusterFile, ...]


class PublishedCorrection(msgspec.Struct, frozen=True):
    """A removal of published facts, as the table `corrections` has it, and the files of what it has removed."""

    correction_id: int
    selection: str
    reason: str
    rows: int
    created_at: datetime
    removed: tuple[ClusterFile, ...]
    """With the facts' columns, each of one state and month."""
    undone_at: datetime | None = None


class LogEntry(msgspec.Struct, frozen=True):
    """What one publication has added, or what one compaction or correction has replaced."""

    receipts: tuple[Receipt, ...] = ()
    replaced: ReplacedFiles | None = msgspec.field(default=None, name="compacted")
    """Objects of the log have it under the name that it had when only compactions did so."""
    correction: PublishedCorrection | None = None
    """The correction that has replaced the files: new, or undone."""


@dataclass
class PublicationLog:
    """The log of a place. Entries never change, so those that were read stay in memory."""

    place: StorePlace
    entries: list[LogEntry] = field(default_factory=list)

    def read(self) -> int:
        """Read what is new. Return the number of the last entry."""
        after = _path(len(self.entries)) if self.entries else None
        paths = [one.path for one in self.place.list(FOLDER, after)]
        with ThreadPoolExecutor(16, "log") as pool:
            self.entries += pool.map(lambda path: msgspec.json.decode(self.place.read(path), type=LogEntry), paths)
        return len(self.entries)

    def batches(self) -> set[str]:
        """Return the batches that are published."""
        return {receipt.batch_id for receipt in self.receipts()}

    def receipts(self, number: int | None = None) -> list[Receipt]:
        """Return the receipts of the entries up to a number, in order of their batches: not of their publication."""
        found = [receipt for entry in self.entries[:number] for receipt in entry.receipts]
        return sorted(found, key=lambda receipt: receipt.batch_id)

    def live_facts(self, number: int | None = None) -> list[ClusterFile]:
        """Return the files of facts in the generation of an entry, in order of their paths."""
        live: dict[str, ClusterFile] = {}
        for entry in self.entries[:number]:
            removed, added = facts_of(entry)
            for path in removed:
                del live[path]
            live |= {file.path: file for file in added}
        return [live[path] for path in sorted(live)]

    def corrections(self, number: int | None = None) -> list[PublishedCorrection]:
        """Return the corrections in the generation of an entry as they are there, oldest first."""
        found = {one.correction.correction_id: one.correction for one in self.entries[:number] if one.correction}
        return [found[correction_id] for correction_id in sorted(found)]

    def append(self, make: Callable[[], LogEntry | None]) -> int:
        """Add the entry that `make` returns, if it returns one. Return the number of the last entry.

        `make` sees the whole log in `entries`. It is called again if another writer was faster.
        """
        while True:
            number = self.read() + 1
            entry = make()
            if entry is None or self.place.create(_path(number), msgspec.json.encode(entry)):
                return self.read()


def claim(log: PublicationLog, receipts: Iterable[Receipt]) -> int:
    """Publish the batches that are not published yet. Return the number of the last entry."""
    wanted = {receipt.batch_id: receipt for receipt in receipts}

    def entry() -> LogEntry | None:
        new = sorted(wanted.keys() - log.batches())
        return LogEntry(tuple(wanted[batch] for batch in new)) if new else None

    return log.append(entry)


def replace_facts(
    log: PublicationLog,
    old: Iterable[ClusterFile],
    new: Iterable[ClusterFile],
    correction: PublishedCorrection | None = None,
) -> bool:
    """Put new files of facts in place of old ones. Return False, changing nothing, if an old one is gone.

    A correction is recorded with it. It also gives way to one with its number that is published already.
    """
    gone = {file.path for file in old}
    entry = LogEntry(replaced=ReplacedFiles(tuple(sorted(gone)), tuple(new)), correction=correction)
    done = False

    def make() -> LogEntry | None:
        nonlocal done
        done = gone <= {file.path for file in log.live_facts()} and _follows(log, correction)
        return entry if done else None

    log.append(make)
    return done


def _follows(log: PublicationLog, correction: PublishedCorrection | None) -> bool:
    """Return whether a correction is a new one, or undoes one that is in force."""
    if correction is None:
        return True
    before = {one.correction_id: one for one in log.corrections()}.get(correction.correction_id)
    return before is None if correction.undone_at is None else before is not None and before.undone_at is None


def facts_of(entry: LogEntry) -> tuple[tuple[str, ...], list[ClusterFile]]:
    """Return the paths of the facts' files that an entry removes, and the files that it adds."""
    if entry.replaced:
        return entry.replaced.old, list(entry.replaced.new)
    return (), files_of(entry.receipts, FACT_RATE.name)


def files_of(receipts: Iterable[Receipt], table: str) -> list[ClusterFile]:
    """Return the files of a table, in order of the receipts."""
    return [file for receipt in receipts for file in receipt.files if file.table == table]


def _path(number: int) -> str:
    return f"{FOLDER}/{number:08}.json"
