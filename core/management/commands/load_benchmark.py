"""Load the fee schedules that rates are compared with."""

import argparse
from pathlib import Path
from typing import Any

from core.management import base_command
from core.management.file_arguments import expand_patterns
from core.management.measure_fit import measure_fit
from core.quality.schedule_fit import FitScope
from core.reference.benchmark_kinds import BENCHMARK_KINDS, load_benchmark
from core.reference.benchmark_release import NATION

OPTIONS = ("year_month", "gpci", "no_floor", "qpp", "wage_index", "state", "columns", "sheet", "start_over")
"""The options of the kinds: the keyword-only parameters of their `load`."""


class Command(base_command.WritingCommand):
    """manage.py load_benchmark."""

    help = """\
Load a benchmark, a fee schedule that rates are compared with, from the files as the agency publishes them: csv, txt,
Excel, or the zip file they come in. Files are recognized by their content and may be named in any order.

A release takes effect in the month it declares. It stays in force until the next release that is loaded, and at most to
the end of its year. Loading a release again replaces it (a state's own schedule: adds to it).

Kinds:

""" + "\n".join(module.HELP for module in BENCHMARK_KINDS.values())

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the command line. Options left out are None, because each kind has its own defaults."""
        super().add_arguments(parser)
        parser.add_argument("kind", choices=tuple(BENCHMARK_KINDS), help="the kind of benchmark")
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="the files as downloaded")
        parser.add_argument(
            "--year-month", type=base_command.year_month, metavar="YYYY-MM",
            help="the month the amounts take effect, if the files do not say it or are wrong",
        )  # fmt: skip
        medicare = parser.add_argument_group("medicare_prof")
        medicare.add_argument("--gpci", type=Path, metavar="FILE", help="the GPCI file (or name it among FILE)")
        medicare.add_argument(
            "--no-floor", action="store_true", default=None,
            help="use the work GPCI without the 1.0 floor, if the GPCI file has both",
        )  # fmt: skip
        medicare.add_argument(
            "--qpp", action="store_true", default=None,
            help="since 2026: use the conversion factor of qualifying APM participants, if the files have both",
        )  # fmt: skip
        areas = parser.add_argument_group("opps, asc and ipps")
        areas.add_argument(
            "--wage-index", type=Path, metavar="FILE", help="the wage index file (or name it among FILE)"
        )
        compensation = parser.add_argument_group("wcfs")
        compensation.add_argument(
            "--state", type=base_command.state, metavar="GA", help="the state whose schedule it is"
        )
        compensation.add_argument("--columns", metavar="FIELD=TITLE,…", help="the titles of the columns, by field")
        compensation.add_argument(
            "--start-over", action="store_true", default=None,
            help="forget what earlier loads put into the release; otherwise this load adds to it",
        )  # fmt: skip
        compensation.add_argument(
            "--sheet", metavar="NAME", help="the sheet of the workbook to read (default: all with a known header)"
        )

    def run(self, kind: str, files: list[Path], **options: Any) -> None:
        """Load the benchmark, and report what was loaded."""
        store = self.store(options["no_wait"])
        loaded = load_benchmark(store, kind, expand_patterns(files), **{name: options[name] for name in OPTIONS})
        say = self.stdout.write
        whose = "" if loaded.state == NATION else f" {loaded.state}"
        say(f"{kind}{whose}: release of {loaded.release}, in force {loaded.months[0]} to {loaded.months[-1]}")
        say(f"  {loaded.rows_read:,} rows read: {loaded.rows_priced:,} priced")
        for reason, rows in loaded.left_out.items():
            say(f"  {rows:,} left out: {reason}")
        for note in loaded.notes:
            say(f"  {note}")
        states = () if loaded.state == NATION else (loaded.state,)
        measure_fit(store, FitScope(states, loaded.months), self.stderr.write)
