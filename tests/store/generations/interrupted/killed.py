"""A program that changes stores and is killed at it.

It reads one line of JSON for each kill: `{"root": …, "operation": …, "directory": …, "share": …}`. A child of it does
the operation on a copy first (REHEARSAL, beside `root`), writes its process id and the seconds that took, waits for a
line and does it on `root`. With a share, 0 to 1, it kills itself at that share of its steps in the file system (open,
rename, link, remove, make or remove a folder), which reaches each step of a publication however short it is; without,
the process that started it does. Then the program writes how the child ended, and reads the next line.
"""

import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from core.demo.physician_fees import write_physician_fees
from core.demo.provider_register import write_register
from core.quality.record import keep_report
from core.quality.report import run_checks
from core.reference.code_sets.load_code_sets import load_codes
from core.reference.medicare.professional import physician
from core.reference.nppes.load_register import load_nppes
from core.store.changes.compact import compact
from core.store.changes.corrections import remove, undo
from core.store.changes.provider_order import copy_by_group
from core.store.changes.reshard import reshard
from core.store.changes.selection import Selection
from core.store.generations.retention.rules import Retention
from core.store.generations.store import Store
from core.store.upkeep.backup import back_up
from core.store.upkeep.repair import prune, repair
from core.store.upkeep.restore import restore
from core.store.upkeep.rollback import roll_back
from tests.load.national_files import load_national_file
from tests.store.steps import load_made_file
from tests.stores import open_snapshot

NEXT = {"single": "monthly", "monthly": "state_month", "state_month": "partitioned", "partitioned": "single"}
"""The layout that a store is resharded to."""

ADDED = 5
"""The file that is added."""

GRACE = 60
"""Seconds that readers have, as few as the settings allow."""

REHEARSAL = "rehearsal"
EVENTS = {
    "open", "os.rename", "os.symlink", "os.link", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "shutil.rmtree",
}  # fmt: skip


def backup_of(root: Path) -> Path:
    """Return the directory of a store's backups, beside it."""
    return root.with_name(f"{root.name}-backup")


def operations(store: Store, directory: Path) -> dict[str, Callable[[], object]]:
    """Return the operations on a store."""
    manifest = store.loaded()
    titles = directory / "ms_drg.csv"
    titles.write_text("MS-DRG,Title\n001,Heart transplant\n470,Knee\n")
    backup = backup_of(store.root)
    return {
        "ingest": lambda: load_made_file(store, directory, ADDED, rates=40),
        "ingest_states": lambda: load_national_file(store, directory),
        "rollback": lambda: roll_back(store, 2),
        "reshard": lambda: reshard(store, NEXT[manifest.layout]),
        "backup": lambda: back_up(store, backup),
        "restore": lambda: restore(store, backup, force=True),
        "upgrade": store.upgrade,
        "remove": lambda: remove(store, Selection(min_rate=3, max_rate=5), "wrong"),
        "repair": lambda: repair(store, delete_unnamed=True),
        "compact": lambda: compact(store, every=True),
        "undo": lambda: undo(store, 1),
        "copy": lambda: copy_by_group(store),
        "nppes": lambda: load_nppes(store, write_register(directory)),
        "codes": lambda: load_codes(store, [titles]),
        "benchmark": lambda: physician.load(store, write_physician_fees(directory)),
        "record": lambda: keep_report(store, run_checks(open_snapshot(store))),
        "prune": lambda: prune(store, Retention(0)),
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
    action = operations(Store(root, grace=GRACE), directory)[operation]
    started = time.monotonic()
    action()
    return time.monotonic() - started


def rehearse_and_act(root: Path, operation: str, directory: Path, share: float | None) -> None:
    """Do an operation on a copy of a store and then on the store, and end this process at it if there is a share."""
    rehearsal = root.with_name(REHEARSAL)
    for original, copy in ((root, rehearsal), (backup_of(root), backup_of(rehearsal))):
        shutil.rmtree(copy, ignore_errors=True)
        if original.exists():
            shutil.copytree(original, copy, symlinks=True)
    steps = Steps()
    seconds = act(rehearsal, operation, directory)
    os.write(1, f"{os.getpid()} {seconds}\n".encode())
    os.read(0, 1)
    if share is not None:
        steps.last = steps.seen + 1 + int(share * steps.seen)
    act(root, operation, directory)


def main() -> None:
    with open(0, "rb", buffering=0, closefd=False) as orders:  # unbuffered: a child reads the next byte
        for line in iter(orders.readline, b""):
            order = json.loads(line)
            # Everything is imported and nothing is running yet, so a child may be forked instead of started.
            child = os.fork()
            if not child:
                try:
                    rehearse_and_act(Path(order["root"]), order["operation"], Path(order["directory"]), order["share"])
                    os._exit(0)
                finally:
                    sys.excepthook(*sys.exc_info())
                    os._exit(1)
            _, status = os.waitpid(child, 0)
            os.write(1, f"{os.waitstatus_to_exitcode(status)}\n".encode())


if __name__ == "__main__":
    main()
