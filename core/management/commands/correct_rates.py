"""Take wrong rates out of the store, and put them back."""

import argparse
import json
import math
import re
from pathlib import Path
from typing import Any

from core.fields.codes.billing_code import code_spellings, parse_code, parse_code_system
from core.management import base_command
from core.management.measure_fit import may_find_fits, measure_fit
from core.runtime.errors import BeaconError
from core.runtime.progress import show_counting
from core.store.changes.corrections import corrections, remove, undo
from core.store.changes.removal import MAX_EXAMPLES, Preview, preview_removal
from core.store.changes.selection import Selection
from core.store.generations.store import Store


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
  manage.py correct_rates --undo 2
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
        what = parser.add_argument_group("what to do")
        what.add_argument("--reason", help="why; needed for a removal")
        instead = what.add_mutually_exclusive_group()
        instead.add_argument("--dry-run", action="store_true", help="count what is selected, and change nothing")
        instead.add_argument("--list", action="store_true", help="list the corrections so far")
        instead.add_argument("--undo", type=int, metavar="ID", help="put the rates of a correction back")

    def run(self, reason: str | None, dry_run: bool, undo: int | None, no_wait: bool, **options: Any) -> None:
        """Remove, preview, list or undo."""
        names = ("batch", "payer", "state", "year_month", "code_type", "code", "min_rate", "max_rate", "uids")
        given = {name: options[name] for name in names if options[name] is not None}
        if options["list"] or undo is not None:
            if given or reason:
                raise BeaconError("--list and --undo take no other option")
            self._list() if undo is None else self._undo(undo, no_wait)
            return
        if "code" in given:
            system, code = given.get("code_type"), given["code"]
            given["code"] = (parse_code(system, code),) if system else code_spellings(code)
        selection = Selection(**given)
        if dry_run:
            self._preview(preview_removal(self.store(no_wait), selection))
            return
        if not (reason and reason.strip()):
            raise BeaconError("a removal needs a reason, so that it can be understood later: --reason TEXT")
        store = self.store(no_wait)
        with show_counting("looking") as progress:
            done = remove(store, selection, reason, progress)
        self.stdout.write(f"correction {done.correction_id}: {done.rows:,} rates removed; to put them back:")
        self.stdout.write(f"  manage.py correct_rates --undo {done.correction_id}")
        self._measure_fit(store, selection.state, selection.year_month)

    def _measure_fit(self, store: Store, state: str | None = None, year_month: str | None = None) -> None:
        """Measure again how well the rates that are left fit the fee schedules: the wrong ones may have decided it."""
        if may_find_fits(store):
            from core.quality.schedule_fit import FitScope  # noqa: PLC0415 - see may_find_fits

            states, months = ((value,) if value else () for value in (state, year_month))
            measure_fit(store, FitScope(states, months), self.stderr.write)

    def _list(self) -> None:
        found = corrections(self.store(no_wait=False))
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

    def _preview(self, found: Preview) -> None:
        self.stdout.write(f"{found.rows:,} rates are selected; nothing has been removed")
        for title, counts in found.by.items():
            for value, rows in counts:
                self.stdout.write(f"  {title:<6} {rows:>14,}  {value}")
        if found.examples:
            self.stdout.write(f"  {'the first ' + str(MAX_EXAMPLES) if found.rows > MAX_EXAMPLES else 'these'}:")
        for example in found.examples:
            self.stdout.write("    " + ", ".join(str(value) for value in example.values()))


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
