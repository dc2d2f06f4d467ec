"""Open generations that were superseded and are still kept, for visitors who return to figures that they have cited."""

import os
import threading
from collections.abc import Sequence

from core.store.connection import Snapshot
from core.store.generations.integrity.damage import expect_whole
from core.store.generations.manifest import StoreError
from core.store.generations.retention.kept import kept_generations, kept_path, list_numbers, read_if_possible
from core.store.generations.store import Store
from core.store.query_limits import QueryLimits


class GenerationNotKept(StoreError):
    """A generation that is asked for by its number, and that cannot be read.

    `was_there` says whether it is an older one that has been deleted, rather than one that there has never been.
    """

    def __init__(self, generation: int, newest: int, kept: str) -> None:
        self.was_there = 0 < generation < newest
        why = "is no longer kept" if self.was_there else "does not exist"
        super().__init__(f"Generation {generation} of the data {why}. Kept: {kept}")


class KeptReader:
    """Open a generation that is still kept, by its number. The one that was asked for last stays open."""

    def __init__(self, store: Store, limits: QueryLimits, macros: Sequence[str] = ()) -> None:
        self._store = store
        self._limits = limits
        self._macros = macros
        self._lock = threading.Lock()
        self._open: tuple[object, Snapshot] | None = None

    def snapshot(self, generation: int) -> Snapshot:
        """Return a generation. Raises GenerationNotKept, and DamagedFileError if a file of it is missing."""
        root = self._store.root
        with self._lock:
            # Read each time: the generation may have been deleted since, or the store made again.
            manifest = read_if_possible(kept_path(root, generation))
            if manifest is None:
                newest = self._store.loaded().generation
                raise GenerationNotKept(generation, newest, list_numbers(kept_generations(root)))
            key = (os.getpid(), generation, manifest.created_at)
            if self._open is None or self._open[0] != key or self._open[1].broken.is_set():
                expect_whole(root, manifest)
                self._open = (key, Snapshot(root, manifest, self._limits, self._macros))
            return self._open[1]
