"""Loads what rates are compared with."""

import argparse
from pathlib import Path
from typing import Any

from core.benchmarks.load import load_medicare_prof
from core.management import base

KINDS = ("medicare_prof",)


class Command(base.WritingCommand):
    """manage.py load_benchmark."""

    help = """\
Loads a benchmark from the files as the agency publishes them.

  medicare_prof   the Medicare physician fee schedule: the relative value file (PPRRVU…) and the GPCI file of its year,
                  as csv or in the zip file they come in, in either order; for every state, from the release's first
                  month until the next release that is loaded, at most to the end of its year

  manage.py load_benchmark medicare_prof PPRRVU2025_Oct.csv GPCI2025.csv
"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """The command line."""
        super().add_arguments(parser)
        parser.add_argument("kind", choices=KINDS, help="which benchmark")
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="the files, as downloaded")

    def run(self, files: list[Path], no_wait: bool, **_options: Any) -> None:
        """Loads it."""
        loaded = load_medicare_prof(self.store(no_wait), files)
        say = self.stdout.write
        say(f"release of {loaded.release}, conversion factor {loaded.conversion_factor}")
        say(f"  {loaded.rows_read:,} rows read: {loaded.priced:,} priced, {loaded.not_payable:,} not payable")
        months = (
            f"{loaded.months[0]} to {loaded.months[-1]}" if loaded.months else "no month: later releases are loaded"
        )
        say(f"  {loaded.localities} localities in {loaded.states} states; in force {months}")
