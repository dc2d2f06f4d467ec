"""Upgrade the store to the format of this version."""

from typing import Any

from core.management import base_command
from core.runtime.progress import show_counting


class Command(base_command.WritingCommand):
    """Define manage.py upgrade."""

    help = """\
Upgrades a store that an older version of the program has written. The next command that writes does the same by itself;
run this to choose the moment.

All of it or nothing: if it is interrupted, the store is as it was, and readers see the old files
until the new ones are complete. Rates and fact_uids stay the same; columns that the old version did not have are null.
It takes as long as copying the facts' files, and room on disk for a second copy until the grace time is over.

An older version of the program refuses the upgraded store with one line.

  manage.py upgrade
"""

    def run(self, no_wait: bool, **_options: Any) -> None:
        """Upgrade the store and say what was done."""
        with show_counting("upgrading") as progress:
            done = self.store(no_wait).upgrade(progress)
        if done is None:
            self.stdout.write("the store has the format of this version already: nothing has changed")
            return
        written = f": {done.rows:,} rows in {done.files} file{'s' * (done.files != 1)}" if done.files else ""
        self.stdout.write(f"upgraded from format {done.before} to {done.after}{written}")
