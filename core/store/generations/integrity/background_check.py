"""Compare the files that a server answers from with their checksums, in a thread, while it answers.

DuckDB does not notice a flipped bit: it answers with another value. Each file is read once per process, slowly, so that
nobody waits for it.
"""

import logging
import threading
import time
from pathlib import Path

from core.store.generations.integrity.damage import Damage, DamagedFileError, damaged, files_by_table, find_problem
from core.store.generations.manifest import DataFile, Manifest, StoreError

_LOG = logging.getLogger(__name__)


class BackgroundCheck:
    """The check of one store's files. At most `bytes_per_second` are read; a damaged file is read again."""

    def __init__(self, root: Path, bytes_per_second: float = 100e6, again_after: float = 15.0) -> None:
        self._root = root
        self._bytes_per_second = bytes_per_second
        self._again_after = again_after
        self._lock = threading.Lock()
        self._wanted: Manifest | None = None
        self._running = False
        self._sound: set[str] = set()
        self._found: DamagedFileError | None = None

    def expect_sound(self, manifest: Manifest) -> None:
        """Raise DamagedFileError if a file of a generation has been found damaged. Check the files that have not been.

        Returns at once: what the thread finds later is raised by a later call.
        """
        with self._lock:
            if self._wanted is None or self._wanted.generation != manifest.generation:
                self._wanted = manifest
                if not self._running:
                    self._running = True
                    threading.Thread(target=self._run, name="file check", daemon=True).start()
            found = self._found
        if found and any(file.path == found.damage.path for file in manifest.files):
            raise found

    @property
    def running(self) -> bool:
        """Return whether there are files left to check."""
        with self._lock:
            return self._running

    def _run(self) -> None:
        done: Manifest | None = None
        while True:
            with self._lock:
                manifest = self._wanted
                if manifest is None or manifest is done:
                    self._running = False
                    return
            try:
                self._check(manifest)
            except Exception:  # noqa: BLE001 - a thread that ended here would check no later generation either
                _LOG.exception("the files of generation %s have not all been checked", manifest.generation)
            done = manifest

    def _check(self, manifest: Manifest) -> None:
        self._sound &= {file.path for file in manifest.files}
        for table, file in files_by_table(manifest):
            if file.path not in self._sound and file.checksum:
                while problem := self._problem(file):
                    self._tell(damaged(self._root, Damage(table, file.path, problem)))
                    time.sleep(self._again_after)
                    if self._wanted is not manifest:
                        return
                self._tell(None)
                self._sound.add(file.path)

    def _problem(self, file: DataFile) -> str | None:
        """Return what is wrong with a file, after reading it slowly."""
        try:
            return find_problem(self._root, file, lambda count: time.sleep(count / self._bytes_per_second))
        except StoreError as error:
            return f"cannot be read ({error})"

    def _tell(self, found: DamagedFileError | None) -> None:
        with self._lock:
            if found and str(found) != str(self._found):
                _LOG.error("%s", found)
            self._found = found
