"""Say which generations the store has, and what changed with each."""

from dataclasses import dataclass
from datetime import datetime

from core.store.generations.integrity.damage import is_intact
from core.store.generations.manifest import DERIVED, Manifest
from core.store.generations.retention.kept import kept_generations
from core.store.generations.store import Store
from core.store.schema.tables import FACT_RATE


@dataclass(frozen=True)
class PastGeneration:
    """A generation of the store: when and by which command it was written, and what changed with it."""

    generation: int
    created_at: datetime
    command: str
    newest: bool
    complete: bool
    """Whether all of its files are there, as far as their sizes and last bytes show."""
    rows: dict[str, int]
    """The rows of each table that has any."""
    changes: tuple[str, ...]
    """What is different from the generation before it that is still kept, one text for each table."""
    own_bytes: int
    """Bytes of files that no other generation needs: what deleting it would free."""

    @property
    def facts(self) -> int:
        """Return the number of facts."""
        return self.rows.get(FACT_RATE.name, 0)


def list_generations(store: Store) -> list[PastGeneration]:
    """Return the generations that are kept, newest first."""
    kept = kept_generations(store.root)
    newest = store.directory.readable_manifest()
    users: dict[str, int] = {}
    for manifest in kept:
        for path in {file.path for file in manifest.files}:
            users[path] = users.get(path, 0) + 1
    found = []
    for number, manifest in enumerate(kept):
        own = {file.path: file.bytes for file in manifest.files if users[file.path] == 1}
        found.append(
            PastGeneration(
                generation=manifest.generation,
                created_at=datetime.fromisoformat(manifest.created_at),
                command=manifest.command,
                newest=newest is not None and newest.generation == manifest.generation,
                complete=is_intact(store.root, manifest),
                rows={name: rows for name in manifest.tables if (rows := manifest.rows(name))},
                changes=tuple(_list_changes(kept[number - 1] if number else None, manifest)),
                own_bytes=sum(own.values()),
            )
        )
    return found[::-1]


def _list_changes(before: Manifest | None, after: Manifest) -> list[str]:
    if before is None:
        return []
    changes = []
    if before.layout != after.layout:
        changes.append(f"layout {before.layout} to {after.layout}")
    if before.format != after.format:
        changes.append(f"format {before.format} to {after.format}")
    for name in sorted({*before.tables, *after.tables} - {*DERIVED}):
        old, new = before.tables.get(name, ()), after.tables.get(name, ())
        rows = sum(file.rows for file in new) - sum(file.rows for file in old)
        if rows:
            changes.append(f"{name} {rows:+,}")
        elif {file.path for file in old} != {file.path for file in new} and any(file.rows for file in new):
            changes.append(f"{name} rewritten")
    changes += [f"{name} rewritten" for name in DERIVED if before.tables.get(name, ()) != after.tables.get(name, ())]
    return changes
