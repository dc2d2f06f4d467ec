"""A writer killed at any moment leaves the store as it was, or as it was to be; the next one cleans up and completes.

BEACONPOINT_KILLS is the number of kills, 9 where it is not set: BEACONPOINT_KILLS=400 with pytest
Half of them come from outside, at a moment spread over the operation's whole duration, half at one of its steps in the
file system, so that publication and the moving of links, which are short, are met as well. Meanwhile another process
reads the store without pause, through its stable paths and its manifest.
"""

import os
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from core.store.changes.corrections import remove
from core.store.changes.reshard import reshard
from core.store.changes.selection import Selection
from core.store.generations.layout import LAYOUTS
from core.store.generations.store import Store
from core.store.upkeep.backup import back_up
from tests.built_once import BuiltOnce
from tests.load.national_files import place_nationwide
from tests.store.generations.interrupted.killed import GRACE, NEXT, REHEARSAL, backup_of, operations
from tests.store.generations.interrupted.killing import Answers, Killer, answers
from tests.store.generations.interrupted.watching import View, Watcher, view_store
from tests.store.old_stores import unpacked
from tests.store.steps import assert_sound, assert_tidy, load_made_file, made_store

KILLS = int(os.environ.get("BEACONPOINT_KILLS", "9"))
OPERATIONS = (
    "ingest",
    "ingest_states",
    "rollback",
    "reshard",
    "backup",
    "restore",
    "upgrade",
    "remove",
    "repair",
    "compact",
    "undo",
    "copy",
    "nppes",
    "codes",
    "benchmark",
    "record",
    "prune",
)
KEEP_ALL = 1000


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kills")


@pytest.fixture(scope="module")
def killer() -> Iterator[Killer]:
    running = Killer()
    yield running
    running.close()


OUTCOMES: Counter[str] = Counter()


@pytest.fixture(scope="module")
def watcher() -> Iterator[Watcher]:
    running = Watcher()
    yield running
    running.close()
    print(f"\n{KILLS} kills: {dict(OUTCOMES)}; readers: {asdict(running.total)}")  # noqa: T201 - for a long run


def template(built_once: BuiltOnce, directory: Path, layout: str, operation: str) -> Path:
    """Return a store of a layout to do an operation on, made once."""
    if operation == "upgrade":
        root = directory / "old" / layout
        return root if root.exists() else unpacked(root.parent, layout).root
    special = operation if operation in {"undo", "repair", "backup", "restore", "ingest_states"} else "plain"
    root = directory / f"{layout}-{special}"
    if not root.exists():
        made = made_store(built_once, directory / f"made-{root.name}", (0, "GA"), (1, "GA"), (2, "FL"), layout=layout)
        store = Store(made.root.rename(root), layout, keep_generations=KEEP_ALL)
        if special in {"backup", "restore"}:
            back_up(store, backup_of(root))
        if special == "repair":
            leave_a_mess(store, directory, layout)
        else:
            load_made_file(store, directory, 2, "GA")
        if operation == "ingest_states":
            place_nationwide(store)
        if operation == "undo":
            remove(store, Selection(min_rate=3, max_rate=5), "wrong")
    return root


def leave_a_mess(store: Store, directory: Path, layout: str) -> None:
    """Leave what a writer leaves that was killed before it moved the links, and files that no one knows of."""
    current = store.root / "links" / "current"
    before = current.readlink()
    load_made_file(store, directory, 2, "GA")
    reshard(store, NEXT[layout])
    current.unlink()
    current.symlink_to(before)
    (store.root / "tmp" / "beaconpoint-writer").mkdir(parents=True)
    (store.root / "tmp" / "beaconpoint-writer" / "spool").write_bytes(b"x")
    for number in range(3):
        (store.root / "files" / f"dim_code.{990 + number:06}.parquet").write_bytes(b"left")


KNOWN: dict[Path, tuple[Answers, View]] = {}
"""What templates contain."""


def look_at(original: Path) -> tuple[Answers, View]:
    if original not in KNOWN:
        KNOWN[original] = answers(Store(original)), view_store(original)
    return KNOWN[original]


@pytest.mark.in_turns(3)
@pytest.mark.parametrize("number", range(KILLS))
def test_a_killed_writer_hurts_nothing(
    built_once: BuiltOnce, directory: Path, killer: Killer, watcher: Watcher, number: int
) -> None:
    operation = OPERATIONS[number % len(OPERATIONS)]
    layout = LAYOUTS[(number + number // len(OPERATIONS)) % len(LAYOUTS)]
    layout = "partitioned" if operation == "compact" else layout  # the others have nothing to compact
    original = template(built_once, directory, layout, operation)
    root, rehearsal = directory / "victim", directory / REHEARSAL
    for source, copy in ((original, root), (backup_of(original), backup_of(root))):
        shutil.rmtree(copy, ignore_errors=True)
        if source.exists():
            shutil.copytree(source, copy, symlinks=True)
    before, shown = look_at(original)

    def watch() -> None:
        # An older generation that prune deletes, or that links still open, is one that a reader has used up.
        views = [shown, view_store(rehearsal)]
        watcher.start(root, views)

    moment = killer.kill(root, operation, directory, watch)
    OUTCOMES[moment.split(" at ")[0]] += 1
    store = Store(root, grace=GRACE)
    after = answers(Store(rehearsal))
    found = answers(store)
    assert found in (before, after), (operation, layout, moment)
    if found == after and operation not in {"backup", "repair", "prune"}:
        with store.write():  # the next writer, whatever it does
            pass
    else:
        operations(store, directory)[operation]()
    seen = watcher.stop()
    assert answers(store) == after, (operation, layout, moment)
    assert seen.problems == [], (operation, layout, moment)
    assert seen.listed + seen.manifests > 0
    assert_tidy(store)
    if number % 4 == 0:  # its rows are those of the rehearsal, whatever the layout
        assert_sound(store)
    if operation == "backup":
        assert answers(Store(backup_of(root))) == answers(store)
        assert_tidy(Store(backup_of(root)))


def test_it_is_tried_on_every_layout() -> None:
    assert set(NEXT) == set(NEXT.values()) == set(LAYOUTS)
