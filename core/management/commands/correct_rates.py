"""Take wrong rates out of the store, or out of a published one, and put them back."""

import argparse
import json
import math
import re
import shlex
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings

from core.fields.codes.billing_code import code_spellings, parse_code, parse_code_system
from core.management import base_command
from core.management.measure_fit import may_find_fits, measure_fit
from core.runtime.errors import BeaconError
from core.runtime.progress import show_counting
from core.store.changes.corrections import FIRST_PUBLISHED, Correction, corrections, remove, undo
from core.store.changes.forget import forget as forget_file
from core.store.changes.removal import MAX_EXAMPLES, Preview, preview_removal
from core.store.changes.selection import Selection
from core.store.generations.store import Store

if TYPE_CHECKING:
    from core.cluster.publication.publication_log import PublishedCorrection


class Command(base_command.WritingCommand):
    """Define manage.py correct_rates."""

    help = """\
Takes wrong rates out of the store and remembers which, when and why.

A rate is selected if it meets every option. All of it or nothing; files without a selected rate stay as they are. The
rates stay out when their file is loaded again, until --undo puts back exactly those rates.

  manage.py correct_rates --list
  manage.py correct_rates --payer evry_health --code 99213 --min-rate 100000 --dry-run
  manage.py correct_rates --payer evry_health --code 99213 --min-rate 100000 --reason 'cents taken for dollars'
  manage.py correct_rates --batch 3a99974a72c3908fb17501377fa85b24 --reason 'the payer withdrew the file'
  manage.py correct_rates --uids wrong.txt --reason 'reported by the clinic'
  manage.py correct_rates --state TX --payer healthscope_benefits --outside-state --reason 'not of Texas'
  manage.py correct_rates --undo 2

To load a file again (for another month, or with a newer version of this program), let the store forget it first:

  manage.py correct_rates --forget 3a99974a72c3908fb17501377fa85b24

With --published, all of it is done in the published store (docs/cluster.md), so for every copy of it.
"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the options."""
        super().add_arguments(parser)
        which = parser.add_argument_group("which rates")
        which.add_argument("--batch", type=_batch, help="the file's id, as ingest_mrf and dim_batch tell it")
        which.add_argument("--payer", help="the payer's name as published, or its slug such as evry_health")
        which.add_argument("--state", type=base_command.state, help="two letters, such as GA")
        which.add_argument("--year-month", type=base_command.year_month, metavar="YYYY-MM", help="the month")
        which.add_argument("--code-type", type=_code_type, help="the code system, such as CPT or REV")
        which.add_argument("--code", help="the billing code, in any system where none is given")
        which.add_argument("--min-rate", type=_rate, metavar="RATE", help="rates of at least this, as they are stored")
        which.add_argument("--max-rate", type=_rate, metavar="RATE", help="rates of at most this")
        which.add_argument("--uids", type=Path, metavar="FILE", help="a text file of fact_uids, one a line")
        which.add_argument(
            "--outside-state",
            action="store_const",
            const=True,
            help="rates of groups whose providers are known (load_nppes) to practice in other states only",
        )
        what = parser.add_argument_group("what to do")
        what.add_argument("--reason", help="why; needed for a removal")
        what.add_argument(
            "--published", action="store_true", help="in the published store: copies have it with their next refresh"
        )
        instead = what.add_mutually_exclusive_group()
        instead.add_argument("--dry-run", action="store_true", help="count what is selected, and change nothing")
        instead.add_argument("--list", action="store_true", help="list the corrections so far")
        instead.add_argument("--undo", type=int, metavar="ID", help="put the rates of a correction back")
        instead.add_argument(
            "--forget",
            type=_batch,
            metavar="BATCH",
            help="take a whole file out as if it had never been loaded, so that it can be loaded again",
        )

    def run(self, reason: str | None, dry_run: bool, published: bool, no_wait: bool, **options: Any) -> None:
        """Remove, preview, list, undo, or forget."""
        names = [field.name for field in fields(Selection)]
        given = {name: options[name] for name in names if options[name] is not None}
        if options["list"] or options["forget"] or options["undo"] is not None:
            if given or reason:
                raise BeaconError("--list, --undo, and --forget take no other option")
            self._do_instead(options["undo"], options["forget"], published, no_wait)
            return
        if "code" in given:
            system, code = given.get("code_type"), given["code"]
            given["code"] = (parse_code(system, code),) if system else code_spellings(code)
        if published and given.get("outside_state"):
            raise BeaconError("--outside-state is for a store of one machine; load a published one with --in-state")
        selection = Selection(**given)
        if dry_run:
            found = _preview_published(selection) if published else preview_removal(self.store(no_wait), selection)
            self._preview(found)
            return
        if not (reason and reason.strip()):
            raise BeaconError("a removal needs a reason, so that it can be understood later: --reason TEXT")
        if published:
            self._remove_published(selection, reason)
            return
        store = self.store(no_wait)
        with show_counting("looking") as progress:
            done = remove(store, selection, reason, progress)
        self.stdout.write(f"correction {done.correction_id}: {done.rows:,} rates removed; to put them back:")
        self.stdout.write(f"  manage.py correct_rates --undo {done.correction_id}")
        self._measure_fit(store, selection.state, selection.year_month)

    def _do_instead(self, undo: int | None, forget: str | None, published: bool, no_wait: bool) -> None:
        """Undo, forget, or list."""
        if forget and published:
            raise BeaconError("--forget is for a store of one machine; --batch takes a file out of a published one")
        if forget:
            self._forget(forget, no_wait)
        elif undo is None:
            self._list(_published_corrections() if published else corrections(self.store(no_wait=False)))
        elif published or undo >= FIRST_PUBLISHED:
            self._undo_published(undo)
        else:
            self._undo(undo, no_wait)

    def _measure_fit(self, store: Store, state: str | None = None, year_month: str | None = None) -> None:
        """Measure again how well the rates that are left fit the fee schedules: the wrong ones may have decided it."""
        if may_find_fits(store):
            from core.quality.schedule_fit import FitScope  # noqa: PLC0415 - see may_find_fits

            states, months = ((value,) if value else () for value in (state, year_month))
            measure_fit(store, FitScope(states, months), self.stderr.write)

    def _remove_published(self, selection: Selection, reason: str) -> None:
        from core.cluster.publication.published_corrections import remove_published  # noqa: PLC0415 - not on every machine
        from core.management.published_store import open_publisher  # noqa: PLC0415

        with show_counting("rewriting") as progress:
            done = remove_published(
                open_publisher(), selection, reason, settings.BEACONPOINT_TEMP_DIR, progress=progress
            )
        self.stdout.write(
            f"correction {done.correction_id}: {done.rows:,} rates removed from the published store; copies have it "
            "with their next refresh (manage.py cluster copy); to put them back:"
        )
        self.stdout.write(f"  manage.py correct_rates --undo {done.correction_id}")

    def _undo_published(self, number: int) -> None:
        from core.cluster.publication.published_corrections import undo_published  # noqa: PLC0415 - not on every machine
        from core.management.published_store import open_publisher  # noqa: PLC0415

        done = undo_published(open_publisher(), number, settings.BEACONPOINT_TEMP_DIR)
        self.stdout.write(f"correction {number} undone: {done.rows:,} rates are back in the published store")

    def _list(self, found: "Sequence[Correction | PublishedCorrection]") -> None:
        for one in found:
            given = json.loads(one.selection)
            texts = {name: " or ".join(value) if isinstance(value, list) else value for name, value in given.items()}
            chosen = ", ".join(f"{name} {value}" for name, value in texts.items())
            undone = f"; undone {one.undone_at:%Y-%m-%d %H:%M}" if one.undone_at else ""
            what = f"{one.rows:,} rates  {chosen}: {one.reason}{undone}"
            self.stdout.write(f"{one.correction_id}  {one.created_at:%Y-%m-%d %H:%M}  {what}")
        if not found:
            self.stdout.write("no correction so far")

    def _undo(self, number: int, no_wait: bool) -> None:
        store = self.store(no_wait)
        done = undo(store, number)
        self.stdout.write(f"correction {number} undone: {done.rows:,} rates are back")
        self._measure_fit(store)

    def _forget(self, batch_id: str, no_wait: bool) -> None:
        store = self.store(no_wait)
        with show_counting("looking") as progress:
            done = forget_file(store, batch_id, progress)
        states = ",".join(str(record["state"]) for record in done.records)
        first = done.records[0]
        self.stdout.write(
            f"{done.rates:,} rates of {first['reporting_entity_name']}, {first['year_month']}, are out of the store, "
            "as if their file had never been loaded; to load it again:"
        )
        self.stdout.write(f"  manage.py ingest_mrf --state {states} {shlex.quote(first['source'])}")
        self._measure_fit(store)

    def _preview(self, found: Preview) -> None:
        self.stdout.write(f"{found.rows:,} rates are selected; nothing has been removed")
        for title, counts in found.by.items():
            for value, rows in counts:
                self.stdout.write(f"  {title:<6} {rows:>14,}  {value}")
        if found.examples:
            self.stdout.write(f"  {'the first ' + str(MAX_EXAMPLES) if found.rows > MAX_EXAMPLES else 'these'}:")
        for example in found.examples:
            self.stdout.write("    " + ", ".join(str(value) for value in example.values()))


def _published_corrections() -> "list[PublishedCorrection]":
    from core.cluster.publication.publication_log import PublicationLog  # noqa: PLC0415 - not on every machine
    from core.management.published_store import open_place  # noqa: PLC0415

    log = PublicationLog(open_place())
    log.read()
    return log.corrections()


def _preview_published(selection: Selection) -> Preview:
    from core.cluster.publication.publication_log import PublicationLog  # noqa: PLC0415 - not on every machine
    from core.cluster.publication.published_corrections import preview_published  # noqa: PLC0415
    from core.management.published_store import open_place  # noqa: PLC0415

    return preview_published(PublicationLog(open_place()), selection, settings.BEACONPOINT_TEMP_DIR)


def _batch(text: str) -> str:
    if not re.fullmatch("[0-9a-f]{32}", text.strip().lower()):
        raise argparse.ArgumentTypeError(f"{text!r} is not a batch id; expected 32 hex digits")
    return text.strip().lower()


def _code_type(text: str) -> str:
    found = parse_code_system(text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not a code system; expected CPT, HCPCS, REV or the like")
    return found


def _rate(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        raise argparse.ArgumentTypeError(f"{text!r} is not a rate; expected a number such as 104.50")
    return found
