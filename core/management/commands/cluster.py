"""Publish to, copy from, and look after a store on an object store."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from django.conf import settings

from core.management import base_command
from core.runtime.last_runs import record_run
from core.runtime.progress import show_counting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.core.management.base import CommandParser

    from core.store.generations.layout import StateMonth
    from core.store.generations.store import Store


class Command(base_command.WritingCommand):
    """Define manage.py cluster."""

    help = """\
Looks after a store that is published on an object store (BEACONPOINT_DATA_DIR=s3://bucket/prefix), see docs/cluster.md.
Files are loaded by ingest_mrf --engine ray.

  manage.py cluster status                    what is published
  manage.py cluster publish                   publish what killed runs have loaded
  manage.py cluster copy --state GA,FL        bring this machine's local copy up to date; the site serves it
  manage.py cluster compact --state GA        join small files of each month
  manage.py cluster expire --days 7           delete what no generation of the last days needs
  manage.py cluster demo DIRECTORY            show all of it on this machine, with an S3 server on loopback

manage.py cluster ACTION --help explains each.
"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the actions and their options."""
        actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)

        def action(name: str, text: str) -> argparse.ArgumentParser:
            found = actions.add_parser(name, help=text, description=text)
            self.report_in_one_line(cast("CommandParser", found), f"cluster {name}")
            super(Command, self).add_arguments(found)
            return found

        action("status", "tell what is published")
        action("publish", "publish every batch that has a receipt, and write a generation")
        copy = action("copy", "bring the local copy of some states up to date with the newest generation")
        copy.add_argument("--state", type=base_command.states, required=True, help="states to copy, such as GA,FL")
        copy.add_argument(
            "--on-s3",
            type=base_command.states,
            default=(),
            metavar="STATES",
            help="states whose rates the site reads from S3: slower, and without a copy of them on this disk",
        )
        copy.add_argument("--generation", type=int, help="another generation than the newest one")
        compact = action("compact", "join the small files of each state and month into few large ones")
        compact.add_argument("--state", type=base_command.states, help="only these states")
        compact.add_argument(
            "--files", type=int, default=8, help="join where there are more files than this (default 8)"
        )
        expire = action("expire", "delete objects and snapshots that no recent generation needs")
        expire.add_argument("--days", type=float, default=7, help="how long what was replaced stays (default 7)")

        demo = action("demo", "load made-up files on a cluster of this machine, with an S3 server on loopback")
        demo.add_argument("directory", type=Path, help="an empty directory for everything that the demo writes")

    def run(self, action: str, **options: Any) -> None:
        """Do the action. A timer runs `copy`, so how it ends is recorded for the metrics."""
        if action == "copy":
            with record_run(settings.BEACONPOINT_DATA_DIR, "cluster_copy"):
                self._copy(**options)
        else:
            getattr(self, f"_{action}")(**options)

    def _status(self, **_options: Any) -> None:
        from core.cluster.publication.publication_log import PublicationLog  # noqa: PLC0415 - slow to import, for a help text
        from core.cluster.publication.publish import newest_generation  # noqa: PLC0415
        from core.management.published_store import open_place  # noqa: PLC0415

        log = PublicationLog(open_place())
        log.read()
        newest = newest_generation(log.place)
        live = log.live_facts()
        self.stdout.write(
            f"{log.place.url}: generation {newest.number if newest else 0} of {len(log.entries)} log entries; "
            f"{len(log.batches()):,} batches, {sum(file.rows for file in live):,} rates in {len(live):,} files "
            f"({sum(file.bytes for file in live) / 1e9:,.2f} GB)"
        )

    def _publish(self, **_options: Any) -> None:
        from core.management.published_store import open_publisher  # noqa: PLC0415

        publisher = open_publisher()
        publisher.claim_all()
        number = publisher.finish().number
        self.stdout.write(f"generation {number} is published" if number else "nothing is loaded, nothing is published")

    def _copy(
        self, state: tuple[str, ...], on_s3: tuple[str, ...], generation: int | None, no_wait: bool, **_options: Any
    ) -> None:
        from core.cluster.copies.local_copy import LAYOUT, refresh_copy  # noqa: PLC0415
        from core.management.published_store import downloads_dir, open_place  # noqa: PLC0415

        settings.BEACONPOINT_FACT_LAYOUT = LAYOUT  # for a new store
        store = self.store(no_wait, "copy")
        with show_counting("copying", "bytes") as progress:
            others = [one for one in on_s3 if one not in state]
            done = refresh_copy(store, open_place(), state, downloads_dir("copy"), generation, progress, on_s3=others)
        self.stdout.write(
            f"generation {done.published} is copied for {', '.join(state)}: {done.facts:,} rates in {done.files:,} "
            f"files, {done.new_files:,} of them new ({done.new_bytes / 1e6:,.1f} MB)"
            + (f"; rates of {', '.join(others)} stay on S3" if others else "")
            if done.changed
            else f"generation {done.published} is copied already: nothing has changed"
        )
        self._measure_fit(store, done.periods)

    def _measure_fit(self, store: "Store", periods: "Sequence[StateMonth]") -> None:
        """Measure how well the rates that have changed fit the schedules that are loaded here, as a load does."""
        from core.management.measure_fit import may_find_fits, measure_fit  # noqa: PLC0415 - slow to import as well

        if periods and may_find_fits(store):
            from core.quality.schedule_fit import FitScope  # noqa: PLC0415 - see may_find_fits

            states, months = (tuple(sorted(set(each))) for each in zip(*periods, strict=True))
            measure_fit(store, FitScope(states, months), self.stderr.write)

    def _compact(self, state: tuple[str, ...] | None, files: int, **_options: Any) -> None:
        from core.cluster.publication.compaction import compact  # noqa: PLC0415
        from core.management.published_store import open_publisher  # noqa: PLC0415

        for one in compact(open_publisher(), state, files, Path(settings.BEACONPOINT_TEMP_DIR)):
            self.stdout.write(
                f"{one.state} {one.year_month}: {one.before:,} files are now {one.after:,} ({one.rows:,} rates)"
                if one.published
                else f"{one.state} {one.year_month}: left as it is, because another compaction was faster"
            )

    def _expire(self, days: float, **_options: Any) -> None:
        from core.cluster.publication.expiry import expire  # noqa: PLC0415
        from core.management.published_store import open_publisher  # noqa: PLC0415

        done = expire(open_publisher(), days)
        self.stdout.write(
            f"{done.objects:,} objects deleted ({done.bytes / 1e6:,.1f} MB), {done.snapshots:,} snapshots forgotten"
        )

    def _demo(self, directory: Path, **_options: Any) -> None:
        from core.management.cluster_demo import run_demo  # noqa: PLC0415

        run_demo(directory, self.stdout.write)
