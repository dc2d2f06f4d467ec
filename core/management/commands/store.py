"""Look after the store: its history, backups, and repair."""

import argparse
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from django.conf import settings

from core.management import base_command
from core.management.data_directory import require_data_directory
from core.runtime.errors import BeaconError
from core.runtime.last_runs import record_run
from core.runtime.progress import show_counting

if TYPE_CHECKING:
    from django.core.management.base import CommandParser

    from core.store.generations.store import Store


TIMED = ("backup", "verify")
"""The actions that a timer runs, so that somebody should notice if they fail."""


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"


class Command(base_command.WritingCommand):
    """Define manage.py store."""

    help = """\
Looks after the store: lists its generations and goes back to one, makes and restores backups, and puts it in order.

Each command that writes makes a new generation, and readers see one generation or the next, never something between.
Older ones are kept as BEACONPOINT_KEEP_GENERATIONS and BEACONPOINT_KEEP_DAYS say.

  manage.py store generations                 what there is, when it was written, and what changed
  manage.py store rollback 41                 make the content of generation 41 the newest
  manage.py store backup /mnt/backup          copy what is new; may run during a load
  manage.py store restore /mnt/backup         into an empty or damaged store
  manage.py store repair                      links, leftovers of killed writers, closed folders
  manage.py store prune                       delete older generations, to make room
  manage.py store verify --deep               read every file, and name each damaged one

manage.py store ACTION --help explains each.
"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the actions and their options."""
        actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)

        def action(name: str, text: str, *, writes: bool = True) -> argparse.ArgumentParser:
            found = actions.add_parser(name, help=text, description=text)
            self.report_in_one_line(cast("CommandParser", found), f"store {name}")
            if writes:
                super(Command, self).add_arguments(found)
            return found

        action("generations", "list the generations that are kept", writes=False)
        rollback = action("rollback", "make the content of an older generation the newest")
        rollback.add_argument("generation", type=int, help="its number, as `store generations` lists it")
        backup = action("backup", "copy the newest generation to a directory: only what is new there", writes=False)
        backup.add_argument("directory", type=Path, help="where to; a later backup there only adds")
        backup.add_argument(
            "--link",
            action="store_true",
            help="link to the files if they are on the same disk: no room needed, no protection from a failing disk",
        )
        restore = action("restore", "make a backup the newest generation of an empty or damaged store")
        restore.add_argument("directory", type=Path, help="where store backup has put it")
        restore.add_argument("--generation", type=int, help="an older generation of the backup (default: its newest)")
        restore.add_argument("--force", action="store_true", help="even if the store is healthy")
        verify = action(
            "verify",
            "read every file and compare its size and checksum with those written; a line for each "
            "damaged one, and exit status 1",
            writes=False,
        )
        verify.add_argument("--deep", action="store_true", help="decode every value as well")
        repair = action("repair", "put links, leftovers of killed writers, and closed folders in order")
        repair.add_argument(
            "--delete-unnamed", action="store_true", help="delete the files in files/ that no generation names"
        )
        prune = action("prune", "delete older generations")
        prune.add_argument(
            "--generations",
            type=int,
            default=settings.BEACONPOINT_KEEP_GENERATIONS,
            help="how many older ones stay (default: the setting, %(default)s)",
        )
        prune.add_argument(
            "--days",
            type=int,
            default=settings.BEACONPOINT_KEEP_DAYS,
            help="of how many days the last one stays (default: the setting, %(default)s)",
        )

        prune.add_argument(
            "--now",
            action="store_true",
            help="even those that a reader may still be using: for a full disk",
        )

    def run(self, action: str, **options: Any) -> None:
        """Do the action, and record for the metrics how those end that a timer runs."""
        with record_run(settings.BEACONPOINT_DATA_DIR, f"store_{action}") if action in TIMED else nullcontext():
            getattr(self, f"_{action}")(**options)

    def _reading_store(self) -> "Store":
        from core import open_store  # noqa: PLC0415

        require_data_directory()
        return open_store.store()

    def _generations(self, **_options: Any) -> None:
        from core.store.upkeep.history import list_generations  # noqa: PLC0415 - slow to import, for a help text

        found = list_generations(self._reading_store())
        if not found:
            self.stdout.write("nothing is loaded yet")
            return
        self.stdout.write("   generation  written (UTC)     by              facts           only here  what changed")
        for one in found:
            self.stdout.write(
                f"{'*' if one.newest else ' '}  {one.generation:>10}  {one.created_at:%Y-%m-%d %H:%M}  "
                f"{one.command or '-':<14}  {one.facts:<14,}  {_megabytes(one.own_bytes):>9}  "
                f"{', '.join(one.changes)}{'' if one.complete else '  DAMAGED: a file is missing or cut short'}"
            )
        self.stdout.write("* is the newest. `only here` is the room on disk that deleting the generation would free.")

    def _rollback(self, generation: int, no_wait: bool, **_options: Any) -> None:
        from core.store.upkeep.rollback import roll_back  # noqa: PLC0415

        store = self.store(no_wait, "rollback", even_damaged=True)
        new = roll_back(store, generation)
        self.stdout.write(
            f"generation {new.generation} has the content of generation {generation}; what was the newest before is "
            "kept as well"
        )
        self._measure_fit(store)

    def _backup(self, directory: Path, link: bool, **_options: Any) -> None:
        from core.store.upkeep.backup import back_up  # noqa: PLC0415

        with show_counting("copying", "bytes") as progress:
            done = back_up(self._reading_store(), directory, link=link, progress=progress)
        linked = f", {done.linked:,} of them as links" if done.linked else ""
        self.stdout.write(
            f"generation {done.generation} is in {directory}: {done.files:,} files, {done.new_files:,} of them new "
            f"({_megabytes(done.new_bytes)}){linked}"
        )

    def _restore(self, directory: Path, generation: int | None, force: bool, no_wait: bool, **_options: Any) -> None:
        from core.store.upkeep.restore import restore  # noqa: PLC0415

        store = self.store(no_wait, "restore", even_damaged=True)
        with show_counting("copying", "bytes") as progress:
            done = restore(
                store,
                directory,
                generation=generation,
                force=force,
                progress=progress,
            )
        self.stdout.write(
            f"generation {done.generation} has the content of the backup's generation {done.backed_up}: {done.files:,} "
            f"files, {done.copied_files:,} of them copied ({_megabytes(done.copied_bytes)})"
        )
        self._measure_fit(store)

    def _measure_fit(self, store: "Store") -> None:
        """Measure how well the rates fit the schedules.

        A load is one generation and its measurement the next, so an older generation may have rates or schedules that
        were never measured, beside what was known of others.
        """
        from core.management.measure_fit import may_find_fits, measure_fit  # noqa: PLC0415 - slow to import as well

        if may_find_fits(store):
            from core.quality.schedule_fit import FitScope  # noqa: PLC0415 - see may_find_fits

            measure_fit(store, FitScope(), self.stderr.write)

    def _verify(self, deep: bool, **_options: Any) -> None:
        from core.store.upkeep.verify import verify  # noqa: PLC0415

        with show_counting("verifying", "bytes") as progress:
            found = verify(self._reading_store(), deep=deep, progress=progress)
        for damage, advice in found.damages:
            self.stdout.write(f"{damage}; {advice}")
        if found.without_checksum:
            self.stdout.write(
                f"{len(found.without_checksum):,} files have no checksum, as an older version wrote them: "
                "only their ends were looked at"
            )
            for path in found.without_checksum:
                self.stdout.write(f"  {path}")
            self.stdout.write(
                "the next command that writes adds the checksums of the newest generation, or manage.py upgrade"
            )
        if found.damages:
            raise BeaconError(f"{len(found.damages):,} of {found.files:,} files are damaged")
        self.stdout.write(
            f"{found.files:,} files of {found.generations:,} generation{'s' * (found.generations != 1)} are sound: "
            f"{_megabytes(found.bytes)}"
        )

    def _repair(self, delete_unnamed: bool, no_wait: bool, **_options: Any) -> None:
        from core.store.upkeep.repair import repair  # noqa: PLC0415

        done = repair(self.store(no_wait, even_damaged=True), delete_unnamed=delete_unnamed)
        if done.links_moved:
            self.stdout.write("the links in gold/ and silver/ were not those of the newest generation: they are now")
        if done.unnamed:
            what = f"{done.unnamed:,} files in files/ that no generation names ({_megabytes(done.unnamed_bytes)})"
            self.stdout.write(
                f"{what}: deleted"
                if done.deleted
                else f"{what} are left: if nobody is copying them there, delete them with --delete-unnamed"
            )
        if done.generations_deleted:
            self.stdout.write(f"generations no longer kept: {', '.join(map(str, done.generations_deleted))} deleted")
        if done.opened:
            self.stdout.write(
                f"{done.opened:,} files and folders made readable for everyone who may read the data directory"
            )
        if done.nothing:
            self.stdout.write("everything was in order: nothing has changed")

    def _prune(self, generations: int, days: int, now: bool, no_wait: bool, **_options: Any) -> None:
        from core.store.generations.retention.rules import Retention  # noqa: PLC0415
        from core.store.upkeep.repair import prune  # noqa: PLC0415

        grace = 0 if now else settings.BEACONPOINT_GRACE_SECONDS
        retention = Retention(grace, generations, days)
        done = prune(self.store(no_wait, even_damaged=True), retention)
        if not done.generations:
            self.stdout.write(
                f"nothing to delete: {generations} older generations and the last of {days} days are kept, and what "
                f"was in use less than {grace:g} seconds ago"
            )
            return
        deleted = ", ".join(map(str, done.generations))
        self.stdout.write(f"generations {deleted} deleted: {done.files:,} files, {_megabytes(done.bytes)}")
