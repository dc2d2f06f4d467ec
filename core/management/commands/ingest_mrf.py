"""Loads payers' in-network files."""

import argparse
from typing import Any

from core.errors import BeaconError
from core.management import base
from core.mrf.ingest import Outcome, ingest, rejects_of
from core.mrf.source import Source, documents, expand
from core.progress import reading


class Command(base.WritingCommand):
    """manage.py ingest_mrf."""

    help = """\
Loads the negotiated rates of payers' in-network files (Transparency in Coverage, schema 1 and 2) for a state.

A file is JSON, plain or in gzip or zip, told by its content and not by its name. It is loaded whole or not at all; a
file whose JSON is in the store already adds nothing. Each file is one batch; one that cannot be loaded does not keep
the others from being loaded, but the exit status is then 1.

  manage.py ingest_mrf --state GA 2025-08-01_payer_in-network-rates.json.gz
  manage.py ingest_mrf --state GA 'downloads/*.json.gz' --year-month 2025-08
"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """The command line."""
        super().add_arguments(parser)
        parser.add_argument("sources", nargs="+", metavar="SOURCE", help="a path, or a glob in quotes")
        parser.add_argument("--state", type=base.state, required=True, help="the state to load for, such as GA")
        parser.add_argument(
            "--year-month",
            type=base.year_month,
            metavar="YYYY-MM",
            help="the month of the rates; takes the place of the files' last_updated_on, which payers may get wrong",
        )

    def run(self, sources: list[str], state: str, year_month: str | None, no_wait: bool, **_options: Any) -> None:
        """Loads each file."""
        store = self.store(no_wait)
        outcomes: list[Outcome] = []
        problems: list[str] = []
        paths = expand(sources)
        for path in paths:
            try:
                for document in documents(path):
                    outcomes.append(self._ingest(store, document, state, year_month))
                    self._tell(outcomes[-1])
            except BeaconError as error:
                problems.append(str(error))
                if len(paths) > 1:
                    self.stderr.write(str(error))
        if len(outcomes) + len(problems) > 1:
            added, read = sum(o.rows_added for o in outcomes), sum(o.record["rows_read"] for o in outcomes)
            self.stdout.write(f"{len(outcomes)} files loaded: {read:,} rows read, {added:,} added")
        if problems:
            raise BeaconError(
                problems[0] if len(problems) == 1 else f"{len(problems)} files were not loaded, see above"
            )

    def _ingest(self, store: Any, source: Source, state: str, year_month: str | None) -> Outcome:
        with reading(source.name) as progress:
            return ingest(
                store,
                source,
                state,
                year_month=year_month,
                progress=progress,
            )

    def _tell(self, outcome: Outcome) -> None:
        record = outcome.record
        rejects = rejects_of(record)
        say = self.stdout.write
        say(f"{record['source']}")
        payer, month = record["reporting_entity_name"], record["year_month"]
        say(f"  {payer}, {record['state']}, {month}, batch {record['batch_id']}")
        if outcome.loaded_before:
            say(f"  already loaded on {record['finished_at']:%Y-%m-%d at %H:%M} UTC: nothing added")
        say(
            f"  {record['rows_read']:,} rows read: {outcome.rows_added:,} added, {outcome.duplicates:,} duplicate, "
            f"{record['rows_rejected']:,} rejected" + "".join(f"; {why}: {n:,}" for why, n in sorted(rejects.items()))
        )
        if outcome.members:
            members = outcome.members
            say(
                f"  {members.groups:,} provider groups, {members.unresolved:,} unresolved; "
                f"{members.group_npis:,} group-NPI and {members.group_tins:,} group-TIN pairs; "
                f"{members.unused:,} groups no rate uses left out; {members.invalid_npis:,} invalid NPIs left out"
            )
        say(f"  {outcome.seconds:.1f} s, {record['rows_read'] / max(outcome.seconds, 1e-3):,.0f} rows/s")
