#!/usr/bin/env python
"""Run the project's commands: `manage.py help` lists them."""

import os
import sys


def main() -> None:
    """Pass the command line to Django."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "beaconpoint.settings")
    from django.core.exceptions import ImproperlyConfigured  # noqa: PLC0415
    from django.core.management import execute_from_command_line  # noqa: PLC0415 - after the settings are named

    from core.management.run_command import run_own_command  # noqa: PLC0415
    from core.runtime.terminal import accept_any_text  # noqa: PLC0415

    accept_any_text(sys.stdout)
    accept_any_text(sys.stderr)
    try:
        if not run_own_command(sys.argv):
            execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"beaconpoint: {error}")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        # Interrupted while modules were still being imported. A command that has started reports it itself.
        print("Error: stopped; nothing has been done", file=sys.stderr)  # noqa: T201
        sys.exit(130)
