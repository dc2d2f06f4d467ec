"""Progress of long work: bars on a terminal, a plain line now and then elsewhere. All of it goes to stderr."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

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
        shown = TextColumn("{task.description}"), BarColumn(), DownloadColumn()
        speed = TransferSpeedColumn(), TimeRemainingColumn()
        with Progress(*shown, *speed, console=Console(stderr=True), transient=True) as bars:
            yield Shown(bars)
    else:
        yield Shown(None)


def _plain(name: str, done: str) -> Show:
    began = last = time.monotonic()
    first: int | None = None

    def show(count: int, total: int) -> None:
        nonlocal last, first
        now = time.monotonic()
        first = count if first is None else first
        if now - last < PLAIN_EVERY:
            return
        last = now
        line = f"{name}: {count / 1e6:,.0f}"
        if total:
            left = (total - count) * (now - began) / max(count - first, 1)
            line += f" of {total / 1e6:,.0f} MB {done} ({count / total:.0%}), {_duration(left)} left"
        else:
            line += f" MB {done}"
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()

    return show


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
