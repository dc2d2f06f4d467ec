"""Print the data dictionary."""

from typing import Any

from core.management import base_command
from core.store.schema.data_dictionary import write_markdown


class Command(base_command.Command):
    """Define manage.py data_dictionary."""

    help = "Prints the data dictionary: every table, column, type, key and meaning, as Markdown."

    def run(self, **_options: Any) -> None:
        """Print it."""
        self.stdout.write(write_markdown().rstrip("\n"))
