"""Checks the data."""

import argparse
import json
from typing import Any

from django.conf import settings

from core import open_store
from core.management import base_command
from core.quality.record import keep
from core.quality.report import Finding, QualityReport, check
from core.runtime.errors import BeaconError
from core.store.generations.store import StoreError


class Command(base_command.Command):
    """manage.py dq_check."""

    help = """\
Checks what is loaded: orphans, duplicates, coverage, odd values, and whether the records add up.

A check fails when the share it finds wrong is over its threshold. Exit status 1 when a check fails; with
--fail-on error only when one of severity error does (these mean that the store itself is wrong; warnings mean that a
payer's file is odd). Advice, such as that the facts have outgrown their files, fails no check.

What it finds is kept in the store (dq_run, dq_finding) and shown at /quality/, by payer and month and with its history.
Where the store cannot be written, the report is printed all the same.

  manage.py dq_check
  manage.py dq_check --no-record --fail-on error
  manage.py dq_check --state GA --year-month 2025-08 --format json
"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """The command line."""
        parser.add_argument("--format", choices=("text", "json"), default="text", help="text for people (default)")
        parser.add_argument("--state", type=base_command.state, help="only this state's facts")
        parser.add_argument(
            "--year-month", type=base_command.year_month, metavar="YYYY-MM", help="only this month's facts"
        )
        parser.add_argument(
            "--fail-on", choices=("error", "warning"), default="warning", help="the least severity that exits with 1"
        )
        parser.add_argument("--no-record", action="store_true", help="print the result and leave the store as it is")

    def run(
        self,
        format: str,  # noqa: A002 - the option's name
        state: str | None,
        year_month: str | None,
        fail_on: str,
        no_record: bool,
        **_options: Any,
    ) -> None:
        """Prints the report and keeps it."""
        db = open_store.snapshot()
        if db is None:
            raise BeaconError(f"{open_store.store().root}: nothing is loaded yet; load a file with ingest_mrf first")
        report = check(db, state, year_month, settings.BEACONPOINT_FACT_LAYOUT)
        if format == "json":
            self.stdout.write(json.dumps(report.as_json(), indent=1, default=str))
        else:
            self._print(report)
        if not no_record:
            try:
                keep(open_store.store(), report)
            except StoreError as error:
                self.stderr.write(f"the result was not kept: {error}")
        failed = report.failed(("error",) if fail_on == "error" else ("error", "warning"))
        if failed:
            raise BeaconError(
                f"{len(failed)} of {len(report.findings)} checks failed: {', '.join(f.name for f in failed)}"
            )

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
            self.stdout.write("       " + ", ".join(f"{name} {value}" for name, value in example.items()))
