"""Delete what no recent generation needs: replaced files, leftovers of killed tasks, and snapshots."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from core.cluster.files.batch_files import OF_SEVERAL_BATCHES, PUBLISHED
from core.cluster.files.receipts import REJECTS_TABLE, read_receipts
from core.cluster.place import StoredObject
from core.cluster.publication.publication_log import facts_of
from core.cluster.publication.publish import FOLDER, Publisher, read_generation
from core.store.schema.tables import FACT_RATE, REMOVED_RATE


@dataclass(frozen=True)
class Expired:
    """What was deleted."""

    objects: int
    bytes: int
    snapshots: int


def expire(publisher: Publisher, days: float) -> Expired:
    """Delete objects that are older than `days` and that no generation of that time needs, and older snapshots.

    Batches with a receipt stay whether they are published or not. The newest generation stays whatever its age.
    """
    place, log = publisher.place, publisher.log
    before = datetime.now(UTC) - timedelta(days=days)
    log.read()
    generations = place.list(FOLDER)
    # The state of the log at the last generation before the limit was the newest one at the limit: a reader may pin it.
    old = [one for one in generations if one.written_at < before]
    pinned = _number(old[-1]) if old else 0
    kept = [read_generation(place, number) for number in map(_number, generations) if number >= pinned]
    needed = {file.path for file in log.live_facts(pinned)} if pinned else set()
    for entry in log.entries[pinned:]:
        needed |= {file.path for file in facts_of(entry)[1]}
    receipts = [*log.receipts(), *read_receipts(place, log.batches())]
    published = {receipt.batch_id for receipt in log.receipts()}
    for receipt in receipts:
        # Facts of published batches are needed as the log says; everything else stays with its batch.
        needed |= {
            file.path for file in receipt.files if file.table != FACT_RATE.name or receipt.batch_id not in published
        }
    in_force = [one for one in log.corrections(pinned) if one.undone_at is None]
    for correction in (*in_force, *(entry.correction for entry in log.entries[pinned:] if entry.correction)):
        needed |= {file.path for file in correction.removed}
    # Snapshots first: none may name a file that is gone.
    forgotten = 0
    for table in PUBLISHED:
        wanted = {one.snapshots[table.name] for one in kept if one.snapshots.get(table.name)}
        forgotten += publisher.catalog.forget_snapshots(table.name, wanted) if kept else 0
        if table in OF_SEVERAL_BATCHES:
            needed |= publisher.catalog.snapshot_paths(table.name, wanted)
    gone = [
        one
        for name in (*(table.name for table in PUBLISHED), REMOVED_RATE.name, REJECTS_TABLE)
        for one in place.list(name)
        if one.path not in needed and one.written_at < before
    ]
    place.delete(one.path for one in gone)
    place.delete(one.path for one in generations if _number(one) < pinned)
    return Expired(len(gone), sum(one.bytes for one in gone), forgotten)


def _number(generation: StoredObject) -> int:
    return int(generation.path.removesuffix(".json").rpartition("/")[2])
