"""How the last run of a command ended, in a small file beside the store's.

A load that fails leaves the store as it was, so the store cannot tell that it failed; these files can. They are no part
of a generation: nothing reads them but the metrics.
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

FOLDER = "last_runs"


@dataclass(frozen=True)
class LastRun:
    """The last run of a command: when it ended (seconds since 1970), how long it took, and its error, if any."""

    command: str
    ended_at: float
    seconds: float
    problem: str = ""


@contextmanager
def record_run(root: Path, command: str) -> Iterator[None]:
    """Record how the work within ends, in the store's directory. A killed run leaves the record of the one before."""
    began = time.time()
    try:
        yield
    except BaseException as error:
        _write(root, LastRun(command, time.time(), time.time() - began, str(error) or type(error).__name__))
        raise
    _write(root, LastRun(command, time.time(), time.time() - began))


def read_last_runs(root: Path) -> list[LastRun]:
    """Return the last run of each command that has one. A file that cannot be read is left out."""
    runs = []
    for path in sorted((root / FOLDER).glob("*.json")):
        with suppress(OSError, ValueError, TypeError):
            runs.append(LastRun(**json.loads(path.read_text(encoding="utf-8"))))
    return runs


def _write(root: Path, run: LastRun) -> None:
    # No command fails for lack of a record: the metrics then show an old run, and its age is what is watched.
    with suppress(OSError):
        if root.is_dir():
            path = root / FOLDER / f"{run.command}.json"
            path.parent.mkdir(exist_ok=True)
            new = path.with_suffix(".next")
            new.write_text(json.dumps(asdict(run)), encoding="utf-8")
            new.replace(path)
