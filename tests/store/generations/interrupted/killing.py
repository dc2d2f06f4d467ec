"""Kill a writer at a random moment, and read what the store says."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from core.store.generations.manifest import BY_GROUP
from core.store.generations.store import Store
from tests.paths import ROOT
from tests.store.steps import Row, facts_of
from tests.stores import open_snapshot

CHANCE = random.SystemRandom()
"""Not the tests' seeded one, which would choose the same moment each time."""

Answers = tuple[dict[str, Row], list[tuple[Any, ...]], list[tuple[Any, ...]], str, dict[str, int], list[int], int]


def answers(store: Store) -> Answers:
    """Return facts (none of an older format), batches, corrections, layout, rows, numbers of files, and the format."""
    manifest = store.loaded()
    db = open_snapshot(store)
    batches = db.rows("SELECT batch_id, state, rows_read, rows_added FROM dim_batch ORDER BY ALL")
    corrected = db.rows("SELECT correction_id, rows, undone_at IS NULL FROM corrections ORDER BY ALL")
    rows = {name: rows for name in sorted(manifest.tables) if (rows := manifest.rows(name))}
    files = [len(manifest.tables.get(name, ())) for name in ("fact_rate", BY_GROUP)]
    facts = {} if manifest.is_older else facts_of(store)
    return facts, batches, corrected, manifest.layout, rows, files, manifest.format


class Killer:
    """Kills operations on stores, one after another."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.store.generations.interrupted.killed"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def close(self) -> None:
        """End the program that is killed."""
        self._process.communicate()

    def kill(self, root: Path, operation: str, directory: Path, rehearsed: Callable[[], object] | None = None) -> str:
        """Kill an operation on a store at some moment, and return which. `rehearsed` is called right before it."""
        share = CHANCE.random()
        from_outside = CHANCE.random() < 0.5
        order = {
            "root": str(root),
            "operation": operation,
            "directory": str(directory),
            "share": None if from_outside else share,
        }
        self._write(json.dumps(order) + "\n")
        pid, seconds = self._read().split()
        if rehearsed:
            rehearsed()
        self._write("\n")
        if from_outside:
            time.sleep(share * float(seconds))
            with suppress(ProcessLookupError):  # it has ended
                os.kill(int(pid), signal.SIGKILL)
        killed = int(self._read()) == -signal.SIGKILL
        return f"{'killed' if killed else 'ended'}{' from outside' if from_outside else ''} at {share:.3f}"

    def _write(self, text: str) -> None:
        assert self._process.stdin
        self._process.stdin.write(text)
        self._process.stdin.flush()

    def _read(self) -> str:
        assert self._process.stdout
        line = self._process.stdout.readline()
        assert line, "the operation failed before it could be killed"
        return line
