"""The manifest: the one list of the files of a generation."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from core.errors import BeaconError

FORMAT = 1
"""The number of the store's format, so that an older program refuses a newer store."""


RECORDS = ("dq_run", "dq_finding")
"""Tables that tell of the data and are none themselves: what dq_check found."""


class StoreError(BeaconError):
    """The store cannot be read or written; nothing has changed."""


@dataclass(frozen=True)
class DataFile:
    """One file of a table: its path relative to the data directory, and what part of the table it holds.

    `shard` is '' where a table is one file; the facts' shards are those of the layout, those of `removed_rate` are the
    corrections' ids.
    """

    path: str
    rows: int
    bytes: int
    shard: str = ""


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

    def rows(self, table: str) -> int:
        """How many rows a table has."""
        return sum(file.rows for file in self.tables.get(table, ()))

    @property
    def data_version(self) -> str:
        """What is another whenever the data is, and the same in generations that differ in RECORDS alone.

        Files never change, so their names tell. Tables without rows do not count: a new one comes into being empty.
        """
        paths = [file.path for name, files in self.tables.items() if name not in RECORDS for file in files if file.rows]
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
