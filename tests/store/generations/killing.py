"""Kill a writer at a random moment, and read what the store says."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from core.store.generations.manifest import BY_GROUP
from core.store.generations.store import Store
from tests.paths import ROOT
from tests.store.steps import Row, facts_of
from tests.stores import open_snapshot

CHANCE = random.SystemRandom()
"""Not the tests' seeded one, which would choose the same moment each time."""


Answers = tuple[dict[str, Row], list[tuple[Any, ...]], list[tuple[Any, ...]], str, list[int], int]


def answers(store: Store) -> Answers:
    """Return the facts (none of an older format), batches, corrections, layout, numbers of files, and the format."""
    manifest = store.loaded()
    db = open_snapshot(store)
    batches = db.rows("SELECT batch_id, state, rows_read, rows_added FROM dim_batch ORDER BY ALL")
    corrected = db.rows("SELECT correction_id, rows, undone_at IS NULL FROM corrections ORDER BY ALL")
    files = [len(manifest.tables.get(name, ())) for name in ("fact_rate", BY_GROUP)]
    facts = {} if manifest.is_older else facts_of(store)
    return facts, batches, corrected, manifest.layout, files, manifest.format


def kill(root: Path, operation: str, directory: Path) -> str:
    """Kill an operation on a store at some moment, and return which."""
    share = CHANCE.random()
    from_outside = CHANCE.random() < 0.5
    command = [sys.executable, "-m", "tests.store.generations.killed", str(root), operation, str(directory)]
    process = subprocess.Popen(
        command if from_outside else [*command, str(share)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdin is not None
    seconds = float(process.stdout.readline())
    process.stdin.write("go\n")
    process.stdin.flush()
    if from_outside:
        time.sleep(share * seconds)
        process.kill()
    process.communicate()
    killed = process.returncode == -signal.SIGKILL
    return f"{'killed' if killed else 'ended'}{' from outside' if from_outside else ''} at {share:.3f}"
