"""Loads what rates are compared with."""

import argparse
from pathlib import Path
from typing import Any

from core.management import base_command
from core.reference.benchmark_kinds import BENCHMARK_KINDS, load_benchmark
from core.reference.benchmark_release import NATION

OPTIONS = ("year_month", "gpci", "no_floor", "qpp", "wage_index", "state", "columns", "sheet")
"""The options of the kinds: the keyword-only parameters of their `load`."""


class Command(base_command.WritingCommand):
    """manage.py load_benchmark."""

    help = """\
Loads a benchmark from the files as the agency publishes them: csv, txt, Excel, or the zip file they come in, told by
content and in any order. A release is in force from the month it declares until the next release that is loaded, at
most to the end of its year. Loading it again replaces it.

""" + "\n".join(module.HELP for module in BENCHMARK_KINDS.values())

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the command line. Options left out are None, because each kind has its own defaults."""
        super().add_arguments(parser)
        parser.add_argument("kind", choices=tuple(BENCHMARK_KINDS), help="which benchmark")
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="the files, as downloaded")
        parser.add_argument(
            "--year-month", type=base_command.year_month, metavar="YYYY-MM",
            help="the month from which the amounts are in force, where the files do not say or say it wrong",
        )  # fmt: skip
        medicare = parser.add_argument_group("medicare_prof")
        medicare.add_argument("--gpci", type=Path, metavar="FILE", help="the GPCI file (it may also be one of FILE)")
        medicare.add_argument(
            "--no-floor", action="store_true", default=None,
            help="take the work GPCI without the 1.0 floor, where the GPCI file has both",
        )  # fmt: skip
        medicare.add_argument(
            "--qpp", action="store_true", default=None,
            help="from 2026: the factor of qualifying APM participants, where the files have both",
        )  # fmt: skip
        areas = parser.add_argument_group("opps and asc")
        areas.add_argument(
            "--wage-index", type=Path, metavar="FILE", help="the wage index file (it may also be one of FILE)"
        )
        compensation = parser.add_argument_group("wcfs")
        compensation.add_argument("--state", type=base_command.state, metavar="GA", help="whose schedule it is")
        compensation.add_argument("--columns", metavar="FIELD=TITLE,…", help="which column is which, by its title")
        compensation.add_argument("--sheet", metavar="NAME", help="the one sheet of the workbook to read")

    def run(self, kind: str, files: list[Path], **options: Any) -> None:
        """Load the benchmark, and report what was loaded."""
        loaded = load_benchmark(
            self.store(options["no_wait"]), kind, files, **{name: options[name] for name in OPTIONS}
        )
        say = self.stdout.write
        whose = "" if loaded.state == NATION else f" {loaded.state}"
        say(f"{kind}{whose}: release of {loaded.release}, in force {loaded.months[0]} to {loaded.months[-1]}")
        say(f"  {loaded.rows_read:,} rows read: {loaded.rows_priced:,} priced")
        for reason, rows in loaded.left_out.items():
            say(f"  {rows:,} left out: {reason}")
        for note in loaded.notes:
            say(f"  {note}")
