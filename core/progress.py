"""Progress of long work: a bar on a terminal, a plain line now and then elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

PLAIN_EVERY = 10.0
"""Seconds between two lines where there is no terminal."""


@contextmanager
def reading(name: str) -> Iterator[Callable[[int, int], None]]:
    """Shows how much of a file has been read: yields a function of bytes read and bytes in all. Writes to stderr."""
    if sys.stderr.isatty():
        shown = TextColumn("{task.description}"), BarColumn(), DownloadColumn()
        speed = TransferSpeedColumn(), TimeRemainingColumn()
        with Progress(*shown, *speed, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task(name, total=None)
            yield lambda done, total: bar.update(task, completed=done, total=total)
    else:
        yield _plain(
            lambda done, total: f"{name}: {done / 1e6:,.0f} of {total / 1e6:,.0f} MB read ({_share(done, total)})"
        )


def _share(done: int, total: int) -> str:
    return f"{done / max(total, 1):.0%}"


def _plain(line: Callable[[int, int], str]) -> Callable[[int, int], None]:
    last = time.monotonic()

    def show(done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= PLAIN_EVERY:
            last = now
            sys.stderr.write(f"{line(done, total)}\n")
            sys.stderr.flush()

    return show


@contextmanager
def counting(name: str, unit: str = "facts") -> Iterator[Callable[[int, int], None]]:
    """Shows how far work on rows has come: yields a function of rows done and rows in all. Writes to stderr."""
    if sys.stderr.isatty():
        shown = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn(unit)
        with Progress(*shown, TimeRemainingColumn(), console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task(name, total=None)
            yield lambda done, total: bar.update(task, completed=done, total=total)
    else:
        yield _plain(lambda done, total: f"{name}: {done:,} of {total:,} {unit} ({_share(done, total)})")
