"""Directories for what is made on the way. A later program deletes those of programs that were killed."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

_SCRATCH = "beaconpoint-cluster"


def scratch_root(scratch: Path) -> Path:
    """Return the folder below the scratch directory that all programs of this machine share."""
    return scratch / _SCRATCH


@contextmanager
def scratch_folder(scratch: Path) -> Iterator[Path]:
    """Yield an empty folder of this process below the scratch directory, and delete it at the end."""
    root = scratch_root(scratch)
    root.mkdir(parents=True, exist_ok=True)
    sweep_scratch(scratch)
    work = Path(mkdtemp(prefix=f"{os.getpid()}-", dir=root))
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def sweep_scratch(scratch: Path) -> None:
    """Delete what processes that no longer run have left."""
    for path in scratch_root(scratch).glob("*"):
        pid = path.name.partition("-")[0]
        if pid.isdecimal() and not Path(f"/proc/{pid}").exists():
            shutil.rmtree(path, ignore_errors=True)
