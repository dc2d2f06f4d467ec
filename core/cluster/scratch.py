"""Directories for what is made on the way. A later program deletes those of programs that were killed."""

from contextlib import AbstractContextManager
from pathlib import Path

from core.runtime.own_folder import delete_leftovers, temporary_folder

_SCRATCH = "beaconpoint-cluster"


def scratch_root(scratch: Path) -> Path:
    """Return the folder below the scratch directory that all programs of this machine share."""
    return scratch / _SCRATCH


def scratch_folder(scratch: Path) -> AbstractContextManager[Path]:
    """Yield an empty folder of this process below the scratch directory, and delete it at the end."""
    return temporary_folder(scratch_root(scratch))


def sweep_scratch(scratch: Path) -> None:
    """Delete what processes that no longer run have left."""
    delete_leftovers(scratch_root(scratch))
