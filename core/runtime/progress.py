"""Progress of long work: bars on a terminal, a plain line now and then elsewhere. All of it goes to stderr.

Loaders import this module for `Progress` alone, and every worker process imports the loaders, so rich is imported only
where something is shown.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from core.runtime.terminal import printable

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress

PLAIN_EVERY = 10.0
"""Seconds between two lines about the same work where there is no terminal."""

Progress = Callable[[int, int], None]
"""A function that long work calls with how much is done and how much there is in all (0 if unknown)."""


class ProgressDisplay:
    """Where progress is shown: one bar per file in progress, possibly from several threads."""

    def __init__(self, bars: "RichProgress | None") -> None:
        self._bars = bars

    @contextmanager
    def bar(self, name: str, done: str = "read") -> Iterator[Progress]:
        """Show how many bytes of a file have been `done`."""
        name = printable(name)
        if self._bars is None:
            yield _plain_bytes(name, done)
            return
        bars, task = self._bars, self._bars.add_task(f"{name} {done}", total=None)
        try:
            yield lambda count, total: bars.update(task, completed=count, total=total or None)
        finally:
            bars.remove_task(task)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Take the bars off the terminal while something else is written there."""
        if self._bars:
            self._bars.stop()
        try:
            yield
        finally:
            if self._bars:
                self._bars.start()


@contextmanager
def show_progress() -> Iterator[ProgressDisplay]:
    """Show the progress of files until the context ends."""
    if not sys.stderr.isatty():
        yield ProgressDisplay(None)
        return
    from rich import progress as rich_progress  # noqa: PLC0415 - see the module's docstring
    from rich.console import Console  # noqa: PLC0415

    with rich_progress.Progress(
        rich_progress.TextColumn("{task.description}", markup=False),
        rich_progress.BarColumn(),
        rich_progress.DownloadColumn(),
        rich_progress.TransferSpeedColumn(),
        rich_progress.TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as bars:
        yield ProgressDisplay(bars)


@contextmanager
def show_reading(name: str) -> Iterator[Progress]:
    """Show how many bytes of one file have been read."""
    with show_progress() as display, display.bar(name) as progress:
        yield progress


@contextmanager
def show_counting(name: str, unit: str = "facts", *, plain_every: float = PLAIN_EVERY) -> Iterator[Progress]:
    """Show how many rows of some work are done."""
    if not sys.stderr.isatty():
        yield _now_and_then(
            lambda done, total: f"{name}: {done:,} of {total:,} {unit} ({done / max(total, 1):.0%})", plain_every
        )
        return
    from rich import progress as rich_progress  # noqa: PLC0415 - see the module's docstring
    from rich.console import Console  # noqa: PLC0415

    with rich_progress.Progress(
        rich_progress.TextColumn("{task.description}", markup=False),
        rich_progress.BarColumn(),
        rich_progress.MofNCompleteColumn(),
        rich_progress.TextColumn(unit),
        rich_progress.TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as bar:
        task = bar.add_task(name, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _plain_bytes(name: str, done: str) -> Progress:
    began = time.monotonic()
    first: int | None = None

    def line(count: int, total: int) -> str:
        if not total:
            return f"{name}: {count / 1e6:,.0f} MB {done}"
        text = f"{name}: {count / 1e6:,.0f} of {total / 1e6:,.0f} MB {done} ({count / total:.0%})"
        if first is None or count == first:
            return text
        # A resumed download starts in the middle: only what arrived since then says how fast it is.
        left = (total - count) * (time.monotonic() - began) / (count - first)
        return f"{text}, {_format_duration(left)} left"

    write_line = _now_and_then(line, PLAIN_EVERY)

    def write(count: int, total: int) -> None:
        # The first report counts, not the first line: that comes seconds later, and the clock has run since `began`.
        nonlocal first
        first = count if first is None else first
        write_line(count, total)

    return write


def _now_and_then(line: Callable[[int, int], str], every: float) -> Progress:
    last = time.monotonic()

    def write(count: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last >= every:
            last = time.monotonic()
            sys.stderr.write(f"{line(count, total)}\n")
            sys.stderr.flush()

    return write


def _format_duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
