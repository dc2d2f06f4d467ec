"""Run one of the project's commands without what only a site needs."""

import logging.config
from collections.abc import Sequence
from pathlib import Path

from django.conf import settings
from django.core.management import load_command_class

from core.runtime.interrupts import hold_interrupts

_COMMANDS = Path(__file__).with_name("commands")


def run_own_command(arguments: Sequence[str]) -> bool:
    """Run the project's command that a command line names, and return True; return False if it names none.

    Django's own way sets up every app first, and loads its models, serializers, and forms for that: a quarter of a
    second that a command like ingest_mrf, which uses none of them, would pay each time.
    """
    name = arguments[1] if len(arguments) > 1 else ""
    if not name.isidentifier() or not (_COMMANDS / f"{name}.py").is_file():
        return False
    logging.config.dictConfig(settings.LOGGING)
    with hold_interrupts():
        command = load_command_class("core", name)
        if getattr(command, "needs_apps", True):
            import django  # noqa: PLC0415 - see above

            django.setup()
    command.run_from_argv(list(arguments))
    return True
