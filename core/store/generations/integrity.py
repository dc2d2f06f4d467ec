"""Tell whether the files of a generation are as they were written."""

import os
from pathlib import Path

from core.store.generations.kept import kept_generations
from core.store.generations.manifest import DataFile, Manifest, StoreError

_MAGIC = b"PAR1"
_SMALLEST_FILE = 12
"""Bytes of the smallest Parquet file: the magic number twice, and the length of the footer."""


def visible_problem(root: Path, file: DataFile) -> str | None:
    """Return what is wrong with a file as far as its size and its last bytes show. None if nothing is.

    Reads four bytes, so it costs next to nothing. Raises StoreError if this user may not read the file.
    """
    path = root / file.path
    try:
        with path.open("rb") as opened:
            size = os.fstat(opened.fileno()).st_size
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


def is_intact(root: Path, manifest: Manifest) -> bool:
    """Return whether every file of a generation is there, as far as sizes and last bytes show."""
    return all(visible_problem(root, file) is None for file in manifest.files)


def newest_intact(root: Path) -> Manifest | None:
    """Return the newest of the kept generations whose files are all there."""
    return next((manifest for manifest in reversed(kept_generations(root)) if is_intact(root, manifest)), None)
