"""A program that lets every change of a store run out of disk: `full_disk.py DISK DIRECTORY LAYOUT`.

Each operation is tried with ever more room, so that it runs out at one write after another, until it has enough. It
writes how often each was refused. An assertion that fails is this program's failure.
"""

import os
import sys
from pathlib import Path

from core.runtime.errors import BeaconError
from core.store.changes.corrections import remove
from core.store.changes.selection import Selection
from core.store.generations.layout import LAYOUTS
from core.store.generations.store import Store
from tests.store.generations.interrupted.killed import operations
from tests.store.generations.interrupted.killing import answers
from tests.store.steps import assert_sound, assert_tidy, load_made_file
from tests.stores import listing

STEP = 160 * 1024
"""Bytes of room more with each try. Each layout begins with another part of it, so that they fail at other writes."""


def fill(filler: Path, room: int) -> None:
    """Write until only `room` bytes are left on the disk."""
    free = os.statvfs(filler.parent).f_bavail * os.statvfs(filler.parent).f_frsize
    with filler.open("wb") as file:
        file.write(bytes(max(free - room, 0)))


def refusals(store: Store, directory: Path, operation: str, filler: Path, first: int) -> int:
    """Do an operation with more and more room, and return how often there was too little."""
    before, files = answers(store), listing(store.root)
    refused = 0
    while True:
        fill(filler, first + refused * STEP)
        try:
            operations(store, directory)[operation]()
            break
        except BeaconError as error:
            if "no space left on the disk; the store is as it was" not in str(error):
                raise
        filler.unlink()
        refused += 1
        assert answers(store) == before
        assert listing(store.root) == files
    filler.unlink()
    with store.write():
        pass
    assert_tidy(store)
    assert_sound(store)
    return refused


def main() -> None:
    disk, directory = Path(sys.argv[1]), Path(sys.argv[2])
    store = Store(disk / "data", sys.argv[3], grace=0)
    first = 10 * 1024 * LAYOUTS.index(sys.argv[3])
    for number, state in ((0, "GA"), (1, "GA"), (2, "FL"), (2, "GA")):
        load_made_file(store, directory, number, state, rates=200)
    for operation in ("ingest", "remove", "reshard", "undo", "compact", "copy", "record"):
        if operation == "compact":
            store = Store(disk / "partitioned", "partitioned", grace=0)
            for number in (0, 2, 4):
                load_made_file(store, directory, number, rates=200)
            remove(store, Selection(code=("70001",)), "wrong")
        sys.stdout.write(f"{operation} {refusals(store, directory, operation, disk / 'filler', first)}\n")


if __name__ == "__main__":
    main()
