"""Tell whether the files of a generation are as they were written, and what to do about one that is not."""

import errno
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from core.runtime.errors import BeaconError
from core.store.generations.integrity.checksums import checksum_of
from core.store.generations.manifest import DataFile, Manifest, StoreError
from core.store.generations.retention.kept import kept_generations, read_if_possible
from core.store.schema.tables import REJECTS

_MAGIC = b"PAR1"
_SMALLEST_FILE = 12
"""Bytes of the smallest Parquet file: the magic number twice, and the length of the footer."""

CHANGED = "has other bytes than were written"

_NOT_ABOUT_FILES = (
    BeaconError,
    duckdb.InterruptException,
    duckdb.OutOfMemoryException,
    duckdb.ParserException,
    duckdb.BinderException,
    duckdb.CatalogException,
)
"""Errors that no damaged file causes."""

_TRUSTED_SECONDS = 60.0
"""How long files in which no damage was found are not read again to explain another error."""
_found_whole: dict[tuple[Path, int], float] = {}


@dataclass(frozen=True)
class Damage:
    """A file of a table that is not as it was written, and what is wrong with it."""

    table: str
    path: str
    """Relative to the data directory."""
    problem: str

    def __str__(self) -> str:
        return f"table {self.table}: {self.path} {self.problem}"


class DamagedFileError(StoreError):
    """A file of the store is missing, cut short, or has other bytes than were written.

    Visitors may be told of its `damage`; the text is for the operator.
    """

    def __init__(self, damage: Damage, advice: str) -> None:
        super().__init__(f"{damage}; {advice}")
        self.damage = damage


def files_by_table(manifest: Manifest) -> Iterator[tuple[str, DataFile]]:
    """Yield every file of a generation that is in the data directory, with the name of its table."""
    for name, files in manifest.tables.items():
        for file in files:
            if not file.remote:
                yield name, file
    for file in manifest.rejects.values():
        yield REJECTS.name, file


def visible_problem(root: Path, file: DataFile) -> str | None:
    """Return what is wrong with a file as far as its size and its last bytes show. None if nothing is.

    Reads four bytes, so it costs next to nothing. Raises StoreError if this user may not read the file.
    """
    path = root / file.path
    try:
        with path.open("rb") as opened:
            size = os.fstat(opened.fileno()).st_size
            if file.checksum and size != file.bytes:
                return f"has {size:,} bytes where {file.bytes:,} were written"
            if size < _SMALLEST_FILE:
                return f"has {size:,} bytes, too few for a Parquet file"
            opened.seek(-len(_MAGIC), os.SEEK_END)
            return None if opened.read(len(_MAGIC)) == _MAGIC else "does not end as a Parquet file does"
    except (FileNotFoundError, NotADirectoryError):
        return "is missing"
    except PermissionError as error:
        raise StoreError(
            f"{path}: cannot be read: {error.strerror}; give the user who runs this the right to read it"
        ) from None
    except OSError as error:
        return f"cannot be read: {error.strerror}"


def find_problem(root: Path, file: DataFile, count: Callable[[int], None] | None = None) -> str | None:
    """Return what is wrong with a file, after reading all of it. Without a checksum, see `visible_problem`.

    `count` gets the number of bytes of each block that is read.
    """
    try:
        problem = visible_problem(root, file)
        if problem or not file.checksum or checksum_of(root / file.path, count) == file.checksum:
            return problem
    except OSError as error:
        return f"cannot be read: {error.strerror or error}"
    return CHANGED


def is_intact(root: Path, manifest: Manifest) -> bool:
    """Return whether every file of a generation is there and can be read, as far as `visible_problem` tells."""
    try:
        return all(visible_problem(root, file) is None for file in manifest.files)
    except (StoreError, OSError):
        return False


def newest_intact(root: Path, *, without: str = "") -> Manifest | None:
    """Return the newest of the kept generations whose files are all there. It does not name the file `without`.

    None as well if this user may not list the generations: this is for advice about another error, which must be told.
    """
    try:
        kept = kept_generations(root)
    except OSError:
        return None
    for manifest in reversed(kept):
        if all(file.path != without for file in manifest.files) and is_intact(root, manifest):
            return manifest
    return None


def advise(root: Path, damage: Damage) -> str:
    """Return what to do about a damaged file."""
    found = newest_intact(root, without=damage.path)
    if found is None:
        return "restore it from a backup, or load everything again into an empty data directory"
    return f"restore it from a backup, or go back to generation {found.generation}: {rollback(found)}"


def rollback(manifest: Manifest) -> str:
    """Return the command that goes back to a generation."""
    return f"manage.py store rollback {manifest.generation}"


def damaged(root: Path, damage: Damage) -> DamagedFileError:
    """Return the error about a damaged file."""
    return DamagedFileError(damage, advise(root, damage))


def expect_whole(root: Path, manifest: Manifest) -> None:
    """Raise DamagedFileError if a file of a generation is missing or cut short, as far as `visible_problem` tells."""
    for table, file in files_by_table(manifest):
        problem = visible_problem(root, file)
        if problem:
            raise damaged(root, Damage(table, file.path, problem))


def expect_undamaged(root: Path, manifest: Manifest) -> None:
    """Raise DamagedFileError if a file of a generation is damaged. Reads all of them."""
    for table, file in files_by_table(manifest):
        problem = find_problem(root, file)
        if problem:
            raise damaged(root, Damage(table, file.path, problem))


@contextmanager
def explain_damage(root: Path, manifest: Manifest | None = None) -> Iterator[None]:
    """Turn an error that a damaged file has caused into a DamagedFileError that names it. Others pass.

    `manifest` is the generation that is being read, the newest one unless given. Its files are read to find out, so
    this may take seconds.
    """
    try:
        yield
    except _NOT_ABOUT_FILES:
        raise
    except Exception as error:
        if not _is_full_disk(error):
            _explain(root, manifest, error)
        raise


def _is_full_disk(error: Exception) -> bool:
    full = {errno.ENOSPC, errno.EDQUOT}
    return (isinstance(error, OSError) and error.errno in full) or "No space left" in str(error)


def _explain(root: Path, manifest: Manifest | None, error: Exception) -> None:
    newest = read_if_possible(root / "manifest.json")
    read = manifest or newest
    if read is None:
        return
    key = root, read.generation
    if time.monotonic() - _found_whole.get(key, -_TRUSTED_SECONDS) < _TRUSTED_SECONDS:
        return
    try:
        expect_undamaged(root, read)
    except DamagedFileError as damage:
        if newest and newest.generation != read.generation:
            raise StoreError(
                f"generation {read.generation}, which was being read, is no longer kept; ask again to read the newest"
            ) from error
        raise damage from error
    _found_whole[key] = time.monotonic()
    if "CRC checksum" in str(error):
        raise StoreError(
            f"{root}: a page of a file was damaged before the file was written ({error}); to learn which file: "
            "manage.py store verify --deep"
        ) from error


class FileWatch:
    """Look at the files of a generation again and again, as often as it costs next to nothing."""

    _SHARE = 20
    """A look may take a twentieth of the time: thousands of files are looked at less often than a few."""

    def __init__(self) -> None:
        self._seen: Manifest | None = None
        self._next = 0.0

    def expect_whole(self, root: Path, manifest: Manifest) -> None:
        """Do as the function of this name does, unless the generation has been looked at just before."""
        started = time.monotonic()
        if manifest is self._seen and started < self._next:
            return
        expect_whole(root, manifest)
        self._seen, self._next = manifest, time.monotonic() + self._SHARE * (time.monotonic() - started)
