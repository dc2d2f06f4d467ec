"""A program that changes a store and is killed at it: `killed.py ROOT OPERATION DIRECTORY [SHARE]`.

It does the operation on a copy first (REHEARSAL, beside ROOT), says how many seconds that took, waits for a line and
does it on ROOT. With SHARE, 0 to 1, it kills itself at that share of its steps in the file system (open, rename, link,
remove, make or remove a folder), which reaches each step of a publication however short it is; without, whoever
started it does.
"""

import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from core.quality.record import keep_report
from core.quality.report import run_checks
from core.store.changes.compact import compact
from core.store.changes.corrections import remove, undo
from core.store.changes.provider_order import copy_by_group
from core.store.changes.reshard import reshard
from core.store.changes.selection import Selection
from core.store.generations.store import Store
from tests.store.steps import load_made_file
from tests.stores import open_snapshot

NEXT = {"single": "monthly", "monthly": "state_month", "state_month": "partitioned", "partitioned": "single"}
"""The layout that a store is resharded to."""

ADDED = 5
"""The file that is added."""

REHEARSAL = "rehearsal"
EVENTS = {"open", "os.rename", "os.symlink", "os.remove", "os.mkdir", "os.rmdir", "shutil.rmtree"}


def operations(store: Store, directory: Path) -> dict[str, Callable[[], object]]:
    """Return the operations on a store."""
    manifest = store.loaded()
    return {
        "ingest": lambda: load_made_file(store, directory, ADDED, rates=40),
        "reshard": lambda: reshard(store, NEXT[manifest.layout]),
        "compact": lambda: compact(store, every=True),
        "remove": lambda: remove(store, Selection(min_rate=3, max_rate=5), "wrong"),
        "undo": lambda: undo(store, 1),
        "copy": lambda: copy_by_group(store),
        "upgrade": store.upgrade,
        "record": lambda: keep_report(store, run_checks(open_snapshot(store))),
    }


class Steps:
    """Counts this process's steps in the file system, and kills it at one of them."""

    def __init__(self) -> None:
        self.seen = 0
        self.last = 0
        sys.addaudithook(self._count)

    def _count(self, name: str, arguments: tuple[object, ...]) -> None:
        if name in EVENTS and not (name == "open" and str(arguments[0]).endswith((".py", ".pyc", ".so"))):
            self.seen += 1
            if self.seen == self.last:
                os.kill(os.getpid(), signal.SIGKILL)


def act(root: Path, operation: str, directory: Path) -> float:
    """Do an operation on a store, and return the seconds it took."""
    action = operations(Store(root, grace=0), directory)[operation]
    started = time.monotonic()
    action()
    return time.monotonic() - started


def main() -> None:
    root, directory = Path(sys.argv[1]), Path(sys.argv[3])
    rehearsal = root.with_name(REHEARSAL)
    shutil.rmtree(rehearsal, ignore_errors=True)
    shutil.copytree(root, rehearsal, symlinks=True)
    steps = Steps()
    seconds = act(rehearsal, sys.argv[2], directory)
    sys.stdout.write(f"{seconds}\n")
    sys.stdout.flush()
    sys.stdin.readline()
    if len(sys.argv) > 4:
        steps.last = steps.seen + 1 + int(float(sys.argv[4]) * steps.seen)
    act(root, sys.argv[2], directory)


if __name__ == "__main__":
    main()
