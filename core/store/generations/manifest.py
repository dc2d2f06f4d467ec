"""The manifest: the list of all files of a generation."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from core.runtime.errors import BeaconError
from core.store.schema.lookups import LOOKUP, LOOKUPS, Lookup
from core.store.schema.tables import FACT_RATE, RATE_BY_GROUP, newest_format

CHECKSUMS_SINCE = 3
"""The format from which on the manifest has a checksum and the true size of every file."""

FORMAT = max(newest_format(), CHECKSUMS_SINCE)
"""The store's format: that of its newest table or column (`since`), which an older program does not know.

    1  up to commit 277b1b5
    2  fact_rate and removed_rate have billing_code_type_version
    3  the manifest has a checksum and the true size of every file
    4  dim_zip, dim_group_area, and bench_wage_index; bench_opps and bench_asc have labor_amount; bench_clfs,
       bench_asp, bench_dmepos, bench_dmepos_area, bench_dmepos_zip;
       bench_ambulance, bench_anesthesia, bench_anesthesia_locality, bench_ipps;
       bench_medicare_prof_locality has the flags of NA;
       npi_other_name and npi_location; dim_npi and nppes have middle names, other names, second address lines, and
       update dates; dim_benchmark has parts;
       schedule_fit and surgical_center_group
    5  provider_profile and group_profile; dim_zip has points and the names of areas;
       utilization, utilization_provider, utilization_area, code_use, specialty_use, specialty_size, group_specialty,
       and utilization_file;
       listed_organization, hospital, and organization

A store of an older format is read as it is and upgraded by the next write, see `upgrade.py`. See
docs/decisions/0035-store-format.md.
"""

RECORDS = ("dq_run", "dq_finding")
"""Tables about the data, written by dq_check. They are not data themselves."""

BY_GROUP = RATE_BY_GROUP.name
"""The copies of the facts' files that are sorted by provider group, see provider_order.py. Each is its own shard."""

DERIVED = (BY_GROUP, LOOKUP)
"""What is made from other files for speed. Only the site reads it, and no answer depends on it."""


class StoreError(BeaconError):
    """The store cannot be read or written; nothing has changed."""


class DamagedManifestError(StoreError):
    """A manifest is not what this program has written."""


@dataclass(frozen=True)
class DataFile:
    """A file of a table: its path relative to the data directory, and the part of the table that it contains.

    `shard` is '' if the table is one file. The facts have the shards of their layout, `removed_rate` has the ids of the
    corrections, the shard of a copy (BY_GROUP) identifies the file that it is a copy of, and the shard of a lookup's
    answer (LOOKUP) the files that it was made from.
    """

    path: str
    rows: int
    bytes: int
    """The size. In a store of a format before CHECKSUMS_SINCE it may be too small."""
    shard: str = ""
    checksum: str = ""
    """See integrity/checksums.py. Empty before CHECKSUMS_SINCE, and until the file is published."""

    @property
    def remote(self) -> bool:
        """Return whether the path is an address on an object store, see remote_facts.py."""
        return "://" in self.path

    @property
    def copy_shard(self) -> str:
        """Return the shard of this file's copy. It begins with the file's own shard, whose folders name the month."""
        name = hashlib.md5(self.path.encode(), usedforsecurity=False).hexdigest()
        return f"{self.shard}/{name}" if self.shard else name


@dataclass(frozen=True)
class Manifest:
    """A generation: the files of every table, and the rejects of each batch."""

    generation: int
    created_at: str
    layout: str
    tables: dict[str, tuple[DataFile, ...]]
    """The files of each table. A table that this program does not declare is kept as it is."""
    rejects: dict[str, DataFile] = field(default_factory=dict)
    format: int = FORMAT
    """The format of all files of the generation."""
    command: str = ""
    """The command that wrote it, without its arguments."""

    @property
    def is_older(self) -> bool:
        """Return whether an older version of the program wrote it, so that the next writer upgrades the files."""
        return self.format < FORMAT

    def paths(self, root: Path, table: str) -> list[str]:
        """Return the absolute paths of a table's files."""
        return [str(root / file.path) for file in self.tables.get(table, ())]

    def copies(self, facts: Iterable[DataFile]) -> dict[DataFile, DataFile]:
        """Return the files of facts that have a copy sorted by provider group, each with its copy."""
        by_shard = {file.shard: file for file in self.tables.get(BY_GROUP, ())}
        return {file: by_shard[file.copy_shard] for file in facts if file.copy_shard in by_shard}

    def lookup_parts(self, lookup: Lookup) -> list["LookupPart"]:
        """Return the parts of a lookup: one, or one for each shard of the facts."""
        stored = {file.shard: file for file in self.tables.get(LOOKUP, ())}
        sources = {table.name: self.tables.get(table.name, ()) for table in lookup.sources}
        groups = [tuple(file for files in sources.values() for file in files)]
        if lookup.by_shard:
            facts = sources[FACT_RATE.name]
            groups = [tuple(file for file in facts if file.shard == one) for one in {file.shard: 0 for file in facts}]
        shards = [lookup_shard(lookup, files) for files in groups]
        return [LookupPart(files, shard, stored.get(shard)) for files, shard in zip(groups, shards, strict=True)]

    @property
    def current_lookups(self) -> tuple[DataFile, ...]:
        """Return the stored answers of lookups all of whose sources are those they were made from."""
        parts = (part for lookup in LOOKUPS for part in self.lookup_parts(lookup))
        return tuple(part.answer for part in parts if part.answer is not None)

    def rows(self, table: str) -> int:
        """Return how many rows a table has."""
        return sum(file.rows for file in self.tables.get(table, ()))

    @property
    def data_version(self) -> str:
        """Return a text that changes whenever the data does, and not if only RECORDS or DERIVED tables change."""
        # Files never change, so their names identify their content. Files without rows do not count: a version of the
        # program that adds a table adds an empty file of it, and no answer changes.
        tables = [files for name, files in self.tables.items() if name not in {*RECORDS, *DERIVED}]
        paths = [file.path for files in tables for file in files if file.rows]
        return hashlib.md5("\n".join(sorted(paths)).encode(), usedforsecurity=False).hexdigest()

    @property
    def files(self) -> Iterator[DataFile]:
        """Yield every file of the generation that is in the data directory."""
        for files in self.tables.values():
            yield from (file for file in files if not file.remote)
        yield from self.rejects.values()

    def text(self) -> bytes:
        """Return the manifest as JSON."""
        # Each commit writes it. Python's json takes ten times as long where it indents.
        fields = json.dumps({"format": self.format, **msgspec.to_builtins(self)})
        return msgspec.json.format(fields.encode(), indent=1)


@dataclass(frozen=True)
class LookupPart:
    """A part of a lookup: the files it is made from, the shard of its answer, and the answer if it is stored."""

    files: tuple[DataFile, ...]
    shard: str
    answer: DataFile | None


def lookup_shard(lookup: Lookup, files: Iterable[DataFile]) -> str:
    """Return the shard of a lookup's answer that is made from these files. Files never change, so it is never stale."""
    text = "\n".join((lookup.signature, *sorted(file.path for file in files)))
    return f"{lookup.name}/{hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()}"


def read_manifest(text: bytes, path: Path) -> Manifest:
    """Return the manifest of a JSON text. Raises StoreError, whose message names `path`.

    It is a DamagedManifestError unless a newer program has written the text.
    """
    try:
        fields = json.loads(text)
        number = int(fields.pop("format", 1))
        if number > FORMAT:
            raise StoreError(
                f"{path}: the store has format {number}, and this version of the program reads formats up to {FORMAT}; "
                "use the version that wrote it, or a newer one"
            )
        tables = {name: tuple(DataFile(**file) for file in files) for name, files in fields.pop("tables").items()}
        rejects = {batch_id: DataFile(**file) for batch_id, file in fields.pop("rejects").items()}
        return Manifest(**fields, tables=tables, rejects=rejects, format=number)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise DamagedManifestError(f"{path}: not a manifest of this program ({error})") from None
