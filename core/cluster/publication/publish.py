"""Publish receipts: the log first, then the tables of the catalog, then a generation that readers pin."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import msgspec

from core.cluster.files.batch_files import OF_ONE_BATCH, OF_SEVERAL_BATCHES
from core.cluster.files.cluster_files import content_name, write_cluster_file
from core.cluster.files.merge_batches import merged_rows, sorted_blocks
from core.cluster.files.receipts import ClusterFile, Receipt, read_receipts
from core.cluster.place import StorePlace
from core.cluster.publication.catalog import Catalog, TableChange
from core.cluster.publication.publication_log import PublicationLog, claim, facts_of, files_of
from core.store.schema.columns import Table
from core.store.schema.tables import FACT_RATE
from core.store.writer_connection import connect_for_writing

FOLDER = "_generations"
_GROUP_ROWS = 122_880


class ClusterGeneration(msgspec.Struct, frozen=True):
    """A state of all tables: an entry of the log, and the snapshot of each table that belongs to it."""

    number: int
    snapshots: dict[str, str]


@dataclass(frozen=True)
class Publisher:
    """What publishing needs. `work` is a directory for downloads of small tables, which may be kept."""

    log: PublicationLog
    catalog: Catalog
    work: Path

    @property
    def place(self) -> StorePlace:
        """Return the place."""
        return self.log.place

    def claim_all(self) -> int:
        """Publish in the log every batch that has a receipt, of this run or an earlier one. Return the last number."""
        self.log.read()
        return self.claim(read_receipts(self.place, self.log.batches()))

    def claim(self, receipts: Iterable[Receipt]) -> int:
        """Publish batches in the log, and register their facts. Readers see them with the next generation."""
        number = claim(self.log, receipts)
        self._register(FACT_RATE, number)
        return number

    def finish(self) -> ClusterGeneration:
        """Bring all tables to the end of the log, and write the generation. Return the newest generation.

        A table that another publisher has brought further makes this generation unnecessary: that one writes a newer.
        """
        while True:
            number = self.log.read()
            if not number:
                return ClusterGeneration(0, {})  # nothing was ever published, and readers are told so
            snapshots = {table.name: self._register(table, number) for table in (FACT_RATE, *OF_ONE_BATCH)}
            for table in OF_SEVERAL_BATCHES:
                snapshots[table.name] = self._merge(table, number)
            names = [name for name, snapshot in snapshots.items() if snapshot]
            if all(self.catalog.number(name) <= number for name in names):
                generation = ClusterGeneration(number, snapshots)
                self.place.create(f"{FOLDER}/{number:08}.json", msgspec.json.encode(generation))
                return newest_generation(self.place) or generation

    def _register(self, table: Table, number: int) -> str:
        def change(reached: int) -> TableChange | None:
            entries = self.log.entries[reached:number]
            if table is not FACT_RATE:
                added = files_of((receipt for entry in entries for receipt in entry.receipts), table.name)
                return TableChange(tuple(added)) if added else None
            gone: set[str] = set()
            live: dict[str, ClusterFile] = {}
            for entry in entries:
                removed, new = facts_of(entry)
                gone |= {path for path in removed if live.pop(path, None) is None}
                live |= {file.path: file for file in new}
            return TableChange(tuple(live.values()), frozenset(gone)) if live or gone else None

        return self.catalog.catch_up(table.name, number, change)

    def _merge(self, table: Table, number: int) -> str:
        def change(reached: int) -> TableChange | None:
            entries = self.log.entries[reached:number]
            new = files_of((receipt for entry in entries for receipt in entry.receipts), table.name)
            return TableChange((self._merged_file(table, number),), replaces_all=True) if new else None

        return self.catalog.catch_up(table.name, number, change)

    def _merged_file(self, table: Table, number: int) -> ClusterFile:
        self.work.mkdir(parents=True, exist_ok=True)
        paths = fetch_files(self.place, files_of(self.log.receipts(number), table.name), self.work)
        path = self.work / f"merged-{uuid4().hex}.parquet"
        with closing(connect_for_writing(self.work)) as connection:
            blocks = sorted_blocks(connection, table, merged_rows(table, paths), _GROUP_ROWS)
            rows = write_cluster_file(path, table, blocks)
        target = f"{table.name}/merged-{number:08}-{content_name(path)}.parquet"
        self.place.write(target, path)
        size = path.stat().st_size
        path.unlink()
        return ClusterFile(table.name, target, rows, size)


def fetch_files(place: StorePlace, files: Iterable[ClusterFile], to: Path) -> list[str]:
    """Download files into a folder, those that are not there. Return their local paths, in order."""

    def fetch(file: ClusterFile) -> str:
        path = to / file.path
        place.download(file.path, path)
        return str(path)

    with ThreadPoolExecutor(8, "downloads") as pool:
        return list(pool.map(fetch, files))


def newest_generation(place: StorePlace) -> ClusterGeneration | None:
    """Return the newest generation, or None if nothing is published yet."""
    found = place.list(FOLDER)
    return msgspec.json.decode(place.read(found[-1].path), type=ClusterGeneration) if found else None


def read_generation(place: StorePlace, number: int) -> ClusterGeneration:
    """Return a generation by its number."""
    return msgspec.json.decode(place.read(f"{FOLDER}/{number:08}.json"), type=ClusterGeneration)
