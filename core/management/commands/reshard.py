"""Move the facts to another layout."""

import argparse
from typing import Any

from core.management import base_command
from core.runtime.progress import show_counting
from core.store.changes.reshard import reshard
from core.store.generations.layout import LAYOUTS, Layout, StateMonth, layout_named


def _layout_line(layout: Layout) -> str:
    example = layout.link(layout.shard(StateMonth("GA", "2025-08"))) + ("/" if layout.grows else "")
    return f"  {layout.name:<12}  {example:<48}  {layout.meaning}"


_LAYOUT_LINES = "\n".join(_layout_line(layout_named(name)) for name in LAYOUTS)


class Command(base_command.WritingCommand):
    """Define manage.py reshard."""

    help = f"""\
Moves the facts to another layout of files. Only the files change: every query has the same answer.

{_LAYOUT_LINES}

All of it or nothing: readers see the old files until the new ones are complete. It needs disk space for the facts once
more. Old files are deleted after the grace time.

  manage.py reshard --to monthly
"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the command line."""
        super().add_arguments(parser)
        parser.add_argument("--to", required=True, choices=LAYOUTS, metavar="LAYOUT", help=", ".join(LAYOUTS))

    def run(self, to: str, no_wait: bool, **_options: Any) -> None:
        """Move the facts, and report it."""
        with show_counting(f"to {to}") as progress:
            done = reshard(self.store(no_wait), to, progress)
        if done.before == done.after:
            self.stdout.write(f"the layout is {to} already: nothing has changed")
            return
        self.stdout.write(
            f"{done.rows:,} facts moved from {done.before} ({done.files_before:,} files) to {done.after} "
            f"({done.files_after:,} files)"
        )
