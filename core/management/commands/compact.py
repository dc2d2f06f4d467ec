"""Merge many small files of facts, and sorted runs within files."""

import argparse
from typing import Any

from core.management import base_command
from core.runtime.progress import show_counting
from core.store.changes.compact import MIN_SMALL_FILES, SMALL_BYTES, compact, find_crowded_shards, find_unsorted_shards
from core.store.generations.layout import layout_named, parts


class Command(base_command.WritingCommand):
    """Define manage.py compact."""

    help = f"""\
Merges the many small files that additions to the layout `partitioned` leave into one sorted file per state and month.

A state's month needs it when it has {MIN_SMALL_FILES} or more files under {SMALL_BYTES >> 20} MB. Larger files stay.
In the other layouts, a large addition is written behind the facts that a file has, up to three times: that is quick,
and the pages of a code read a little more. This command puts all facts of such a file in order.

All of it or nothing, and every query has the same answer afterwards.

  manage.py compact --dry-run
  manage.py compact
  manage.py compact --all
"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the options."""
        super().add_arguments(parser)
        parser.add_argument("--all", action="store_true", help="every state and month that is more than one file")
        parser.add_argument("--dry-run", action="store_true", help="say what would be merged, and change nothing")

    def run(self, dry_run: bool, no_wait: bool, **options: Any) -> None:
        """Merge the files and say which."""
        store = self.store(no_wait)
        if dry_run:
            done = find_crowded_shards(store.loaded(), every=options["all"]) + find_unsorted_shards(store)
        else:
            with show_counting("merging") as progress:
                done = compact(store, every=options["all"], progress=progress)
        for one in done:
            what = " ".join(parts(one.shard).values()) or "all months"
            files = f"{len(one.files)} file{'s' * (len(one.files) > 1)}"
            self.stdout.write(f"{what}: {files} into one, {one.rows:,} facts, {one.bytes / 1e6:,.1f} MB ({one.why})")
        if not done:
            layout = layout_named(store.loaded().layout)
            reason = "no state and month has many small files" if layout.grows else "every file is sorted"
            self.stdout.write(f"nothing to compact: {reason}")
