"""A writer killed at any moment leaves the store as it was, or as it was to be; the next one cleans up and completes.

BEACONPOINT_KILLS is the number of kills, 8 where it is not set: BEACONPOINT_KILLS=400 pytest tests/store/test_kills.py
Half of them come from outside, at a moment spread over the operation's whole duration, half at one of its steps in the
file system, so that publication and the moving of links, which are short, are met as well.
"""

import os
import shutil
from pathlib import Path

import pytest

from core.store.changes.corrections import remove
from core.store.changes.selection import Selection
from core.store.generations.layout import LAYOUTS
from core.store.generations.store import Store
from tests.store.generations.killed import NEXT, REHEARSAL, operations
from tests.store.generations.killing import answers, kill
from tests.store.old_stores import unpacked
from tests.store.steps import assert_sound, assert_tidy, load_made_file

KILLS = int(os.environ.get("BEACONPOINT_KILLS", "8"))
OPERATIONS = ("ingest", "reshard", "compact", "remove", "undo", "copy", "upgrade")


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kills")


def template(directory: Path, layout: str, operation: str) -> Path:
    """Return a store of a layout to do an operation on, made once."""
    if operation == "upgrade":
        root = directory / "old" / layout
        return root if root.exists() else unpacked(root.parent, layout).root
    root = directory / f"{layout}-{'corrected' if operation == 'undo' else 'plain'}"
    if not root.exists():
        store = Store(root, layout, grace=0)
        for number, state in ((0, "GA"), (1, "GA"), (2, "FL"), (2, "GA")):
            load_made_file(store, directory, number, state)
        if operation == "undo":
            remove(store, Selection(min_rate=3, max_rate=5), "wrong")
    return root


@pytest.mark.parametrize("number", range(KILLS))
def test_a_killed_writer_hurts_nothing(directory: Path, number: int) -> None:
    layout, operation = LAYOUTS[(number + number // 12) % len(LAYOUTS)], OPERATIONS[number % len(OPERATIONS)]
    layout = "partitioned" if operation == "compact" else layout  # the others have nothing to compact
    original = template(directory, layout, operation)
    root = directory / "victim"
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(original, root, symlinks=True)
    moment = f"{operation} on {layout}, {kill(root, operation, directory)}"
    store = Store(root, grace=0)
    before, after = (answers(Store(path, grace=0)) for path in (original, directory / REHEARSAL))
    found = answers(store)
    assert found in (before, after), moment
    if found == after:
        with store.write():  # the next writer, whatever it does
            pass
    else:
        operations(store, directory)[operation]()
    assert answers(store) == after, moment
    assert_tidy(store)
    assert_sound(store)


def test_it_is_tried_on_every_layout() -> None:
    assert set(NEXT) == set(NEXT.values()) == set(LAYOUTS)
