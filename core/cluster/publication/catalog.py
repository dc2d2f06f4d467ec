"""The Iceberg tables of a published store: they catch up with the publication log, each in one commit.

A commit notes the number of the log's entry that its table has reached. It is the commit that the catalog refuses if
another one came first, and what has to be added is worked out again from the note. So each file is registered once,
whatever is killed or races, and nobody has to look for a path among all the others.
"""

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from core.cluster.files.cluster_files import field_ids, table_named
from core.cluster.files.receipts import ClusterFile
from core.cluster.place import PlaceError, StorePlace
from core.store.schema.columns import Table
from core.store.schema.tables import FACT_RATE

NAMESPACE = "beaconpoint"
_NUMBER = "beaconpoint.log"
_OPEN_TRIES = 3
_PROPERTIES = {
    # pyiceberg's own retries register the files again on top of the winner's, which doubles rows.
    "commit.retry.num-retries": "0",
    "commit.manifest-merge.enabled": "true",
    "write.metadata.delete-after-commit.enabled": "true",
    "write.metadata.previous-versions-max": "20",
}


@dataclass(frozen=True)
class TableChange:
    """What a table's next commit does: register files, and let go of others or of all."""

    added: tuple[ClusterFile, ...]
    removed: frozenset[str] = frozenset()
    """Paths below the place."""
    replaces_all: bool = False


@dataclass(frozen=True)
class Catalog:
    """The tables of a place in an Iceberg catalog.

    `uri` is that of a REST catalog (http…), or of a database (postgresql+psycopg2://…, sqlite:///…).
    """

    place: StorePlace
    uri: str
    storage: tuple[tuple[str, str], ...] = ()
    """Properties of the storage, such as s3.endpoint."""

    @cached_property
    def _catalog(self) -> Any:
        from pyiceberg.catalog import load_catalog  # noqa: PLC0415 - an optional dependency

        # It warns of each column of each file that has no lowest and highest value, as ours have none on purpose.
        logging.getLogger("pyiceberg.io.pyarrow").setLevel(logging.ERROR)
        kind = "rest" if self.uri.startswith("http") else "sql"
        for tries_left in reversed(range(_OPEN_TRIES)):
            try:
                found = load_catalog(
                    NAMESPACE, type=kind, uri=self.uri, warehouse=self.place.url_of("_iceberg"), **dict(self.storage)
                )
                found.create_namespace_if_not_exists(NAMESPACE)
            except Exception as error:  # noqa: BLE001 - each kind of catalog raises its own
                # Of several programs that find an empty catalog at once, all but one fail to prepare it.
                if not tries_left:
                    problem = f"the catalog does not answer ({' '.join(str(error).split())[:300]})"
                    raise PlaceError(f"{_without_password(self.uri)}: {problem}") from None
                time.sleep(0.5)
            else:
                return found
        raise AssertionError("the last try returns or raises")

    def table(self, name: str) -> Any:
        """Return a table as it is now. Create it if there is none."""
        from pyiceberg.exceptions import NoSuchTableError, TableAlreadyExistsError  # noqa: PLC0415

        identifier = (NAMESPACE, name)
        try:
            return self._catalog.load_table(identifier)
        except NoSuchTableError:
            try:
                return self._create(table_named(name), identifier)
            except TableAlreadyExistsError:
                return self._catalog.load_table(identifier)

    def number(self, name: str) -> int:
        """Return the number of the log's entry that a table has reached."""
        return _number_of(self.table(name))

    def catch_up(self, name: str, number: int, change: Any) -> str:
        """Bring a table to an entry of the log unless it is there. Return the snapshot's id, or an empty text.

        `change(reached)` returns the TableChange that follows the entry `reached`, or None if there is nothing to do.
        """
        from pyiceberg.exceptions import CommitFailedException  # noqa: PLC0415 - an optional dependency

        while True:
            table = self.table(name)
            reached = _number_of(table)
            todo = change(reached) if reached < number else None
            if todo is None:
                snapshot = table.current_snapshot()
                return str(snapshot.snapshot_id) if snapshot else ""
            try:
                self._commit(table, todo, number)
            except CommitFailedException:
                continue  # another one was faster: look at what is left to do

    def snapshot_paths(self, name: str, snapshots: set[str]) -> set[str]:
        """Return the paths below the place of the files of some of a table's snapshots, and of its newest one."""
        table, start = self.table(name), self.place.url_of("")
        newest = table.current_snapshot()
        wanted = [one for one in table.metadata.snapshots if str(one.snapshot_id) in snapshots or one == newest]
        return {file.file_path.removeprefix(start) for one in wanted for file in _data_files(table, one)}

    def forget_snapshots(self, name: str, kept: set[str]) -> int:
        """Forget all snapshots of a table but those `kept` and the newest. Return how many."""
        table = self.table(name)
        newest = table.current_snapshot()
        old = [
            one.snapshot_id
            for one in table.metadata.snapshots
            if str(one.snapshot_id) not in kept and newest and one.snapshot_id != newest.snapshot_id
        ]
        if old:
            table.maintenance.expire_snapshots().by_ids(old).commit()
        return len(old)

    def _commit(self, table: Any, change: TableChange, number: int) -> None:
        from pyiceberg.table import _parquet_files_to_data_files  # noqa: PLC0415 - what add_files itself calls

        paths = [self.place.url_of(file.path) for file in change.added]
        with table.transaction() as transaction:
            new = _parquet_files_to_data_files(transaction.table_metadata, paths, table.io)
            update = transaction.update_snapshot(snapshot_properties={_NUMBER: str(number)})
            if change.replaces_all or change.removed:
                gone = {self.place.url_of(path) for path in change.removed}
                with update.overwrite() as overwrite:
                    for file in _data_files(table, table.current_snapshot()):
                        if change.replaces_all or file.file_path in gone:
                            overwrite.delete_data_file(file)
                    for file in new:
                        overwrite.append_data_file(file)
            else:
                with update.merge_append() as append:
                    for file in new:
                        append.append_data_file(file)

    def _create(self, table: Table, identifier: tuple[str, str]) -> Any:
        from pyiceberg.partitioning import PartitionField, PartitionSpec  # noqa: PLC0415
        from pyiceberg.transforms import IdentityTransform  # noqa: PLC0415

        schema = _schema(table)
        by = ("state", "year_month") if table is FACT_RATE else ()
        spec = PartitionSpec(
            *(
                PartitionField(schema.find_field(name).field_id, 1000 + number, IdentityTransform(), name)
                for number, name in enumerate(by)
            )
        )
        found = self._catalog.create_table(identifier, schema, partition_spec=spec, properties=_properties(table))
        if found.schema() != schema:
            raise PlaceError(f"{table.name}: the catalog has numbered the columns otherwise than the files do")
        return found


def _properties(table: Table) -> dict[str, str]:
    # Lowest and highest values only of the columns that files are sorted by: a reader skips files by these.
    metrics = {f"write.metadata.metrics.column.{name}": "truncate(40)" for name in table.order}
    return {**_PROPERTIES, "write.metadata.metrics.default": "none", **metrics}


def _schema(table: Table) -> Any:
    from pyiceberg import types  # noqa: PLC0415 - an optional dependency
    from pyiceberg.schema import Schema  # noqa: PLC0415

    kinds = {
        "text": types.StringType(),
        "number": types.DoubleType(),
        "integer": types.LongType(),
        "flag": types.BooleanType(),
        "moment": types.TimestamptzType(),
        "date": types.DateType(),
    }
    fields = []
    for column in table.columns:
        number, element = field_ids(table)[column.name]
        kind = kinds.get(column.type) or types.ListType(element, types.StringType(), element_required=False)
        fields.append(types.NestedField(number, column.name, kind, required=False))
    return Schema(*fields)


def _data_files(table: Any, snapshot: Any) -> Iterator[Any]:
    """Yield the files of a table's snapshot, as an overwrite takes them."""
    for manifest in snapshot.manifests(table.io) if snapshot else ():
        for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=True):
            yield entry.data_file


def _number_of(table: Any) -> int:
    """Return the newest note of a log's entry. Other programs' commits, such as a compaction by Spark, have none."""
    for snapshot in sorted(table.metadata.snapshots, key=lambda one: -(one.sequence_number or 0)):
        if snapshot.summary and snapshot.summary.get(_NUMBER):
            return int(snapshot.summary[_NUMBER])
    return 0


def _without_password(uri: str) -> str:
    scheme, _, rest = uri.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"
