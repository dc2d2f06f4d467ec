"""Open the newest generation of a store, and the next one as soon as it is there."""

import os
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from core.store.connection import Snapshot
from core.store.generations.integrity.damage import expect_whole
from core.store.generations.store import Store
from core.store.query_limits import QueryLimits
from core.store.remote_facts import with_remote_facts


class Reader:
    """Open the newest generation's snapshot when it is first asked for, once per process.

    `beside` opens the same store with other limits: what one of them has in memory serves both.
    """

    def __init__(
        self, store: Store, limits: QueryLimits, macros: Sequence[str] = (), beside: "Reader | None" = None
    ) -> None:
        self._store = store
        self._macros = macros
        self._beside = beside
        self.limits = limits
        self._lock = threading.Lock()
        self._seen: tuple[int, ...] = ()
        self._snapshot: Snapshot | None = None
        self._inherited: list[Snapshot] = []
        self._opened = 0

    def snapshot(self) -> Snapshot | None:
        """Return the newest generation, or None if nothing has been loaded yet. Raises StoreError."""
        version = self._store.directory.version()
        if version is None:
            self._store.manifest()  # raises StoreError if the manifest is missing, not the store empty
            return None
        seen = (os.getpid(), *version)
        with self._lock:
            # After a failure inside DuckDB, its database answers nothing more. The next request has another one.
            if self._snapshot is None or self._seen != seen or self._snapshot.broken.is_set():
                if self._snapshot is not None and self._seen[0] != seen[0]:
                    # DuckDB does not survive a fork, so a child opens a snapshot of its own. It never closes its
                    # parent's: that would wait for threads that the child does not have.
                    self._inherited.append(self._snapshot)
                manifest = self._store.manifest()
                if manifest is None:
                    return None
                expect_whole(self._store.root, manifest)
                manifest = with_remote_facts(self._store.root, manifest)
                other = self._beside.snapshot() if self._beside else None
                self._snapshot = Snapshot(
                    self._store.root,
                    manifest,
                    self._next_limits(),
                    self._macros,
                    beside=other if other and other.manifest.generation == manifest.generation else None,
                )
                self._seen = seen
            return self._snapshot

    def _next_limits(self) -> QueryLimits:
        """Return the limits of the next snapshot, with a temporary directory that the one before does not use.

        Requests of the generation before may still spill to disk, and both would use the same names of files.
        """
        if not self.limits.temp_directory:
            return self.limits
        directory = f"{self.limits.temp_directory}{'-2' if self._opened % 2 else ''}"
        self._opened += 1
        # DuckDB makes the directory, but not the one above it.
        with suppress(OSError):
            Path(directory).parent.mkdir(parents=True, exist_ok=True)
        return replace(self.limits, temp_directory=directory)
