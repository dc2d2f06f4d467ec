"""The facts of a local copy: which published files they come from, what a refresh downloads, and what stays out.

A file of facts is a published one, byte for byte, until a command of this machine rewrites it, as correct_rates does.
So the copy notes which published files it has, and under which names. Facts that a correction made here has taken out
stay out when their file is downloaded again.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from core.cluster.copies.copied_corrections import is_published
from core.cluster.files.receipts import ClusterFile
from core.cluster.place import StorePlace
from core.runtime.progress import Progress
from core.store.changes.removal import take_out
from core.store.changes.selection import Selection
from core.store.generations.layout import StateMonth
from core.store.generations.manifest import DataFile
from core.store.generations.store import Transaction
from core.store.schema.tables import FACT_RATE, REMOVED_RATE

COPIED_FACTS = "copied_facts"
"""A table of each generation of a copy: the paths of published files, and those of their copies here."""


@dataclass(frozen=True)
class FactChange:
    """What a refresh does with files of facts."""

    new: tuple[ClusterFile, ...] = ()
    """Published files to download."""
    old: tuple[DataFile, ...] = ()
    """Files of this machine to let go."""
    kept: tuple[tuple[str, str], ...] = ()
    """Published files that are here, with the names of their copies."""

    @property
    def periods(self) -> tuple[StateMonth, ...]:
        """Return the states and months whose facts change."""
        found = {StateMonth(file.state, file.year_month) for file in self.new}
        found |= {StateMonth(*(part.partition("=")[2] for part in file.shard.split("/"))) for file in self.old}
        return tuple(sorted(found))


def plan_change(transaction: Transaction, wanted: Sequence[ClusterFile]) -> FactChange:
    """Return what has to be done so that the copy has these published files and no others."""
    here = {file.path: file for file in transaction.files(FACT_RATE.name)}
    copied = _read(transaction)
    new = [file for file in wanted if file.path not in copied]
    gone = copied.keys() - {file.path for file in wanted}
    # Where a command has rewritten facts, nothing tells which published file they are from: the shard starts over.
    rewritten = {path for path, name in copied.items() if name not in here}
    redone = {_folder(path) for path in (*gone, *(file.path for file in new))} & set(map(_folder, rewritten))
    shards = {folder.partition("/")[2] for folder in redone}
    old = [file for file in here.values() if file.shard in shards]
    old += [here[copied[path]] for path in gone if _folder(path) not in redone]
    return FactChange(
        tuple(file for file in wanted if file in new or _folder(file.path) in redone),
        tuple(sorted(old, key=lambda file: file.path)),
        tuple((path, name) for path, name in copied.items() if path not in gone and _folder(path) not in redone),
    )


def put_facts(
    transaction: Transaction,
    connection: duckdb.DuckDBPyConnection,
    place: StorePlace,
    change: FactChange,
    progress: Progress | None,
) -> None:
    """Download what is new, and take out what corrections have taken out before."""
    transaction.replace(FACT_RATE.name, change.old)
    copied = dict(change.kept)
    done, every = 0, sum(file.bytes for file in change.new)
    for file in change.new:
        shard = _shard(transaction, file)
        path = transaction.new_file_like(DataFile(f"files/{file.path}", file.rows, file.bytes, shard))
        path.unlink()  # the reserved name: a download never writes over a file
        place.download(file.path, path)
        transaction.replace(FACT_RATE.name, (), path, file.rows, shard)
        copied[file.path] = path.relative_to(transaction.root).as_posix()
        done += file.bytes
        if progress:
            progress(done, every)
    if change.new:
        _correct(transaction, connection)
    path = transaction.new_file(COPIED_FACTS)
    pq.write_table(pa.table({"published": list(copied), "here": list(copied.values())}), path)
    transaction.put(COPIED_FACTS, path, len(copied))


def _correct(transaction: Transaction, connection: duckdb.DuckDBPyConnection) -> None:
    # What a correction of the published store has taken out is not in its files. Undone since, it has to come back.
    files = transaction.files(REMOVED_RATE.name)
    removed = [transaction.path(file) for file in files if file.rows and not is_published(file)]
    if removed:
        uids = transaction.work / "corrected.txt"
        uids.write_text("\n".join(pl.read_parquet(removed, columns=["fact_uid"])["fact_uid"]), encoding="utf-8")
        take_out(transaction, connection, Selection(uids=uids))


def _read(transaction: Transaction) -> dict[str, str]:
    """Return the published files that the copy has, with their names here."""
    paths = transaction.paths(COPIED_FACTS)
    if not paths:  # a copy that an older version has made: each file has its published name
        return {file.path.removeprefix("files/"): file.path for file in transaction.files(FACT_RATE.name)}
    return {row["published"]: row["here"] for path in paths for row in pq.read_table(path).to_pylist()}


def _folder(path: str) -> str:
    """Return the folder of a published file: `fact_rate/state=GA/year_month=2025-08`."""
    return path.rpartition("/")[0]


def _shard(transaction: Transaction, file: ClusterFile) -> str:
    return transaction.layout.shard(StateMonth(file.state, file.year_month))
