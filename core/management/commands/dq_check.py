"""Run the data-quality checks."""

import argparse
from contextlib import suppress
from typing import Any

from django.conf import settings

from core import open_store
from core.fields.texts.clean_text import clean_text
from core.management import base_command
from core.management.data_directory import require_data_directory
from core.quality.fit_record import update_fits
from core.quality.record import WAIT_SECONDS, keep_report
from core.quality.report import Finding, QualityReport, run_checks
from core.quality.schedule_fit import FitScope
from core.rows import write_json
from core.runtime.errors import BeaconError
from core.runtime.last_runs import record_run
from core.store.connection import Snapshot
from core.store.generations.integrity.damage import expect_undamaged
from core.store.generations.store import StoreError


class Command(base_command.Command):
    """manage.py dq_check."""

    help = """\
Check the loaded data: orphans, duplicates, coverage, odd values, and whether the records add up.

A check fails when the share of failing rows is over its threshold. The exit status is 1 if any check fails; with
--fail-on error, only if a check of severity error fails. An error means that the store itself is wrong; a warning means
that a payer's file is odd. Advice, such as to compact many small files, does not change the exit status.

The results are kept in the store (tables dq_run and dq_finding) and shown at /quality/, by payer and month and with
their history. If the store cannot be written, the report is still printed.

Before the checks, every file is read and compared with its checksum, as `manage.py store verify` does.

  manage.py dq_check
  manage.py dq_check --no-record --fail-on error
  manage.py dq_check --state GA --year-month 2025-08 --format json
"""

    stealth_options = ("wait",)  # for callers in Python, not on the command line

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--format", choices=("text", "json"), default="text", help="text for people (default)")
        parser.add_argument("--state", type=base_command.state, help="only this state's facts")
        parser.add_argument(
            "--year-month", type=base_command.year_month, metavar="YYYY-MM", help="only this month's facts"
        )
        parser.add_argument(
            "--fail-on",
            choices=("error", "warning"),
            default="warning",
            help="the lowest severity that exits with status 1",
        )
        parser.add_argument("--no-record", action="store_true", help="print the result without keeping it in the store")

    def run(self, **options: Any) -> None:
        """Check the data, and record for the metrics how that ended."""
        with record_run(settings.BEACONPOINT_DATA_DIR, "dq_check"):
            self.check_data(**options)

    def check_data(
        self,
        format: str,  # noqa: A002 - the option's name
        state: str | None,
        year_month: str | None,
        fail_on: str,
        no_record: bool,
        wait: float = WAIT_SECONDS,
        **_options: Any,
    ) -> None:
        """Print the report and keep it. `wait` is how many seconds to wait for another writer."""
        require_data_directory()
        store = open_store.store(wait, command="dq_check")
        if not no_record:
            # The result is about files, and keeping it would upgrade those of an older store.
            with suppress(StoreError):
                store.upgrade()
        db = open_store.snapshot()
        if db is None:
            raise BeaconError(f"{store.root}: nothing is loaded yet; load a file with ingest_mrf first")
        expect_undamaged(db.root, db.manifest)
        if not no_record:
            db = self._measure_fit(db, state, year_month, wait)
        report = run_checks(db, state, year_month, settings.BEACONPOINT_FACT_LAYOUT)
        if format == "json":
            self.stdout.write(write_json(report.as_json(), indent=1))
        else:
            self._print(report)
        if not no_record:
            try:
                keep_report(store, report, wait)
            except StoreError as error:
                self.stderr.write(f"the result was not kept: {error}")
        failed = report.failed(("error",) if fail_on == "error" else ("error", "warning"))
        if failed:
            raise BeaconError(
                f"{len(failed)} of {len(report.findings)} checks failed: {', '.join(f.name for f in failed)}"
            )

    def _measure_fit(self, db: Snapshot, state: str | None, year_month: str | None, wait: float) -> Snapshot:
        """Measure how well rates fit the fee schedules. Return the generation that has the result."""
        scope = FitScope((state,) if state else (), (year_month,) if year_month else ())
        try:
            update_fits(open_store.store(command="dq_check"), db, scope, wait)
        except StoreError as error:
            self.stderr.write(f"how well rates fit the fee schedules was not kept: {error}")
        return open_store.snapshot() or db

    def _print(self, report: QualityReport) -> None:
        for finding in report.findings:
            outcome = "ok  " if finding.passed else "FAIL"
            self.stdout.write(
                f"{outcome} {finding.severity:<7}  {finding.name:<20}  {finding.count:>12,} of {finding.total:>12,}  "
                f"{finding.share:8.2%} (at most {finding.threshold:.0%})"
            )
            if not finding.passed:
                self._explain(finding)
        for sentence in report.advice:
            self.stdout.write(f"advice: {sentence}")

    def _explain(self, finding: Finding) -> None:
        self.stdout.write(f"     {finding.meaning}")
        for example in finding.examples:
            self.stdout.write(
                "       " + ", ".join(f"{name} {clean_text(str(value))}" for name, value in example.items())
            )
