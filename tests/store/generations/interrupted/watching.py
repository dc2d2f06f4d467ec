"""A program that reads a store without pause, through its stable paths and its manifest, and says what was wrong.

It reads one line of JSON for each store: `{"root": …, "views": […]}`, where the views are what a reader may see: the
store before a change and after it. It reads until the next line comes, and writes what it has seen as JSON.
"""

import hashlib
import json
import os
import select
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq

from core.store.generations.store import Store
from tests.paths import ROOT

STATS_IN_A_ROW = 100
PATTERNS = ("fact_rate*.parquet", "fact_rate/**/*.parquet")
"""How notebooks open the facts in each layout."""

View = list[Any]
"""What a reader sees: the names in gold/, the facts' number and a hash of their ids, and the rows of each table."""


@dataclass
class Seen:
    """What was read, and what was wrong with it."""

    opened: int = 0
    """Stable paths looked at one by one."""
    listed: int = 0
    """Folders of one generation read as a whole."""
    patterns: int = 0
    """Patterns read by DuckDB through the stable paths."""
    switched: int = 0
    """Patterns whose reading failed, or mixed two generations' months, while the links changed."""
    manifests: int = 0
    """Generations read as the manifest names them."""
    problems: list[str] = field(default_factory=list)


def view_links(gold: Path, silver: Path) -> View:
    """Return what a reader sees who lists folders and opens the files in them."""
    names = sorted(os.listdir(gold))  # noqa: PTH208 - one listing
    facts = sorted(path for pattern in PATTERNS for path in gold.glob(pattern))
    rows = {}
    for path in sorted(silver.rglob("*.parquet")):
        rows[path.relative_to(silver).as_posix()] = pq.read_metadata(path).num_rows
    return [names, *_hash_ids(facts), {name: count for name, count in rows.items() if count}]


def view_store(root: Path) -> View:
    """Return what a reader sees who resolves the folders first."""
    gold = (root / "gold").resolve()
    return view_links(gold, gold.with_name("silver"))


def _hash_ids(paths: Iterable[Path | str]) -> tuple[int, str]:
    ids = sorted(
        uid for path in paths for uid in pq.read_table(path, columns=["fact_uid"], partitioning=None)[0].to_pylist()
    )
    return len(ids), hashlib.md5("".join(ids).encode(), usedforsecurity=False).hexdigest()


class Watch:
    """The reading of one store."""

    def __init__(self, root: Path, views: list[View]) -> None:
        self.seen = Seen()
        self._root = root
        self._views = views
        self._facts = [view[1:3] for view in views]
        # A table's path must open at any moment, if it is there before and after.
        tables = set.intersection(*(set(view[3]) for view in views))
        self._paths = [str(root / "silver" / name) for name in sorted(tables)]
        if all(view[0] == views[0][0] for view in views):
            self._paths += [str(root / "gold" / name) for name in views[0][0]]

    def read_once(self) -> None:
        """Read the store in each way once."""
        for read in (self._open_paths, self._list_folders, self._read_pattern, self._read_manifest):
            try:
                read()
            except Exception as error:  # noqa: BLE001 - whatever it is, a reader should not have seen it
                self.seen.problems.append(f"{read.__name__}: {type(error).__name__}: {error}")

    def _open_paths(self) -> None:
        for _ in range(STATS_IN_A_ROW):
            for path in self._paths:
                os.stat(path)  # noqa: PTH116 - quick
            names = sorted(os.listdir(self._root / "gold"))  # noqa: PTH208
            if names not in [view[0] for view in self._views]:
                raise AssertionError(f"gold/ lists {names}")
            self.seen.opened += len(self._paths)

    def _list_folders(self) -> None:
        view = view_store(self._root)
        if view not in self._views:
            raise AssertionError(f"{view} is not one of {self._views}")
        self.seen.listed += 1

    def _read_pattern(self) -> None:
        before = self._target()
        try:
            patterns = [str(self._root / "gold" / pattern) for pattern in PATTERNS]
            found = [
                path
                for pattern in patterns
                for (path,) in duckdb.execute(f"SELECT * FROM glob('{pattern}')").fetchall()
            ]
            ids = duckdb.execute(
                "SELECT fact_uid FROM read_parquet(?, hive_partitioning = false) ORDER BY 1", [found]
            ).fetchall()
        except (duckdb.Error, OSError):
            if self._target() == before:
                raise
            self.seen.switched += 1
            return
        self.seen.patterns += 1
        text = "".join(uid for (uid,) in ids)
        facts = [len(ids), hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()]
        if facts in self._facts:
            return
        # A pattern that is listed before the switch and opened after it may mix the months of both generations.
        if self._target() == before or facts[0] < min(rows for rows, _ in self._facts):
            raise AssertionError(f"{facts} is not one of {self._facts}")
        self.seen.switched += 1

    def _read_manifest(self) -> None:
        manifest = Store(self._root).loaded()
        facts = [*_hash_ids(manifest.paths(self._root, "fact_rate"))]
        if facts not in self._facts:
            raise AssertionError(f"generation {manifest.generation}: {facts} is not one of {self._facts}")
        self.seen.manifests += 1

    def _target(self) -> str:
        try:
            return str((self._root / "links" / "current").readlink())
        except OSError:
            return ""


def main() -> None:
    line = sys.stdin.buffer.readline()
    while line.strip():
        order = json.loads(line)
        watch = Watch(Path(order["root"]), order["views"])
        sys.stdout.write("watching\n")
        sys.stdout.flush()
        while not watch.seen.problems and not select.select([sys.stdin], [], [], 0)[0]:
            watch.read_once()
        line = sys.stdin.buffer.readline()  # ends the watch, and is empty
        sys.stdout.write(json.dumps(asdict(watch.seen)) + "\n")
        sys.stdout.flush()
        line = sys.stdin.buffer.readline()


class Watcher:
    """Runs the program."""

    def __init__(self) -> None:
        self.total = Seen()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.store.generations.interrupted.watching"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def close(self) -> None:
        """End the program."""
        self._process.communicate()

    def start(self, root: Path, views: list[View]) -> None:
        """Start to watch a store, and return when the watch has begun."""
        assert self._ask(json.dumps({"root": str(root), "views": views})) == "watching"

    def stop(self) -> Seen:
        """Return what was seen since."""
        seen = Seen(**json.loads(self._ask("")))
        for name, value in asdict(seen).items():
            setattr(self.total, name, getattr(self.total, name) + value)
        return seen

    def _ask(self, line: str) -> str:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        return self._process.stdout.readline().strip()


if __name__ == "__main__":
    main()
