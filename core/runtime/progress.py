"""Progress of long work: bars on a terminal, a plain line now and then elsewhere. All of it goes to stderr."""

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

from core.runtime.terminal import printable

PLAIN_EVERY = 10.0
"""Seconds between two lines about the same file where there is no terminal."""

Show = Callable[[int, int], None]
"""Told how many bytes are done, and how many there are; 0 where that is not known."""


class Shown:
    """Where progress is shown: one bar for each file being worked on, by several threads perhaps."""

    def __init__(self, bars: Progress | None) -> None:
        self._bars = bars

    @contextmanager
    def bar(self, name: str, done: str = "read") -> Iterator[Show]:
        """Shows how much of a file has been `done`."""
        name = printable(name)
        if self._bars is None:
            yield _plain(name, done)
            return
        bars, task = self._bars, self._bars.add_task(f"{name} {done}", total=None)
        try:
            yield lambda count, total: bars.update(task, completed=count, total=total or None)
        finally:
            bars.remove_task(task)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Takes the bars off the terminal while something else is written there."""
        if self._bars:
            self._bars.stop()
        try:
            yield
        finally:
            if self._bars:
                self._bars.start()


@contextmanager
def showing() -> Iterator[Shown]:
    """Shows progress until it is left."""
    if sys.stderr.isatty():
        shown = TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn()
        speed = TransferSpeedColumn(), TimeRemainingColumn()
        with Progress(*shown, *speed, console=Console(stderr=True), transient=True) as bars:
            yield Shown(bars)
    else:
        yield Shown(None)


@contextmanager
def reading(name: str) -> Iterator[Show]:
    """Shows how much of one file has been read: yields a function of bytes read and bytes in all."""
    with showing() as shown, shown.bar(name) as show:
        yield show


def _plain(name: str, done: str) -> Show:
    began = time.monotonic()
    first: int | None = None

    def line(count: int, total: int) -> str:
        nonlocal first
        first = count if first is None else first
        if not total:
            return f"{name}: {count / 1e6:,.0f} MB {done}"
        text = f"{name}: {count / 1e6:,.0f} of {total / 1e6:,.0f} MB {done} ({count / total:.0%})"
        if count == first:
            return text
        left = (total - count) * (time.monotonic() - began) / (count - first)
        return f"{text}, {_duration(left)} left"

    return _now_and_then(line)


def _now_and_then(line: Callable[[int, int], str]) -> Show:
    last = time.monotonic()

    def show(count: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last >= PLAIN_EVERY:
            last = time.monotonic()
            sys.stderr.write(f"{line(count, total)}\n")
            sys.stderr.flush()

    return show


@contextmanager
def counting(name: str, unit: str = "facts") -> Iterator[Show]:
    """Shows how far work on rows has come: yields a function of rows done and rows in all. Writes to stderr."""
    if sys.stderr.isatty():
        shown = TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TextColumn(unit)
        with Progress(*shown, TimeRemainingColumn(), console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task(name, total=None)
            yield lambda done, total: bar.update(task, completed=done, total=total)
    else:
        yield _now_and_then(lambda done, total: f"{name}: {done:,} of {total:,} {unit} ({done / max(total, 1):.0%})")


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
