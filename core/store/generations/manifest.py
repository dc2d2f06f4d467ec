"""The manifest: the one list of the files of a generation."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from core.runtime.errors import BeaconError

FORMAT = 1
"""The number of the store's format, so that an older program refuses a newer store."""


RECORDS = ("dq_run", "dq_finding")
"""Tables that tell of the data and are none themselves: what dq_check found."""


BY_GROUP = "rate_by_group"
"""The copies of the facts' files that are sorted by provider group, see by_group.py. Each is a shard of its own."""


class StoreError(BeaconError):
    """The store cannot be read or written; nothing has changed."""


@dataclass(frozen=True)
class DataFile:
    """One file of a table: its path relative to the data directory, and what part of the table it holds.

    `shard` is '' where a table is one file; the facts' shards are those of the layout, those of `removed_rate` are the
    corrections' ids, and that of a copy (BY_GROUP) tells which file it is a copy of.
    """

    path: str
    rows: int
    bytes: int
    shard: str = ""

    @property
    def copy_shard(self) -> str:
        """The shard of this file's copy. Its folders are those of the file, so that they tell state and month."""
        name = hashlib.md5(self.path.encode(), usedforsecurity=False).hexdigest()
        return f"{self.shard}/{name}" if self.shard else name


@dataclass(frozen=True)
class Manifest:
    """One generation: the files of every table, and of the rejects by batch."""

    generation: int
    created_at: str
    layout: str
    tables: dict[str, tuple[DataFile, ...]]
    rejects: dict[str, DataFile] = field(default_factory=dict)

    def paths(self, root: Path, table: str) -> list[str]:
        """Absolute paths of a table's files."""
        return [str(root / file.path) for file in self.tables.get(table, ())]

    def copies(self, facts: Iterable[DataFile]) -> dict[DataFile, DataFile]:
        """Those of the facts' files that have a copy sorted by provider group, with it."""
        by_shard = {file.shard: file for file in self.tables.get(BY_GROUP, ())}
        return {file: by_shard[file.copy_shard] for file in facts if file.copy_shard in by_shard}

    def rows(self, table: str) -> int:
        """How many rows a table has."""
        return sum(file.rows for file in self.tables.get(table, ()))

    @property
    def data_version(self) -> str:
        """What is another whenever the data is, and the same in generations that differ in RECORDS or copies alone.

        Files never change, so their names tell. Tables without rows do not count: a new one comes into being empty.
        """
        tables = [files for name, files in self.tables.items() if name not in {*RECORDS, BY_GROUP}]
        paths = [file.path for files in tables for file in files if file.rows]
        return hashlib.md5("\n".join(sorted(paths)).encode(), usedforsecurity=False).hexdigest()

    @property
    def files(self) -> Iterator[DataFile]:
        """Every file of the generation."""
        for files in self.tables.values():
            yield from files
        yield from self.rejects.values()

    def text(self) -> bytes:
        """The manifest as JSON."""
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=1).encode()


def read_manifest(text: bytes, path: Path) -> Manifest:
    """A manifest from its JSON. Raises StoreError, which names `path`."""
    try:
        fields = json.loads(text)
        if fields.pop("format", FORMAT) != FORMAT:
            raise StoreError(f"{path}: written by a newer version of this program; use that version")
        tables = {name: tuple(DataFile(**file) for file in files) for name, files in fields.pop("tables").items()}
        rejects = {batch_id: DataFile(**file) for batch_id, file in fields.pop("rejects").items()}
        return Manifest(**fields, tables=tables, rejects=rejects)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise StoreError(f"{path}: not a manifest of this program ({error}); restore it from manifests/") from None
