"""Take facts out of a published store, and put them back.

As a compaction does, a correction writes files of facts in place of others, and one entry of the log says so. So
copies, rates that are read from S3, and other engines have it with the next generation. What was taken out stays in
files of its own, from which it is put back.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import msgspec
import pyarrow as pa

from core.cluster.files.cluster_files import content_name, folder_of, write_cluster_file
from core.cluster.files.merge_batches import merged_rows
from core.cluster.files.receipts import ClusterFile
from core.cluster.place import StorePlace
from core.cluster.publication.publication_log import PublicationLog, PublishedCorrection, files_of, replace_facts
from core.cluster.publication.publish import Publisher, fetch_files
from core.cluster.scratch import scratch_folder
from core.runtime.errors import BeaconError
from core.runtime.progress import Progress
from core.store.changes.corrections import FIRST_PUBLISHED
from core.store.changes.removal import Preview, find_chosen, marked_rows, preview_facts
from core.store.changes.selection import Selection
from core.store.remote_facts import allow_s3
from core.store.schema.tables import DIM_PAYER_BRIDGE, DIM_PROVIDER_GROUP, FACT_RATE, REMOVED_RATE
from core.store.sql import parquet_rows
from core.store.writer_connection import connect_for_writing

_BATCH = re.compile("[0-9a-f]{32}")


def remove_published(
    publisher: Publisher,
    selection: Selection,
    reason: str,
    scratch: Path,
    memory: str = "1GB",
    progress: Progress | None = None,
) -> PublishedCorrection:
    """Take the selected facts out of the published store, remember them, and publish a generation.

    It begins again if a compaction or another correction has replaced one of its files meanwhile. Files that are
    published meanwhile stay as they are. `progress` gets the facts of the files that are rewritten.

    Raise BeaconError if no reason is given or no fact is selected; nothing is published then.
    """
    if not reason.strip():
        raise BeaconError("a removal needs a reason, so that it can be understood later: --reason TEXT")
    log = publisher.log
    while True:
        log.read()
        with _search(log, selection, scratch, memory) as search:
            old, new, removed = search.take_out(progress)
        if not removed:
            raise BeaconError("no fact is selected; nothing was removed (--dry-run counts what a selection finds)")
        correction = PublishedCorrection(
            correction_id=1 + max((one.correction_id for one in log.corrections()), default=FIRST_PUBLISHED - 1),
            selection=json.dumps(selection.given),
            reason=reason.strip(),
            rows=sum(file.rows for file in removed),
            created_at=datetime.now(UTC),
            removed=tuple(removed),
        )
        if replace_facts(log, old, new, correction):
            publisher.finish()
            return correction


def undo_published(publisher: Publisher, correction_id: int, scratch: Path) -> PublishedCorrection:
    """Put back exactly the facts that a correction has taken out of the published store, and publish a generation.

    Raise BeaconError if no such correction is in force.
    """
    log = publisher.log
    while True:
        log.read()
        known = {one.correction_id: one for one in log.corrections()}
        before = known.get(correction_id)
        if before is None:
            numbers = ", ".join(map(str, known)) or "none"
            raise BeaconError(
                f"there is no correction {correction_id} in the published store; its corrections are: {numbers}"
            )
        if before.undone_at is not None:
            raise BeaconError(f"correction {correction_id} was undone on {before.undone_at:%Y-%m-%d at %H:%M} UTC")
        with scratch_folder(scratch) as work:
            back = [_put_back(log.place, file, work) for file in before.removed]
        correction = msgspec.structs.replace(before, undone_at=datetime.now(UTC))
        if replace_facts(log, (), back, correction):
            publisher.finish()
            return correction


def preview_published(log: PublicationLog, selection: Selection, scratch: Path, memory: str = "1GB") -> Preview:
    """Count what a removal would take out. Change nothing."""
    log.read()
    with _search(log, selection, scratch, memory) as search:
        return search.preview()


@dataclass(frozen=True)
class _Search:
    """A search for selected facts in the files that may have some."""

    connection: duckdb.DuckDBPyConnection
    place: StorePlace
    selection: Selection
    files: Sequence[ClusterFile]
    work: Path

    def preview(self) -> Preview:
        """Count what is selected."""
        paths = [self.place.readable(file.path) for file in self.files]
        return preview_facts(self.connection, paths, self.selection) if paths else Preview(0, {}, [])

    def take_out(self, progress: Progress | None) -> tuple[list[ClusterFile], list[ClusterFile], list[ClusterFile]]:
        """Upload files without the selected facts, and files of those. Return the old, the new, and the latter."""
        old = self._files_with_selected()
        new: list[ClusterFile] = []
        removed: list[ClusterFile] = []
        done, every = 0, sum(file.rows for file in old)
        for file in old:
            here = self.work / "facts.parquet"
            self.place.download(file.path, here)
            chosen = find_chosen(self.connection, str(here), file.rows, self.selection)
            removed.append(self._upload(file, REMOVED_RATE.name, marked_rows(str(here), chosen)))
            if not chosen.all():
                new.append(self._upload(file, FACT_RATE.name, marked_rows(str(here), ~chosen)))
            here.unlink()
            done += file.rows
            if progress:
                progress(done, every)
        return old, new, removed

    def _files_with_selected(self) -> list[ClusterFile]:
        # Where they are: of a file on S3 only the columns of the conditions are read, and of those what may match.
        addresses = {self.place.readable(file.path): file for file in self.files}
        if not addresses:
            return []
        found = self.connection.execute(
            f"""SELECT DISTINCT filename FROM {parquet_rows(list(addresses), "filename = true")} f
                WHERE {self.selection.where} ORDER BY 1""",
            self.selection.parameters,
        ).fetchall()
        return [addresses[address] for (address,) in found]

    def _upload(self, like: ClusterFile, table: str, blocks: Iterable[pa.Table]) -> ClusterFile:
        path = self.work / "upload.parquet"
        rows = write_cluster_file(path, FACT_RATE, blocks)
        folder = folder_of(table, like.state, like.year_month)
        target = f"{folder}/{_made_from(like)}-{content_name(path)}.parquet"
        self.place.write(target, path)
        size = path.stat().st_size
        path.unlink()
        return ClusterFile(table, target, rows, size, like.state, like.year_month)


@contextmanager
def _search(log: PublicationLog, selection: Selection, scratch: Path, memory: str) -> Iterator[_Search]:
    files = [file for file in log.live_facts() if _may_have(file, selection)]
    with scratch_folder(scratch) as work, closing(connect_for_writing(work, memory)) as connection:
        paths = {}
        receipts = [one for one in log.receipts() if selection.batch in {None, one.batch_id}]
        if not receipts:
            raise BeaconError(f"batch {selection.batch} is not published")
        for table, needed in ((DIM_PROVIDER_GROUP, selection.batch), (DIM_PAYER_BRIDGE, selection.payer)):
            if needed:
                merged = work / f"{table.name}.parquet"
                rows = merged_rows(table, fetch_files(log.place, files_of(receipts, table.name), work))
                connection.sql(rows).write_parquet(str(merged))
                paths[table.name] = [str(merged)]
        selection.prepare(connection, paths)
        if log.place.url.startswith("s3://"):
            allow_s3(connection, [log.place.url_of(f"{FACT_RATE.name}/")])
        yield _Search(connection, log.place, selection, files, work)


def _may_have(file: ClusterFile, selection: Selection) -> bool:
    """Return whether a file may have selected facts, by its state, month, and name."""
    batch = _made_from(file)
    return (
        selection.state in {None, file.state}
        and selection.year_month in {None, file.year_month}
        and not (selection.batch and _BATCH.fullmatch(batch) and batch != selection.batch)
    )


def _made_from(file: ClusterFile) -> str:
    """Return the batch that a file of facts is from, or another word if a compaction has made it."""
    return file.path.rpartition("/")[2].partition("-")[0]


def _put_back(place: StorePlace, file: ClusterFile, work: Path) -> ClusterFile:
    """Copy a file of removed facts to where facts are. Return it as it is there."""
    here = work / file.path
    place.download(file.path, here)
    target = f"{folder_of(FACT_RATE.name, file.state, file.year_month)}/{here.name}"
    place.write(target, here)
    here.unlink()
    return msgspec.structs.replace(file, table=FACT_RATE.name, path=target)
