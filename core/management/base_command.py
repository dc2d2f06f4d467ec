"""Share what all commands need: errors in one line, safe output, and options that several of them have."""

import argparse
import errno
import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any, NoReturn, TextIO, cast

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser, OutputWrapper

from core.fields.month import is_month
from core.fields.places.states import STATES, parse_state
from core.management.data_directory import require_data_directory
from core.runtime.errors import BeaconError
from core.runtime.interrupts import hold_interrupts
from core.runtime.terminal import printable

if TYPE_CHECKING:
    from core.store.generations.store import Store


class Error(CommandError):
    """The failure of a command. Django prints the class's name before the message: `Error: …`."""


class Output(OutputWrapper):
    """A command's output, with control characters replaced: a file's text cannot control the terminal."""

    def write(  # type: ignore[override]
        self, msg: str = "", style_func: Any = None, ending: str | None = None
    ) -> None:
        """Write a text and a line break."""
        try:
            super().write(printable(msg), style_func, ending)
        except OSError as error:
            if sys.platform == "win32" and error.errno == errno.EINVAL:
                raise BrokenPipeError from None  # what Windows calls it when the reader of the output has gone
            raise


class Command(BaseCommand):
    """A command whose errors are one line on stderr and exit status 1, without a traceback.

    A subclass does its work in `run`. Django's own options that have no use here are left out of the help.
    """

    needs_apps = False
    """Whether the command calls others by name or serves pages, and so needs Django's apps, see run_command.py."""
    requires_system_checks: list[str] = []  # noqa: RUF012 - as Django declares it
    suppressed_base_arguments = {  # noqa: RUF012 - as Django declares it
        "--settings", "--pythonpath", "--traceback", "--no-color", "--force-color", "--skip-checks", "--version",
    }  # fmt: skip

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Return a parser that keeps the help's line breaks and reports an error in one line."""
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        self.report_in_one_line(parser, subcommand)
        return parser

    def report_in_one_line(self, parser: CommandParser, subcommand: str) -> None:
        """Let a parser keep the help's line breaks and report an error in one line."""
        parser.formatter_class = argparse.RawDescriptionHelpFormatter

        def error(message: str) -> NoReturn:
            problem = f"{subcommand}: {printable(message)} (see manage.py {subcommand} --help)"
            if parser.called_from_command_line:
                self.stderr.write(problem)
                sys.exit(1)
            raise Error(problem)

        parser.error = error  # type: ignore[method-assign]

    def handle(self, *_args: Any, **options: Any) -> None:
        """Run the command, and turn expected errors into one line."""
        self.stdout, self.stderr = Output(cast("TextIO", self.stdout)), Output(cast("TextIO", self.stderr))
        try:
            # Every command imports it sooner or later; an interrupt in the middle of that can crash the process.
            with hold_interrupts():
                import_module("duckdb")
            self.run(**options)
        except BeaconError as error:
            raise Error(error.for_operator) from None
        except KeyboardInterrupt:
            raise Error("stopped; nothing of the unfinished work has been kept", returncode=130) from None
        except BrokenPipeError:
            # The reader of the output has closed it (`| head`), which is not an error.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        except MemoryError:
            raise Error("out of memory; the store is unchanged") from None

    def run(self, *args: Any, **options: Any) -> None:
        """Do the command's work."""
        raise NotImplementedError


class WritingCommand(Command):
    """A command that writes to the store, one at a time: it waits for others to finish unless --no-wait is given."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the option that every writing command has."""
        parser.add_argument(
            "--no-wait",
            action="store_true",
            help="fail at once if another command is writing to the store, instead of waiting for it",
        )

    def store(self, no_wait: bool, action: str = "", *, even_damaged: bool = False) -> "Store":
        """Return the store for writing. Report a wait, and a setting that asks for another layout.

        `action` is what the command does, if it can do several things; the store's history names it. Raises StoreError
        for a store whose newest generation is damaged, before the command begins to read, unless `even_damaged` is set.
        """
        from core import open_store  # noqa: PLC0415 - takes half a second, too long for a command's help
        from core.store.generations.integrity.damage import expect_whole  # noqa: PLC0415

        require_data_directory()
        store = open_store.store(
            0 if no_wait else -1,
            lambda: self.stderr.write("waiting for another command that is writing to the store"),
            command=f"{self.__module__.rpartition('.')[2]} {action}".strip(),
        )
        for caution in store.directory.list_cautions():
            self.stderr.write(caution)
        # `store rollback` and `store restore` do without the newest generation.
        manifest = store.directory.readable_manifest() if even_damaged else store.manifest()
        if manifest and not even_damaged:
            expect_whole(store.root, manifest)
        wanted = settings.BEACONPOINT_FACT_LAYOUT
        # What writes in spite of damage puts older files back or deletes some, and upgrades none.
        if manifest and manifest.is_older and not even_damaged:
            self.stderr.write("an older version of the program wrote this store: its files are upgraded first")
        if manifest and wanted and manifest.layout != wanted:
            self.stderr.write(
                f"the store's layout is {manifest.layout}; BEACONPOINT_FACT_LAYOUT ({wanted}) is for new stores: to "
                f"change this one, manage.py reshard --to {wanted}"
            )
        return store


def state(text: str) -> str:
    """Return an argument that is a state's two letters, or refuse it."""
    found = parse_state(text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not a state; expected two letters such as GA (or a territory's)")
    return found


def states(text: str) -> tuple[str, ...]:
    """Return an argument that is one or several states (`GA,FL,TX`) or `all`, each state once, or refuse it."""
    if text.strip().lower() == "all":
        return tuple(sorted(STATES))
    return tuple(dict.fromkeys(state(part) for part in text.split(",")))


def year_month(text: str) -> str:
    """Return an argument that is a month, YYYY-MM, or refuse it."""
    if not is_month(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a month; expected YYYY-MM such as 2025-08")
    return text
